"""host.blk.write_cache: flushes to a device are switched off."""

from __future__ import annotations

from typing import Any

import pytest

from kvmnb.advise.finding import Safety, Severity
from kvmnb.facts.host import Host
from tests.advise.disk.builders import a_block, a_disk, a_mount, storage_host
from tests.builders import a_domain, judged, silent

RULE = "host.blk.write_cache"
GUEST = a_domain(devices=a_disk())


def host(*options: str, fs_type: str = "ext4", **device: Any) -> Host:
    return storage_host(a_block(**device), mounts=(a_mount("/", fs_type, options=("rw", *options)),))


@pytest.mark.parametrize("goal", ["throughput", "balanced"])
@pytest.mark.parametrize(
    ("option", "fs_type", "on"),
    [("nobarrier", "ext4", "barrier=1"), ("barrier=0", "ext4", "barrier=1"), ("nobarrier", "xfs", "barrier")],
)
def test_a_mount_of_images_without_barriers_is_told(option: str, fs_type: str, on: str, goal: str) -> None:
    (finding,) = judged(RULE, host(option, fs_type=fs_type), GUEST, goal=goal).findings
    assert (finding.severity, finding.safety) == (Severity.CRITICAL, Safety.MANUAL)
    assert finding.by_hand[0] == f"sudo mount -o remount,{on} /"
    assert option in finding.saw


@pytest.mark.parametrize("options", [(), ("barrier=1",)])
def test_barriers_are_right(options: tuple[str, ...]) -> None:
    assert silent(RULE, host(*options), GUEST)


def test_a_mount_without_images_is_left_alone() -> None:
    assert silent(RULE, host("nobarrier"), a_domain())


@pytest.mark.parametrize("goal", ["latency", "density"])
def test_other_goals_hear_nothing(goal: str) -> None:
    assert silent(RULE, host("nobarrier"), GUEST, goal=goal)


def test_a_device_that_may_have_been_overridden_is_not_checked() -> None:
    result = judged(RULE, host(write_cache="write through"), GUEST)
    assert not result.findings
    assert "nvme0n1 (write through)" in result.not_checked[0].reason


def test_that_does_not_hide_a_mount_without_barriers() -> None:
    assert judged(RULE, host("nobarrier", write_cache="write through"), GUEST).findings


@pytest.mark.parametrize("device", [{"write_cache": None}, {"write_cache": "write through", "transport": "virtio"}])
def test_devices_that_nobody_overrides_are_right(device: dict[str, Any]) -> None:
    assert silent(RULE, host(**device), GUEST)
