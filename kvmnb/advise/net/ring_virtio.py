"""The ring of a virtio NIC overflows, or asks for more than its backend takes.

What is seen
    A ``tx_queue_size`` above 256 on a tap or macvtap, which the configuration shows. And packets lost on the way to
    the guest: ``tx_dropped`` of its tap growing by more than 0.1 % of the packets while its vCPUs have
    time, which needs a window; without one the rule is not checked for a running guest whose tap has lost packets.

Why it hurts
    A ring has 256 entries. A burst that comes while the guest does not run overflows it, and TCP slows down. A longer
    transmit ring exists only for vhost-user and vDPA: on a tap QEMU 7.2 cuts it down without a word, and QEMU 10
    refuses to start the guest, although libvirt takes the XML.

What to do
    First see that the vCPUs get their time. Then ``rx_queue_size='1024'`` (a power of two from 256 to 1024). On a
    tap leave ``tx_queue_size`` at 256.

Leave it when
    Latency matters more than a few lost packets: a long ring lets packets wait. Some loss under overload is normal.

Cost
    The guest has to be shut down and started. Durability: none. Migration: ring sizes are part of what the guest
    sees and must agree on both sides. Security: none. Some memory for each queue.

Look by hand
    ``cat /sys/class/net/vnetN/statistics/tx_dropped``; ``virsh dumpxml GUEST --xpath //interface/driver``.

Measure it
    ``tx_dropped`` of the tap over a minute under load, before and after; in the guest ``nstat -az TcpRetransSegs``.

Sources
    * libvirt, Domain XML format, Setting NIC driver-specific options (rx_queue_size, tx_queue_size)
    * QEMU source, hw/net/virtio-net.c (virtio_net_max_tx_queue_size)
    * Tested with libvirt 9.0: 300 is refused, since it is no power of two
"""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.advise.finding import Effect, Seen, Severity, Sure
from kvmnb.advise.intent import Goal
from kvmnb.advise.load import guest_rates, nic_rates, over
from kvmnb.advise.net.wires import Wire, changing, nic_of, running_twin, wires
from kvmnb.advise.rule import Rule, SeenBy
from kvmnb.advise.threshold import Threshold
from kvmnb.advise.view import View
from kvmnb.facts.domain import Domain

RULE = Rule(
    id="net.ring.virtio",
    severity=Severity.MEDIUM,
    goals=(Goal.THROUGHPUT, Goal.LATENCY),
    basis="source",
    effect=Effect.SMALL,
    seen_by=SeenBy.SURER,
    effect_basis="source: fewer drops and retransmissions in bursts",
)

# QEMU, hw/net/virtio-net.c: the most entries of a transmit ring on a tap, and of a receive ring.
TAP_TX_ENTRIES = 256
LARGEST_RX_ENTRIES = 1024
LOST_PART = Threshold(
    name="net.ring.virtio.lost",
    default=0.1,
    unit="%",
    least=0.0,
    most=100.0,
    meaning="a larger part of the packets is not lost by accident",
)
SATURATED = Threshold(
    name="net.ring.virtio.saturated",
    default=90.0,
    unit="%",
    least=0.0,
    most=100.0,
    meaning="a vCPU that is busier drops for want of time, which no ring cures",
)


@RULE.domain
def check(domain: Domain, view: View) -> Iterator[Seen]:
    """A finding for each transmit ring that a tap cannot have; not checked where a tap has lost packets."""
    taps = [wire for wire in wires(domain) if wire.tap]
    wrong = [wire for wire in taps if (wire.interface.tx_queue_size or 0) > TAP_TX_ENTRIES]
    for wire in wrong:
        yield changing(
            domain,
            wire,
            f"{wire.key} asks for a transmit ring of {wire.interface.tx_queue_size} entries (persistent XML, "
            f"interface/driver/@tx_queue_size), and a tap takes {TAP_TX_ENTRIES}",
            {"driver/@tx_queue_size": str(TAP_TX_ENTRIES)},
            costs=("migration: both sides must have the same ring",),
            by_hand=f"<driver tx_queue_size='{TAP_TX_ENTRIES}'/> for {wire.key!r}",
            note="QEMU 7.2 cuts it down without a word, QEMU 10 does not start the guest",
        )
    if wrong or not domain.running:
        return
    for wire in taps:
        if (wire.interface.rx_queue_size or TAP_TX_ENTRIES) >= LARGEST_RX_ENTRIES:
            continue
        twin = running_twin(domain, wire)
        tap = nic_of(view.host, twin.target if twin is not None else None)
        if tap is None or tap.counters.tx_dropped != 0:
            yield from _losing(domain, wire, twin.target if twin is not None else None, view)


def _losing(domain: Domain, wire: Wire, tap: str | None, view: View) -> Iterator[Seen]:
    what = f"tx_dropped of the tap of {wire.key}"
    traffic = nic_rates(view, tap, what)
    guest = guest_rates(view, domain, what)
    lost, sent = traffic.tx_dropped_per_second, traffic.tx_packets_per_second
    saturated = view.value(SATURATED)
    full = any((vcpu.run_ratio + vcpu.delay_ratio) * 100 > saturated for vcpu in guest.vcpus)
    if lost * 100 > view.value(LOST_PART) * (lost + sent) and not full:
        yield changing(
            domain,
            wire,
            f"{wire.key} lost {lost / (lost + sent):.1%} of {lost + sent:.0f} packets/s on the way to the guest "
            f"{over(view)} (/proc/net/dev), while its vCPUs have time",
            {"driver/@rx_queue_size": str(LARGEST_RX_ENTRIES)},
            costs=("migration: both sides must have the same ring",),
            by_hand=f"<driver rx_queue_size='{LARGEST_RX_ENTRIES}'/> for {wire.key!r}",
            sure=Sure.LIKELY,
        )
