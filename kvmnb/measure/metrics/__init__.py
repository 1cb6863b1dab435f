"""The table of metrics: one file for each group."""

from __future__ import annotations

from kvmnb.measure.metric import Metric
from kvmnb.measure.metrics import (
    guest_disk,
    guest_memory,
    guest_nic,
    host_cpu,
    host_disk,
    host_memory,
    host_nic,
    kvm_exits,
    pressure,
    quota,
    thread,
    vcpu,
)

GROUPS = (
    vcpu,
    thread,
    quota,
    kvm_exits,
    guest_memory,
    guest_disk,
    guest_nic,
    host_cpu,
    pressure,
    host_memory,
    host_disk,
    host_nic,
)
"""The modules of the table, in the order in which they are read."""

METRICS: tuple[Metric, ...] = tuple(one for group in GROUPS for one in group.METRICS)

_BY_NAME = {one.name: one for one in METRICS}


def metric(name: str) -> Metric:
    """The metric of this name; KeyError where the table has none."""
    return _BY_NAME[name]
