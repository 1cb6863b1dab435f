from __future__ import annotations

import re

import pytest

from kvmnb.measure.metric import Metric
from kvmnb.measure.metrics import METRICS, metric

# A unit that the name must carry, as Prometheus wants it.
NAMED_UNITS = ("seconds", "bytes")


def complaints(one: Metric) -> list[str]:
    """What is wrong with a row of the table."""
    checks = {
        "its name is of another form": re.fullmatch(r"(kvm|host)_[a-z0-9_]+", one.name),
        "its name does not say of what it is": one.name.startswith("host_") == (one.of == "host"),
        "a counter alone ends in _total": one.name.endswith("_total") == (one.kind == "counter"),
        "its name lacks the unit": one.unit not in NAMED_UNITS or f"_{one.unit}" in one.name,
        "its help is no sentence": one.help.endswith("."),
        "it has no source": one.source.startswith(("/proc/", "/sys/", "libvirt's bulk call", "cpu.stat of")),
        "it has no cost": one.cost,
        "it has no period": one.period >= 1,
    }
    return [said for said, holds in checks.items() if not holds]


def test_every_metric_is_named_as_prometheus_wants_it_and_says_where_it_is_read_and_what_that_costs() -> None:
    assert {one.name: found for one in METRICS if (found := complaints(one))} == {}


def test_no_name_stands_twice() -> None:
    assert len({one.name for one in METRICS}) == len(METRICS)


def test_a_metric_is_found_by_its_name() -> None:
    assert [metric(one.name) for one in METRICS] == list(METRICS)
    with pytest.raises(KeyError):
        metric("kvm_vcpu_luck_total")
