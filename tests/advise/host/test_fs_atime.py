"""host.fs.atime: each read of an image writes down the time of access."""

from __future__ import annotations

import pytest

from kvmnb.advise.finding import Safety, Severity
from kvmnb.facts.host import Host
from kvmnb.tunable.mount import Mount
from kvmnb.tunable.tunable import Want
from tests.advise.disk.builders import IMAGES, a_disk, a_mount, storage_host
from tests.builders import a_domain, found, judged, silent

RULE = "host.fs.atime"
GUEST = a_domain(devices=a_disk())


def host(*options: str, device: str | None = "nvme0n1") -> Host:
    return storage_host(mounts=(a_mount(), a_mount(IMAGES, "xfs", device, options, number=2)))


@pytest.mark.parametrize("options", [("rw",), ("rw", "strictatime"), ("rw", "nodiratime")])
def test_a_mount_of_images_with_strictatime_is_told(options: tuple[str, ...]) -> None:
    (finding,) = judged(RULE, host(*options), GUEST).findings
    assert (finding.severity, finding.safety) == (Severity.INFO, Safety.SAFE)
    assert finding.wants == (Want(Mount(IMAGES), "relatime"),)
    assert finding.by_hand == ()
    assert "strictatime from its line in /etc/fstab" in (finding.note or "")
    assert f"{IMAGES}/vda.img" in finding.saw


@pytest.mark.parametrize("options", [("rw", "relatime"), ("rw", "noatime"), ("rw", "lazytime"), ("ro",)])
def test_sparing_options_are_right(options: tuple[str, ...]) -> None:
    assert silent(RULE, host(*options), GUEST)


def test_a_file_system_without_a_device_is_left_alone() -> None:
    assert silent(RULE, host("rw", device=None), GUEST)


@pytest.mark.parametrize("disk", ["", a_disk(kind="block"), a_disk(device="cdrom"), a_disk(more="<readonly/>")])
def test_a_mount_without_images_is_left_alone(disk: str) -> None:
    assert silent(RULE, host("rw"), a_domain(devices=disk))


@pytest.mark.parametrize("goal", ["latency", "throughput", "density"])
def test_other_goals_hear_nothing(goal: str) -> None:
    assert silent(RULE, host("rw"), GUEST, goal=goal)


def test_many_images_are_one_finding() -> None:
    guest = a_domain(devices="".join(a_disk(f"vd{name}") for name in "abcde"))
    assert "and 2 more" in judged(RULE, host("rw"), guest).findings[0].saw
    assert found(RULE, host("rw"), guest)
