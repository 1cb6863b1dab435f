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

from kvmnb.advise.finding import Effect, Seen, Severity
from kvmnb.advise.intent import Goal
from kvmnb.advise.load import no_window
from kvmnb.advise.net.wires import beneath, nic_of, uplinks, wires_of
from kvmnb.advise.rule import Rule
from kvmnb.advise.view import View
from kvmnb.facts.device import Interface
from kvmnb.facts.domain import Domain
from kvmnb.facts.host import Host
from kvmnb.facts.network import Nic

RULE = Rule(
    id="net.sriov",
    severity=Severity.INFO,
    goals=(Goal.LATENCY, Goal.THROUGHPUT),
    basis="heuristic",
    effect=Effect.MODERATE,
    effect_basis="heuristic: near to line rate, for guests with very many packets",
)


@RULE.domain
def check(domain: Domain, view: View) -> Iterator[Seen]:
    """Nothing where no uplink of the guest has virtual functions; not checked where only a rate could tell."""
    live = domain.live if domain.running else None
    for wire in wires_of(live) if live is not None else ():
        for nic in _ways_out(wire.interface, view.host):
            if nic.sriov is not None and nic.sriov.total_vfs > 0:
                raise no_window(f"packets of {wire.key}, whose uplink {nic.name} can make virtual functions")
    yield from ()


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
