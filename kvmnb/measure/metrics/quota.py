"""CPU quotas that hold a guest back; the label is the cgroup below the guest's own.

It reads ``guest`` for the whole machine slice, ``vcpu0``, ``emulator`` or ``iothread1`` for what libvirt keeps
below it.
"""

from __future__ import annotations

from dataclasses import replace

from kvmnb.measure.metric import TICK, Metric

GUEST_THROTTLED = Metric(
    name="kvm_guest_throttled_seconds_total",
    kind="counter",
    unit="seconds",
    of="guest",
    label="group",
    help="Time in which a CPU quota held back what was ready to run, added up over host CPUs. Absent where no quota "
    "is set: there nothing is held back.",
    source="cpu.stat of the guest's cgroups: throttled_usec (v2), throttled_time (v1)",
    cost="one read of a small file per cgroup that has a quota",
    period=TICK,
)
GUEST_QUOTA_PERIODS = replace(
    GUEST_THROTTLED,
    name="kvm_guest_quota_periods_total",
    unit="periods",
    help="Periods of a CPU quota that passed while there was something to run.",
    source="cpu.stat of the guest's cgroups: nr_periods",
    cost="none of its own: it comes with the throttled time",
)
GUEST_THROTTLED_PERIODS = replace(
    GUEST_QUOTA_PERIODS,
    name="kvm_guest_throttled_periods_total",
    help="Periods of a CPU quota in which it was used up.",
    source="cpu.stat of the guest's cgroups: nr_throttled",
)

METRICS = (GUEST_THROTTLED, GUEST_QUOTA_PERIODS, GUEST_THROTTLED_PERIODS)
