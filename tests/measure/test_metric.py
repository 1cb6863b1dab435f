from __future__ import annotations

import re

import pytest

from kvmnb.measure import metric
from kvmnb.measure.metric import METRICS, Metric


@pytest.mark.parametrize("one", METRICS, ids=lambda one: one.name)
def test_a_counter_of_seconds_is_named_as_prometheus_wants_it(one: Metric) -> None:
    assert re.fullmatch(r"(kvm|host)_[a-z_]+_seconds_total", one.name)
    assert one.unit == "seconds"
    assert one.per in ("vCPU", "host CPU")


@pytest.mark.parametrize("one", METRICS, ids=lambda one: one.name)
def test_every_metric_says_what_it_is_where_it_is_read_and_what_that_costs(one: Metric) -> None:
    assert one.help.endswith(".")
    assert one.source.startswith("/proc/")
    assert one.cost


def test_a_metric_is_found_by_its_name() -> None:
    assert [metric.metric(one.name) for one in METRICS] == list(METRICS)
    with pytest.raises(KeyError):
        metric.metric("kvm_vcpu_luck_total")
