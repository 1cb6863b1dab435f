"""LRO is on where packets are bridged or forwarded.

What is seen
    large-receive-offload is in force on a NIC that is, itself or through a bond, team or VLAN on it, a port of a
    bridge or of Open vSwitch, that carries a macvtap or macvlan, or from which IPv4 is routed. The settings alone
    show it.

Why it hurts
    LRO joins packets and forgets how they were cut, so that they cannot be sent on as they came: guests see stalls,
    path MTU errors and truncated packets. The kernel switches it off when a NIC joins a bridge or routing is
    switched on; so somebody switched it on again, or a macvtap is in play. Guides that tell to turn LRO on for
    speed are meant for end hosts.

What to do
    ``ethtool -K NIC lro off``. Lasting: ``ethtool.feature-lro off`` in NetworkManager, or
    ``LargeReceiveOffload=no`` in the NIC's systemd ``.link`` file. GRO, in the kernel or the NIC (rx-gro-hw), joins
    packets without that harm and stays on.

Leave it when
    Never on such a path; on a NIC that only the host itself uses LRO is fine.

Cost
    Works at once; some drivers reset the link for a moment. Durability, migration, security: none. Slightly more CPU
    time for received packets, which GRO wins back.

Look by hand
    ``ethtool -k NIC | grep large-receive``; ``bridge link``; ``sysctl net.ipv4.conf.NIC.forwarding``.

Measure it
    Retransmissions in the guest (``nstat -az TcpRetransSegs``) and ``iperf3`` into it, before and after.

Sources
    * Linux source, net/bridge/br_if.c and net/ipv4/devinet.c (dev_disable_lro)
    * Linux documentation, Netdev features mess and how to get out from it alive
    * Open vSwitch, disable LRO on ports
"""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.advise.finding import Effect, Safety, Seen, Severity
from kvmnb.advise.intent import Goal
from kvmnb.advise.net.wires import above, nic_of
from kvmnb.advise.rule import Rule
from kvmnb.advise.view import View
from kvmnb.facts.host import Host
from kvmnb.facts.network import Nic
from kvmnb.tunable.spelling import percent_encode, shell_word

RULE = Rule(
    id="net.offload.lro_bridge",
    severity=Severity.HIGH,
    goals=(Goal.THROUGHPUT, Goal.BALANCED),
    basis="source",
    effect=Effect.LARGE,
    effect_basis="source: forwarded streams stop stalling",
)


@RULE.host
def check(view: View) -> Iterator[Seen]:
    """A finding for each NIC with LRO on whose packets go on to somebody else."""
    for nic in view.host.nics:
        why = _passed_on(nic, view.host) if nic.kind == "physical" else None
        if why is None or not nic.ethtool.offload("large-receive-offload"):
            continue
        fixed = nic.ethtool.fixed("large-receive-offload")
        name = shell_word(nic.name)
        yield Seen(
            saw=f"large-receive-offload is on (ethtool features of {nic.name}), and {why}",
            safety=Safety.MANUAL,
            by_hand=(
                f"ethtool -K {name} lro off",
                "nmcli connection modify PROFILE ethtool.feature-lro off  # lasting",
            )
            if not fixed
            else ("Move guests and routing to another NIC: this driver does not let LRO be switched off.",),
            note="the driver keeps it on (fixed)" if fixed else None,
            subject=f"nic/{percent_encode(nic.name)}",
        )


def _passed_on(nic: Nic, host: Host) -> str | None:
    """Where a NIC's packets go on to; None where they end in the host."""
    way = (nic, *above(nic, host))
    for one in way:
        master = nic_of(host, one.master)
        if master is not None and master.kind in ("bridge", "openvswitch"):
            return f"{one.name} is a port of {master.name} (/sys/class/net/{one.name}/master)"
        if one.kind in ("macvtap", "macvlan"):
            return f"it carries the {one.kind} {one.name}"
    for one in way:
        if one.forwarding:
            return f"IPv4 is routed from {one.name} (/proc/sys/net/ipv4/conf/{one.name}/forwarding)"
    return None
