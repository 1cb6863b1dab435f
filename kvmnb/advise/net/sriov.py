"""A guest with very many packets goes through software although its NIC has virtual functions.

What is seen
    A running guest on a bridge or macvtap whose uplink can make SR-IOV virtual functions. Only more than a million
    packets a second, or 20 Gbit/s, for a while makes it a finding: a rate, which needs a window. Where no uplink
    of the guest can make functions, nothing is found.

Why it hurts
    Bridge and vhost cost CPU time for each packet, on the host and beside the guest. A virtual function passes the
    host by.

What to do
    Make functions (``sriov_numvfs``), switch the IOMMU on (``intel_iommu=on``, with ``iommu.passthrough=1`` for the
    host's own devices), and give the guest one from a libvirt network with ``forward mode='hostdev'``.

Leave it when
    The guest migrates without a failover pair, is filtered on the host, or moves less than that: virtio with vhost
    and some queues is enough for nearly all guests.

Cost
    The guest has to be shut down and started, or takes the function plugged in. Durability: none. Migration: lost
    without a failover pair. Security: needs an IOMMU; MAC and VLAN are set by the host. All its memory is pinned:
    no ballooning, merging or swapping.

Look by hand
    ``cat /sys/class/net/NIC/device/sriov_totalvfs``; ``ls /sys/kernel/iommu_groups``.

Measure it
    ``sar -n DEV 1`` for the tap, and the CPU share of ``vhost-PID``, before and after.

Sources
    * libvirt, Domain XML format, PCI passthrough of network devices
    * libvirt, Network XML format (hostdev)
    * Linux documentation, kernel parameters (intel_iommu, iommu.passthrough)
"""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.advise.finding import Effect, Safety, Seen, Severity, Sure
from kvmnb.advise.intent import Goal
from kvmnb.advise.load import nic_rates, over
from kvmnb.advise.net.wires import beneath, nic_of, uplinks, wires_of
from kvmnb.advise.rule import Rule, SeenBy
from kvmnb.advise.threshold import Threshold
from kvmnb.advise.view import View
from kvmnb.facts.device import Interface
from kvmnb.facts.domain import Domain
from kvmnb.facts.host import Host
from kvmnb.facts.network import Nic
from kvmnb.tunable.spelling import shell_word

RULE = Rule(
    id="net.sriov",
    severity=Severity.INFO,
    goals=(Goal.LATENCY, Goal.THROUGHPUT),
    basis="heuristic",
    effect=Effect.MODERATE,
    seen_by=SeenBy.WINDOW,
    effect_basis="heuristic: near to line rate, for guests with very many packets",
)

MANY_PACKETS = Threshold(
    name="net.sriov.packets",
    default=1_000_000,
    unit="packets/s",
    least=1,
    most=1_000_000_000,
    meaning="beyond them one vhost thread is full",
)
MANY_GBITS = Threshold(
    name="net.sriov.gbits",
    default=20.0,
    unit="Gbit/s",
    least=0.001,
    most=100_000.0,
    meaning="beyond them several vhost threads are full",
)


@RULE.domain
def check(domain: Domain, view: View) -> Iterator[Seen]:
    """A finding for each NIC with very much traffic; not checked where only a rate could tell."""
    live = domain.live if domain.running else None
    for wire in wires_of(live) if live is not None else ():
        for nic in _ways_out(wire.interface, view.host):
            if nic.sriov is not None and nic.sriov.total_vfs > 0:
                what = f"packets of {wire.key}, whose uplink {nic.name} can make virtual functions"
                traffic = nic_rates(view, wire.interface.target, what)
                packets = traffic.rx_packets_per_second + traffic.tx_packets_per_second
                bits = 8 * (traffic.rx_bytes_per_second + traffic.tx_bytes_per_second)
                if packets > view.value(MANY_PACKETS) or bits / 1e9 > view.value(MANY_GBITS):
                    yield Seen(
                        saw=f"{wire.key}: {packets:.0f} packets/s and {bits / 1e9:.1f} Gbit/s {over(view)} "
                        f"(/proc/net/dev), and {nic.name} can make {nic.sriov.total_vfs} virtual functions",
                        sure=Sure.LIKELY,
                        safety=Safety.MANUAL,
                        by_hand=(
                            f"echo COUNT > /sys/class/net/{shell_word(nic.name)}/device/sriov_numvfs",
                            f"virsh edit {shell_word(domain.name)}  # an interface of type hostdev with a function",
                        ),
                        note="a function takes the guest's live migration away, unless it fails over to a second NIC",
                        subject=wire.subject,
                    )
                break


def _ways_out(one: Interface, host: Host) -> Iterator[Nic]:
    """The NICs, down to the real ones, through which an interface leaves the host."""
    tap = nic_of(host, one.target)
    bridge = nic_of(host, one.bridge or (tap.master if tap is not None else None))
    first = nic_of(host, one.lower) if one.type == "direct" else None
    todo = [*(uplinks(bridge, host) if bridge is not None else ()), *((first,) if first is not None else ())]
    met = set()
    while todo:
        nic = todo.pop()
        if nic.name not in met:
            met.add(nic.name)
            yield nic
            todo += [low for name in beneath(nic) if (low := nic_of(host, name)) is not None]
