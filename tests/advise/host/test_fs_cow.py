"""host.fs.cow: images lie on a file system that copies on each write."""

from __future__ import annotations

import pytest

from kvmnb.advise.finding import Safety, Severity, Sure
from kvmnb.facts.host import Host
from tests.advise.disk.builders import IMAGES, a_disk, a_mount, storage_host
from tests.builders import a_domain, judged, silent

RULE = "host.fs.cow"
GUEST = a_domain(devices=a_disk())


def host(fs_type: str, *options: str) -> Host:
    return storage_host(mounts=(a_mount(), a_mount(IMAGES, fs_type, None, ("rw", *options), number=2)))


@pytest.mark.parametrize("goal", ["latency", "throughput"])
@pytest.mark.parametrize(("fs_type", "look"), [("btrfs", "lsattr"), ("zfs", "zfs get recordsize")])
def test_it_is_possible_where_the_file_system_copies(fs_type: str, look: str, goal: str) -> None:
    (finding,) = judged(RULE, host(fs_type), GUEST, goal=goal).findings
    assert (finding.severity, finding.sure, finding.safety) == (Severity.INFO, Sure.POSSIBLE, Safety.MANUAL)
    assert finding.by_hand[0].startswith(look)
    assert "is not read" in (finding.note or "")


@pytest.mark.parametrize(("fs_type", "options"), [("btrfs", ("nodatacow",)), ("ext4", ()), ("xfs", ())])
def test_other_file_systems_write_in_place(fs_type: str, options: tuple[str, ...]) -> None:
    assert silent(RULE, host(fs_type, *options), GUEST, goal="latency")


def test_a_mount_without_images_is_left_alone() -> None:
    assert silent(RULE, host("btrfs"), a_domain(), goal="latency")


@pytest.mark.parametrize("goal", ["balanced", "density"])
def test_other_goals_hear_nothing(goal: str) -> None:
    assert silent(RULE, host("btrfs"), GUEST, goal=goal)


def test_a_mount_that_writes_in_place_hides_no_other() -> None:
    both = storage_host(
        mounts=(a_mount(), a_mount("/plain", "ext4", None, number=2), a_mount("/tree", "btrfs", None, number=3))
    )
    devices = a_disk(source="/plain/a.img") + a_disk("vdb", source="/tree/b.img") + a_disk("vdc", source="/tree/c.img")
    (finding,) = judged(RULE, both, a_domain(devices=devices), goal="latency").findings
    assert finding.saw.startswith("/tree (btrfs) holds /tree/b.img, /tree/c.img ")
    assert finding.by_hand[0] == "lsattr -d /tree/b.img  # no C: it is copied on each write"
