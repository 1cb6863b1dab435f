"""A NIC of the host loses packets at its ring.

What is seen
    ``host_nic_ring_dropped_packets_total``.

What it means
    Packets came faster than the host took them from the NIC: nothing above saw them.

What answers it
    ``net.ring.nic``, ``cpu.irq.affinity``.

What would refute it
    The counter stands still over a longer window: a single burst, long ago.

Sources
    * Linux, Documentation/networking/statistics.rst: rx_missed_errors
"""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.advise.finding import Severity
from kvmnb.measure.diagnose.pattern import Pattern, Sign, threshold
from kvmnb.measure.diagnose.signals import Signals
from kvmnb.measure.metrics.host_nic import HOST_NIC_RING_DROPS

LOST = threshold("diag.net.ring.lost", 0.1, "packets/s", "packets lost from which it is more than a stray one")

PATTERN = Pattern("diag.net.ring", Severity.MEDIUM, ("net.ring.nic", "cpu.irq.affinity"))


@PATTERN.host
def check(signals: Signals) -> Iterator[Sign]:
    """The sign on the host."""
    for nic, lost in signals.parts(HOST_NIC_RING_DROPS).items():
        if lost.mean >= LOST.default:
            yield Sign(saw=f"{nic} loses {lost.mean:.1f} packets/s at its ring", part=f"nic/{nic}")
