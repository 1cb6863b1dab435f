"""Packets for the guest are thrown away at its tap.

What is seen
    ``kvm_nic_receive_dropped_packets_total``, and the run delay of the guest's vCPUs.

What it means
    The guest or its vhost worker does not take packets in time: for want of CPU, of queues, or of places in its
    ring.

What answers it
    ``cpu.overcommit`` where its vCPUs wait; else ``net.queues``, ``net.ring.virtio``.

What would refute it
    The guest was starting, rebooting or had its link down over the window.

Sources
    * libvirt, src/conf/domain_conf.c: a tap sends what its guest receives
"""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.advise.finding import Severity
from kvmnb.measure.diagnose.pattern import Pattern, Sign, threshold
from kvmnb.measure.diagnose.signals import Signals
from kvmnb.measure.metrics.guest_nic import NIC_RECEIVE_DROPS
from kvmnb.measure.metrics.vcpu import VCPU_RUN_DELAY

LOST = threshold("diag.net.tap.lost", 0.1, "packets/s", "packets dropped from which it is more than a stray one")
DELAY = threshold(
    "diag.net.tap.delay", 0.05, "s/s", "run delay of a vCPU from which it is the likelier cause", most=1.0
)

PATTERN = Pattern("diag.net.tap", Severity.MEDIUM, ("net.queues", "net.ring.virtio", "cpu.overcommit"))


@PATTERN.guest
def check(signals: Signals, guest: str) -> Iterator[Sign]:
    """The sign in one guest."""
    delay = max(span.mean for span in signals.parts(VCPU_RUN_DELAY, guest).values())
    cause = "its vCPUs wait for CPUs" if delay >= DELAY.default else "its vCPUs do not wait: queues or the ring"
    for nic, lost in signals.parts(NIC_RECEIVE_DROPS, guest).items():
        if lost.mean >= LOST.default:
            yield Sign(
                saw=f"{lost.mean:.1f} packets/s for {nic} are thrown away; {cause} ({delay:.0%})", part=f"nic/{nic}"
            )
