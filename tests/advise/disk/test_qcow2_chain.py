"""disk.qcow2.chain: a disk reads through a long chain of images."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kvmnb.advise.finding import Safety, Severity
from kvmnb.facts.domain import State
from tests.advise.disk.builders import a_disk, storage_host
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
    assert "overlay of vda" in result.not_checked[0].reason


def test_a_running_guest_without_a_chain_is_right() -> None:
    assert silent(RULE, HOST, a_domain(devices=a_disk()), goal="latency")


def test_the_chain_is_read_from_what_runs() -> None:
    guest = a_domain(devices=a_disk(), live={"devices": a_disk(chain=3)})
    assert "live XML" in found(RULE, HOST, guest, goal="latency").saw


def test_a_shut_off_guests_chain_is_known_where_its_xml_tells() -> None:
    guest = a_domain(running=False, devices=a_disk(chain=3))
    assert "qemu-img commit" in found(RULE, HOST, guest, goal="latency").by_hand[1]
    result = judged(RULE, HOST, a_domain(running=False, devices=a_disk()), goal="latency")
    assert "shut off" in result.not_checked[0].reason


def test_a_shut_off_guests_raw_image_has_no_chain() -> None:
    assert silent(RULE, HOST, a_domain(running=False, devices=a_disk(format="raw")), goal="latency")


@pytest.mark.parametrize(("snapshots", "checked"), [(0, True), (1, False)])
def test_snapshots_of_unknown_age_are_not_checked(snapshots: int, checked: bool) -> None:
    guest = replace(a_domain(devices=a_disk()), state=a_fact(State, name="running", snapshots=snapshots))
    assert bool(judged(RULE, HOST, guest, goal="latency").not_checked) is not checked
