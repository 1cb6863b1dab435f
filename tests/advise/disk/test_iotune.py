"""disk.iotune: a disk works at the limit that was set for it."""

from __future__ import annotations

import pytest

from tests.advise.disk.builders import a_disk, storage_host
from tests.builders import a_domain, judged, silent

RULE = "disk.iotune"
HOST = storage_host()
LIMITED = a_disk(more="<iotune><total_iops_sec>500</total_iops_sec></iotune>")
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
