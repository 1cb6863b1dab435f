"""Which QEMU's defaults a machine type keeps."""

from __future__ import annotations

import pytest

from kvmnb.advise.disk.machine_type import defaults_of
from kvmnb.facts.gap import NotSeen


@pytest.mark.parametrize(
    ("machine", "version"),
    [
        ("pc-q35-5.1", "5.1"),
        ("pc-i440fx-2.8", "2.8"),
        ("virt-8.2", "8.2"),
        ("s390-ccw-virtio-4.0", "4.0"),
        ("pc-q35-rhel7.9.0", "2.12"),
        ("pc-q35-rhel8.0.0", "3.1"),
        ("pc-q35-rhel8.1.0", "4.1"),
        ("pc-q35-rhel8.2.0", "4.2"),
        ("pc-q35-rhel8.3.0", "5.1"),
        ("pc-q35-rhel8.4.0", "5.2"),
        ("pc-q35-rhel8.5.0", "6.0"),
        ("pc-q35-rhel8.6.0", "6.2"),
        ("pc-q35-rhel8.7.0", "6.2"),
        ("pc-q35-rhel9.0.0", "6.2"),
        ("pc-i440fx-rhel7.6.0", "2.12"),
        ("pc-q35-rhel9.4.0", "6.2"),
        ("pc-i440fx-trusty", "2.0"),
        ("pc-i440fx-xenial", "2.5"),
        ("pc-i440fx-bionic", "2.11"),
        ("ubuntu-q35-noble", "8.2"),
        ("pc-q35-jammy-hpb", "6.2"),
        ("q35", "7.2.0"),
        ("microvm", "7.2.0"),
        (None, "7.2.0"),
    ],
)
def test_a_name_tells_the_version(machine: str | None, version: str) -> None:
    assert defaults_of(machine, "7.2.0") == version


def test_a_name_that_tells_none_is_not_seen() -> None:
    with pytest.raises(NotSeen, match="somebody's own"):
        defaults_of("somebody's own", "7.2.0")


def test_a_name_without_a_version_needs_the_hosts_qemu() -> None:
    with pytest.raises(NotSeen):
        defaults_of("q35", None)


def test_a_long_name_is_cut() -> None:
    with pytest.raises(NotSeen) as unseen:
        defaults_of("x" * 61, "7.2.0")
    assert "x" * 60 in str(unseen.value)
    assert "x" * 61 not in str(unseen.value)
