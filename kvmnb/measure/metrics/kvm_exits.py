"""What KVM counts of a vCPU: exits and halt polling.

Absent under TCG, and where libvirt does not tell it (before 8.9, QEMU before 7.1, Linux before 5.14): the kernel's
debugfs has the same counters, and is not read.
"""

from __future__ import annotations

from dataclasses import replace

from kvmnb.measure.metric import SLOW, Metric

SOURCE = "libvirt's bulk call, group vcpu: vcpu.<n>.{name}"

VCPU_EXITS = Metric(
    name="kvm_vcpu_exits_total",
    kind="counter",
    unit="exits",
    of="guest",
    label="vcpu",
    help="How often a vCPU left the guest for the hypervisor.",
    source=SOURCE.format(name="exits.sum"),
    cost="one call to libvirt, which asks the guest's QEMU",
    period=SLOW,
)
WITH_EXITS = "none of its own: it comes with the exits"
VCPU_HALT_EXITS = replace(
    VCPU_EXITS,
    name="kvm_vcpu_halt_exits_total",
    help="How often a vCPU left the guest because it had nothing to do.",
    source=SOURCE.format(name="halt_exits.sum"),
    cost=WITH_EXITS,
)
VCPU_POLLED_WELL = replace(
    VCPU_EXITS,
    name="kvm_vcpu_halt_poll_success_seconds_total",
    unit="seconds",
    help="Time that KVM polled for a halted vCPU and something came: the vCPU woke at once.",
    source=SOURCE.format(name="halt_poll_success_ns.sum"),
    cost=WITH_EXITS,
)
VCPU_POLLED_IN_VAIN = replace(
    VCPU_EXITS,
    name="kvm_vcpu_halt_poll_fail_seconds_total",
    unit="seconds",
    help="Time that KVM polled for a halted vCPU and nothing came: a host CPU burnt it.",
    source=SOURCE.format(name="halt_poll_fail_ns.sum"),
    cost=WITH_EXITS,
)

METRICS = (VCPU_EXITS, VCPU_HALT_EXITS, VCPU_POLLED_WELL, VCPU_POLLED_IN_VAIN)
