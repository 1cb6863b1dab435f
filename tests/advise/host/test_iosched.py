"""host.iosched: a disk's I/O scheduler does not fit the device."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from kvmnb.advise.finding import Safety, Severity
from kvmnb.facts.domain import Domain
from kvmnb.facts.gap import changed
from kvmnb.facts.tuning import BlockTune
from tests.advise.disk.builders import a_block, storage_host
from tests.builders import a_domain, found, judged, silent, values

RULE = "host.iosched"
WANT = "sysfs:block/sda/queue/scheduler"


def sda(**words: Any) -> Any:
    return storage_host(a_block("sda", **{"transport": "sata", "rotational": False, "hardware_queues": 1, **words}))


@pytest.mark.parametrize("goal", ["latency", "throughput", "balanced"])
@pytest.mark.parametrize("scheduler", ["mq-deadline", "bfq", "kyber"])
@pytest.mark.parametrize("words", [{"transport": "nvme"}, {"hardware_queues": 2}, {"transport": "nvme-tcp"}])
def test_fast_devices_do_without(words: dict[str, Any], scheduler: str, goal: str) -> None:
    finding = found(RULE, sda(scheduler=scheduler, **words), goal=goal)
    assert values(finding) == {WANT: "none"}
    assert (finding.severity, finding.safety, finding.subject) == (Severity.MEDIUM, Safety.SAFE, "host/block/sda")


def test_goal_density_hears_nothing() -> None:
    assert silent(RULE, sda(scheduler="bfq", transport="nvme"), goal="density")


@pytest.mark.parametrize("scheduler", ["none", "mq-deadline", "bfq"])
def test_an_ssd_with_one_queue_is_left_alone(scheduler: str) -> None:
    assert silent(RULE, sda(scheduler=scheduler))


def test_a_fast_device_without_a_scheduler_is_right() -> None:
    assert silent(RULE, sda(scheduler="none", transport="nvme"))


@pytest.mark.parametrize(
    ("offered", "value"), [(("none", "mq-deadline", "bfq"), "mq-deadline"), (("none", "bfq"), "bfq")]
)
def test_a_spinning_disk_gets_one(offered: tuple[str, ...], value: str) -> None:
    assert values(found(RULE, sda(rotational=True, schedulers=offered))) == {WANT: value}


@pytest.mark.parametrize("scheduler", ["mq-deadline", "bfq", "kyber"])
def test_a_spinning_disk_that_has_one_is_right(scheduler: str) -> None:
    assert silent(RULE, sda(rotational=True, scheduler=scheduler, hardware_queues=4))


def test_a_kernel_without_one_is_left_to_a_person() -> None:
    finding = found(RULE, sda(rotational=True, schedulers=("none", "kyber")))
    assert (finding.safety, finding.wants) == (Safety.MANUAL, ())
    assert "offers only none, kyber" in (finding.note or "")


@pytest.mark.parametrize(
    "words",
    [
        {"zoned": "host-managed"},
        {"type": "dm"},
        {"type": "loop"},
        {"slaves": ("nvme0c0n1",)},
        {"removable": True},
        {"scheduler": None},
        {"transport": "virtio"},
    ],
)
def test_devices_that_are_left_alone(words: dict[str, Any]) -> None:
    assert silent(RULE, sda(**{"rotational": True, **words}))


@pytest.mark.parametrize("zoned", ["none", None])
def test_devices_without_zones_are_judged(zoned: str | None) -> None:
    assert found(RULE, sda(rotational=True, zoned=zoned))


def test_paths_of_a_multipath_device_are_left_alone() -> None:
    above = a_block("dm-0", type="mpath", transport=None, scheduler=None, slaves=("sda",))
    path = a_block("sda", transport="fc", rotational=True)
    assert silent(RULE, storage_host(above, path))
    assert found(RULE, storage_host(changed(above, type="lvm"), path))


def weighed(domain: Domain, tune: dict[str, int]) -> Domain:
    wanted = domain.wanted
    blkio: BlockTune = changed(wanted.tuning.blkio, **tune)
    return replace(domain, inactive=changed(wanted, tuning=changed(wanted.tuning, blkio=blkio)))


@pytest.mark.parametrize("tune", [{"weight": 200}, {"devices": 1}])
def test_bfq_that_keeps_weights_is_left_to_a_person(tune: dict[str, int]) -> None:
    guest = weighed(a_domain(), tune)
    (finding,) = judged(RULE, sda(scheduler="bfq", transport="nvme"), guest).findings
    assert finding.safety is Safety.MANUAL
    assert "blkiotune of guest" in (finding.note or "")
    (finding,) = judged(RULE, sda(scheduler="kyber", transport="nvme"), guest).findings
    assert finding.safety is Safety.SAFE
