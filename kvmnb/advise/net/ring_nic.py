"""A NIC that carries guests loses packets, or too few CPUs take them.

What is seen
    On a NIC that carries guests ``rx_missed_errors`` or ``rx_fifo_errors`` grow while its receive ring could be
    longer; or it has fewer channels than it could have and its node has CPUs, while one CPU is busy with softirqs to
    more than 80 %. Both are rates and need a window. Where the counters stand at zero, or the ring is at its
    longest, and the channels are enough, nothing can be wrong and that is said.

Why it hurts
    Packets that find no free descriptor are lost before any software sees them. With one channel one CPU takes all
    packets, and others cannot help.

What to do
    Double the ring (``ethtool -G NIC rx N``), measure, and again. Set combined channels to the CPUs of the NIC's
    node that are left to the host (``ethtool -L``). Lasting: ``RxBufferSize=`` and ``CombinedChannels=`` in the
    NIC's systemd ``.link`` file, or ``ethtool.ring-rx`` in NetworkManager.

Leave it when
    Latency is the goal: a long ring lets packets wait. A few losses at the start of a burst hurt nobody.

Cost
    The link goes down for a moment. Durability, migration, security: none.

Look by hand
    ``ethtool -S NIC | grep -i miss``; ``ethtool -g NIC``; ``ethtool -l NIC``; ``mpstat -P ALL 5``.

Measure it
    The counters in ``/sys/class/net/NIC/statistics`` over a minute of load, before and after.

Sources
    * Linux documentation, Scaling in the Linux Networking Stack
    * Linux documentation, Interface statistics
"""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.advise.finding import Effect, Safety, Seen, Severity, Sure
from kvmnb.advise.intent import Goal
from kvmnb.advise.load import nic_rates, over, rates
from kvmnb.advise.net.wires import carriers
from kvmnb.advise.rule import Rule, SeenBy
from kvmnb.advise.threshold import Threshold
from kvmnb.advise.view import View
from kvmnb.facts.host import Host
from kvmnb.facts.network import Nic
from kvmnb.tunable.spelling import percent_encode, shell_word

RULE = Rule(
    id="net.ring.nic",
    severity=Severity.MEDIUM,
    goals=(Goal.THROUGHPUT,),
    basis="heuristic",
    effect=Effect.SMALL,
    seen_by=SeenBy.WINDOW,
    effect_basis="heuristic: bursts are no longer dropped",
)

BUSY = Threshold(
    name="net.ring.nic.busy",
    default=80.0,
    unit="%",
    least=0.0,
    most=100.0,
    meaning="a CPU that spends more of its time in soft interrupts is the limit",
)


@RULE.host
def check(view: View) -> Iterator[Seen]:
    """A finding for each NIC of guests that loses packets, or crowds one CPU; not checked where only a rate tells."""
    for nic in carriers(view):
        if nic.kind != "physical":
            continue
        if _lost(nic) and _can_grow(nic):
            lost = nic_rates(view, nic.name, f"rx_missed_errors and rx_fifo_errors of {nic.name}").rx_lost_per_second
            rings = nic.ethtool.rings
            if lost and rings is not None:
                yield Seen(
                    saw=f"{nic.name} loses {lost:.1f} packets/s {over(view)} (rx_missed_errors, rx_fifo_errors) with a "
                    f"receive ring of {rings.rx} of at most {rings.rx_max}",
                    safety=Safety.MANUAL,
                    by_hand=(
                        f"ethtool -G {shell_word(nic.name)} rx {min(2 * rings.rx, rings.rx_max)}  # the link goes down",
                    ),
                    subject=f"nic/{percent_encode(nic.name)}",
                )
        if _few_channels(nic, view.host):
            with view.part():
                yield from _busy(nic, view)


def _busy(nic: Nic, view: View) -> Iterator[Seen]:
    channels = nic.ethtool.channels
    cpus = rates(view, f"softirq time of the CPUs that serve {nic.name}").cpus
    worst = max(cpus, key=lambda cpu: cpu.softirq_ratio, default=None)
    if worst is not None and worst.softirq_ratio * 100 > view.value(BUSY) and channels is not None:
        yield Seen(
            saw=f"CPU {worst.cpu} spends {worst.softirq_ratio:.0%} of its time in soft interrupts {over(view)} "
            f"(/proc/stat), and {nic.name} has {channels.combined} of at most {channels.combined_max} channels",
            sure=Sure.LIKELY,
            safety=Safety.MANUAL,
            by_hand=(
                f"ethtool -L {shell_word(nic.name)} combined COUNT  # up to the CPUs of its node; the link goes down",
            ),
            note="that these are the NIC's own interrupts, /proc/interrupts shows",
            subject=f"nic/{percent_encode(nic.name)}/channels",
        )


def _lost(nic: Nic) -> bool:
    return bool(nic.counters.rx_missed_errors or nic.counters.rx_fifo_errors)


def _can_grow(nic: Nic) -> bool:
    rings = nic.ethtool.rings
    return rings is not None and rings.rx < rings.rx_max


def _few_channels(nic: Nic, host: Host) -> bool:
    channels = nic.ethtool.channels
    node = next((one for one in host.numa_nodes if one.id == nic.numa_node), None)
    near = (node.cpus if node is not None else host.online) & host.online
    return channels is not None and channels.combined < min(channels.combined_max, len(near))
