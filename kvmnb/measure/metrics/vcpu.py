"""A guest's vCPUs: the threads of its QEMU that run them."""

from __future__ import annotations

from kvmnb.measure.metric import SLOW, TICK, Metric

SCHEDSTAT = "/proc/<qemu>/task/<tid>/schedstat"
STAT = "/proc/<qemu>/task/<tid>/stat"
STATUS = "/proc/<qemu>/task/<tid>/status"
WITH_RUN = "none of its own: it comes with the run time"

VCPU_RUN = Metric(
    name="kvm_vcpu_run_seconds_total",
    kind="counter",
    unit="seconds",
    of="guest",
    label="vcpu",
    help="Time a vCPU's thread ran on a host CPU. A rate of 1 s/s is one CPU fully used. A running thread is "
    "accounted at the scheduler's tick (1 to 10 ms), so windows far below a second are coarse.",
    source=f"{SCHEDSTAT}, first number",
    cost="one read of a small file per thread",
    period=TICK,
)
VCPU_RUN_DELAY = Metric(
    name="kvm_vcpu_run_delay_seconds_total",
    kind="counter",
    unit="seconds",
    of="guest",
    label="vcpu",
    help="Time a vCPU's thread was ready to run and waited for a host CPU: what the guest sees as steal. "
    "Time in which a CPU quota holds the thread back is part of it. A wait is counted when it ends.",
    source=f"{SCHEDSTAT}, second number",
    cost=WITH_RUN,
    period=TICK,
)
VCPU_TURNS = Metric(
    name="kvm_vcpu_turns_total",
    kind="counter",
    unit="turns",
    of="guest",
    label="vcpu",
    help="How often a vCPU's thread was put on a host CPU; each turn ends in a context switch.",
    source=f"{SCHEDSTAT}, third number",
    cost=WITH_RUN,
    period=TICK,
)
VCPU_LAST_CPU = Metric(
    name="kvm_vcpu_last_cpu",
    kind="gauge",
    unit="host CPU number",
    of="guest",
    label="vcpu",
    help="The host CPU on which a vCPU's thread runs, or ran last.",
    source=f"{STAT}, field 39",
    cost="one read of a small file per thread",
    period=TICK,
)
VCPU_LAST_NODE = Metric(
    name="kvm_vcpu_last_node",
    kind="gauge",
    unit="host NUMA node number",
    of="guest",
    label="vcpu",
    help="The NUMA node of the host CPU on which a vCPU's thread runs, or ran last.",
    source=f"{STAT}, field 39, by /sys/devices/system/node/node<N>/cpulist",
    cost="none of its own: it comes with the last CPU",
    period=TICK,
)
VCPU_YIELDS = Metric(
    name="kvm_vcpu_voluntary_switches_total",
    kind="counter",
    unit="switches",
    of="guest",
    label="vcpu",
    help="Context switches in which a vCPU's thread gave up its CPU by itself, mostly because the guest was idle.",
    source=f"{STATUS}, voluntary_ctxt_switches",
    cost="one read of a longer file per thread",
    period=SLOW,
)
VCPU_PREEMPTIONS = Metric(
    name="kvm_vcpu_involuntary_switches_total",
    kind="counter",
    unit="switches",
    of="guest",
    label="vcpu",
    help="Context switches in which a vCPU's thread was taken off its CPU though it had more to do.",
    source=f"{STATUS}, nonvoluntary_ctxt_switches",
    cost="none of its own: it comes with the voluntary ones",
    period=SLOW,
)

METRICS = (
    VCPU_RUN,
    VCPU_RUN_DELAY,
    VCPU_TURNS,
    VCPU_LAST_CPU,
    VCPU_LAST_NODE,
    VCPU_YIELDS,
    VCPU_PREEMPTIONS,
)
