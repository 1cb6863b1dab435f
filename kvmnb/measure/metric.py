"""The metrics that are measured, in one table that charts and documentation share.

Names follow the conventions of Prometheus: a counter of seconds ends in ``_seconds_total``. What is
shown is its rate, seconds per second, read as a share of one CPU.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Metric:
    """One counter, and what a reader has to know about it."""

    name: str
    unit: str
    per: str
    """What one of its series belongs to: ``vCPU`` or ``host CPU``."""
    help: str
    source: str
    cost: str


VCPU_RUN = Metric(
    name="kvm_vcpu_run_seconds_total",
    unit="seconds",
    per="vCPU",
    help="Time a vCPU's thread ran on a host CPU. A rate of 1 s/s is one CPU fully used. A running thread is "
    "accounted at the scheduler's tick (1 to 10 ms), so windows far below a second are coarse.",
    source="/proc/<qemu>/task/<tid>/schedstat, first number",
    cost="one read of a small file per vCPU, shared with the run delay",
)
VCPU_RUN_DELAY = Metric(
    name="kvm_vcpu_run_delay_seconds_total",
    unit="seconds",
    per="vCPU",
    help="Time a vCPU's thread was ready to run and waited for a host CPU: what the guest sees as steal. "
    "Time in which a CPU quota holds the thread back is part of it. A wait is counted when it ends.",
    source="/proc/<qemu>/task/<tid>/schedstat, second number",
    cost="none of its own: it comes with the run time",
)
HOST_CPU_BUSY = Metric(
    name="host_cpu_busy_seconds_total",
    unit="seconds",
    per="host CPU",
    help="Time a host CPU did work of any kind: guests, processes, the kernel and its interrupts. Idle, I/O "
    "wait and time stolen by a hypervisor below this host are left out. Counted in steps of 10 ms.",
    source="/proc/stat, lines cpu<N>: user + nice + system + irq + softirq",
    cost="one read for all CPUs",
)

METRICS = (VCPU_RUN, VCPU_RUN_DELAY, HOST_CPU_BUSY)


def metric(name: str) -> Metric:
    """The metric of this name; KeyError where the table has none."""
    return _BY_NAME[name]


_BY_NAME = {one.name: one for one in METRICS}
