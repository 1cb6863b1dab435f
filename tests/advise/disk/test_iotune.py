"""disk.iotune: a disk works at the limit that was set for it."""

from __future__ import annotations

import pytest

from tests.advise.disk.builders import a_disk, storage_host
from tests.advise.windows import a_disk_load, a_guest_load, a_window
from tests.builders import a_domain, found, judged, silent

RULE = "disk.iotune"
HOST = storage_host()
LIMITED = a_disk(more="<iotune><total_iops_sec>500</total_iops_sec></iotune>")
SHARED = a_disk(more="<iotune><total_iops_sec>1</total_iops_sec><group_name>g</group_name></iotune>")
FILTERED = a_disk(more="<throttlefilters><throttlefilter group='slow'/></throttlefilters>")


@pytest.mark.parametrize("goal", ["throughput", "balanced"])
@pytest.mark.parametrize("disk", [LIMITED, FILTERED])
def test_a_limit_is_not_checked_while_no_rate_is_measured(disk: str, goal: str) -> None:
    result = judged(RULE, HOST, a_domain(devices=disk), goal=goal)
    assert not result.findings
    assert result.not_checked[0].reason == "the rates of disk vda beside its limits: no window: rates are not measured"


def test_a_limit_of_what_runs_counts_too() -> None:
    assert judged(RULE, HOST, a_domain(devices=a_disk(), live={"devices": LIMITED})).not_checked


@pytest.mark.parametrize("running", [True, False])
def test_a_disk_without_limits_is_right(running: bool) -> None:
    assert silent(RULE, HOST, a_domain(running=running, devices=a_disk()))


@pytest.mark.parametrize("goal", ["latency", "density"])
def test_other_goals_hear_nothing(goal: str) -> None:
    assert silent(RULE, HOST, a_domain(devices=LIMITED), goal=goal)


@pytest.mark.parametrize(
    ("limit", "rates"),
    [
        ("total_iops_sec", {"reads_per_second": 50.0, "writes_per_second": 40.0}),
        ("read_iops_sec", {"reads_per_second": 90.0}),
        ("write_iops_sec", {"writes_per_second": 90.0}),
        ("total_bytes_sec", {"read_bytes_per_second": 45.0, "write_bytes_per_second": 45.0}),
        ("read_bytes_sec", {"read_bytes_per_second": 90.0}),
        ("write_bytes_sec", {"write_bytes_per_second": 90.0}),
    ],
)
def test_a_disk_at_nine_tenths_of_a_limit_is_told(limit: str, rates: dict[str, float]) -> None:
    guest = a_domain(devices=a_disk(more=f"<iotune><{limit}>100</{limit}></iotune>"))
    assert "90 of 100" in found(RULE, HOST, guest, load=a_window(a_guest_load(disks=[a_disk_load(**rates)]))).saw
    less = {name: rate - 0.1 for name, rate in rates.items()}
    assert silent(RULE, HOST, guest, load=a_window(a_guest_load(disks=[a_disk_load(**less)])))


@pytest.mark.parametrize("disk", [FILTERED, SHARED])
def test_limits_that_disks_share_are_not_checked(disk: str) -> None:
    load = a_window(a_guest_load(disks=[a_disk_load(reads_per_second=1e6)]))
    assert "shared" in judged(RULE, HOST, a_domain(devices=disk), load=load).not_checked[0].reason


def test_a_disk_that_the_window_does_not_show_is_not_checked() -> None:
    load = a_window(a_guest_load(disks=[a_disk_load("vdb")]))
    assert (
        "does not show the disk vda" in judged(RULE, HOST, a_domain(devices=LIMITED), load=load).not_checked[0].reason
    )
