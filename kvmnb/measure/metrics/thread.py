"""The threads that work for a guest beside its vCPUs: emulator, iothreads, vhost workers.

Their label reads ``emulator``, ``iothread1`` or ``vhost-<tid>``.
"""

from __future__ import annotations

from dataclasses import replace

from kvmnb.measure.metric import TICK, Metric
from kvmnb.measure.metrics import vcpu

THREAD_RUN = replace(
    vcpu.VCPU_RUN,
    name="kvm_thread_run_seconds_total",
    label="thread",
    help="Time the emulator's first thread, an iothread or a vhost worker of a guest ran on a host CPU.",
)
THREAD_RUN_DELAY = replace(
    vcpu.VCPU_RUN_DELAY,
    name="kvm_thread_run_delay_seconds_total",
    label="thread",
    help="Time the emulator's first thread, an iothread or a vhost worker of a guest was ready to run and waited "
    "for a host CPU. A wait is counted when it ends.",
)
THREAD_TURNS = replace(
    vcpu.VCPU_TURNS,
    name="kvm_thread_turns_total",
    label="thread",
    help="How often the emulator's first thread, an iothread or a vhost worker of a guest was put on a host CPU.",
)
THREAD_LAST_CPU = replace(
    vcpu.VCPU_LAST_CPU,
    name="kvm_thread_last_cpu",
    label="thread",
    help="The host CPU on which the emulator's first thread, an iothread or a vhost worker runs, or ran last.",
)
THREAD_LAST_NODE = replace(
    vcpu.VCPU_LAST_NODE,
    name="kvm_thread_last_node",
    label="thread",
    help="The NUMA node of the host CPU on which the emulator's first thread, an iothread or a vhost worker runs, "
    "or ran last.",
)
GUEST_CPU = Metric(
    name="kvm_guest_cpu_seconds_total",
    kind="counter",
    unit="seconds",
    of="guest",
    label="",
    help="Time all threads of a guest's QEMU ran, workers that come and go included; vhost workers that are "
    "processes of their own (Linux before 6.4) are not. Counted in steps of 10 ms.",
    source="/proc/<qemu>/stat, utime and stime",
    cost="one read of a small file per guest, which walks all threads of the process",
    period=TICK,
)

METRICS = (THREAD_RUN, THREAD_RUN_DELAY, THREAD_TURNS, THREAD_LAST_CPU, THREAD_LAST_NODE, GUEST_CPU)
