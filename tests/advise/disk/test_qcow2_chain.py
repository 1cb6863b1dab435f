"""disk.qcow2.chain: a disk reads through a long chain of images."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kvmnb.advise.finding import Safety, Severity, Sure
from kvmnb.core.units import GIB
from kvmnb.facts.domain import State
from kvmnb.facts.image import Image
from tests.advise.disk.builders import a_disk, an_image, holding, storage_host
from tests.builders import a_domain, a_fact, found, judged, silent

RULE = "disk.qcow2.chain"
HOST = storage_host()


@pytest.mark.parametrize("goal", ["latency", "throughput"])
@pytest.mark.parametrize("below", [3, 4])
def test_four_images_are_a_long_chain(below: int, goal: str) -> None:
    finding = found(RULE, HOST, a_domain(devices=a_disk(chain=below)), goal=goal)
    assert (finding.severity, finding.safety) == (Severity.HIGH, Safety.MANUAL)
    assert f"{below + 1} images" in finding.saw
    assert "backup" in finding.by_hand[0]
    assert "blockpull guest vda" in finding.by_hand[1]


@pytest.mark.parametrize("goal", ["balanced", "density"])
def test_other_goals_hear_nothing(goal: str) -> None:
    assert silent(RULE, HOST, a_domain(devices=a_disk(chain=3)), goal=goal)


@pytest.mark.parametrize("below", [1, 2])
def test_a_shorter_chain_is_not_checked_until_images_are_read(below: int) -> None:
    result = judged(RULE, HOST, a_domain(devices=a_disk(chain=below)), goal="latency")
    assert "images[vda]: its image was not asked for" in result.not_checked[0].reason


def chained(*sizes_gib: float | None) -> Image:
    """Images that take so much, the upper one first."""
    size, *below = sizes_gib
    known = {"actual_bytes": None if size is None else int(size * GIB)}
    return an_image(**known, backing=chained(*below) if below else None)


@pytest.mark.parametrize(
    ("sizes", "told"),
    [
        ((5.0, 10.0), None),
        ((5.1, 10.0), "take 5.1 GiB, and the base 10 GiB"),
        ((2.5, 2.5, 10.0), None),
        ((2.5, 3.5, 10.0), "take 6 GiB, and the base 10 GiB"),
    ],
)
@pytest.mark.parametrize("running", [True, False])
def test_an_overlay_of_more_than_half_its_base_is_told_in_a_low_voice(
    sizes: tuple[float, ...], told: str | None, running: bool
) -> None:
    guest = a_domain(running=running, devices=a_disk(chain=len(sizes) - 1))
    guest = holding(guest, vda=chained(*sizes))
    if told is None:
        assert silent(RULE, HOST, guest, goal="latency")
    else:
        finding = found(RULE, HOST, guest, goal="latency")
        assert told in finding.saw
        assert (finding.severity, finding.sure, finding.safety) == (Severity.LOW, Sure.LIKELY, Safety.MANUAL)


@pytest.mark.parametrize("sizes", [(None, 10.0), (1.0, None)])
def test_an_overlay_on_a_block_device_is_not_checked(sizes: tuple[float | None, ...]) -> None:
    result = judged(RULE, HOST, holding(a_domain(devices=a_disk(chain=1)), vda=chained(*sizes)), goal="latency")
    assert "has taken is not told" in result.not_checked[0].reason


def test_a_disk_that_runs_on_another_image_than_the_stored_one_is_not_checked() -> None:
    guest = a_domain(devices=a_disk(), live={"devices": a_disk(chain=1, source="/snapshot.img")})
    result = judged(RULE, HOST, holding(guest, vda=chained(5.1, 10.0)), goal="latency")
    assert "another image" in result.not_checked[0].reason


@pytest.mark.parametrize(("sizes", "speaks"), [((1, 9, 9, 9), True), ((1, 9, 9), False), ((9,), False)])
def test_of_a_shut_off_guest_the_images_tell_the_chain(sizes: tuple[float, ...], speaks: bool) -> None:
    guest = holding(a_domain(running=False, devices=a_disk()), vda=chained(*sizes))
    result = judged(RULE, HOST, guest, goal="latency")
    assert not result.not_checked
    long = [one.saw for one in result.findings if "4 images lie in one chain (qemu-img)" in one.saw]
    assert bool(long) is speaks


def test_one_disk_does_not_hide_what_is_known_of_another() -> None:
    guest = a_domain(devices=a_disk(chain=1) + a_disk("vdb", chain=3))
    result = judged(RULE, HOST, guest, goal="latency")
    assert ([one.subject for one in result.findings], len(result.not_checked)) == (["domain/guest/disk/vdb"], 1)


def test_a_running_guest_without_a_chain_is_right() -> None:
    assert silent(RULE, HOST, a_domain(devices=a_disk()), goal="latency")


def test_the_chain_is_read_from_what_runs() -> None:
    guest = a_domain(devices=a_disk(), live={"devices": a_disk(chain=3)})
    assert "live XML" in found(RULE, HOST, guest, goal="latency").saw


def test_a_shut_off_guests_chain_is_known_where_its_xml_tells() -> None:
    guest = a_domain(running=False, devices=a_disk(chain=3))
    assert "qemu-img commit" in found(RULE, HOST, guest, goal="latency").by_hand[1]
    result = judged(RULE, HOST, a_domain(running=False, devices=a_disk()), goal="latency")
    assert "its image was not asked for" in result.not_checked[0].reason


@pytest.mark.parametrize("disk", [a_disk(format="raw"), a_disk(kind="network")])
def test_a_shut_off_guests_raw_or_remote_image_has_no_chain(disk: str) -> None:
    assert silent(RULE, HOST, a_domain(running=False, devices=disk), goal="latency")


@pytest.mark.parametrize(("snapshots", "checked"), [(0, True), (1, False)])
def test_snapshots_of_unknown_age_are_not_checked(snapshots: int, checked: bool) -> None:
    guest = replace(a_domain(devices=a_disk()), state=a_fact(State, name="running", snapshots=snapshots))
    assert bool(judged(RULE, HOST, guest, goal="latency").not_checked) is not checked
