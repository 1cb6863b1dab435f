"""Bridged packets of guests go through the host's IP filters.

What is seen
    ``br_netfilter`` is loaded with ``bridge-nf-call-iptables``, ``ip6tables`` or ``arptables`` at 1, guests are on a
    bridge of the kernel, no guest has a libvirt network filter, and no interface of Docker or Kubernetes is there.
    The settings alone show it.

Why it hurts
    Every frame between guests, or from a guest to the LAN, then walks iptables and conntrack of the host as if it
    were routed there. That costs time for each packet, fills the table of connections, and lets rules meant for the
    host drop packets of guests.

What to do
    Set the switches to 0; filter bridged packets with nftables' bridge family. The values come back whenever the
    module is loaded: lasting is a file in ``/etc/sysctl.d`` and a udev rule for the module (``ACTION=="add",
    SUBSYSTEM=="module", KERNEL=="br_netfilter"`` that runs ``sysctl -p`` on it), or not to load the module.

Leave it when
    Docker, Kubernetes, OpenStack's iptables firewall, libvirt's nwfilter or rules of your own filter bridged
    packets: with 0 they silently stop doing so.

Cost
    Works at once. Durability: none. Migration: none. Security: filters for guests that work through iptables fall
    away without a word.

Look by hand
    ``sysctl net.bridge``; ``iptables -S FORWARD``; ``nft list ruleset``; ``conntrack -C``.

Measure it
    Packets a second between two guests and the host's softirq time, before and after; ``conntrack -C``.

Sources
    * Linux documentation, Ethernet Bridging (Netfilter)
    * libvirt, Firewall and network filtering in libvirt
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from kvmnb.advise.aim import Goal, Overlay
from kvmnb.advise.cpu.pins import layers
from kvmnb.advise.finding import Effect, Safety, Seen, Severity, Sure
from kvmnb.advise.net.wires import bridges_of_guests
from kvmnb.advise.rule import Rule
from kvmnb.advise.view import View
from kvmnb.advise.voice import Tone, Voice
from kvmnb.tunable.sysctl import Sysctl
from kvmnb.tunable.tunable import Want

RULE = Rule(
    id="net.bridge.nf_call",
    severity=Severity.MEDIUM,
    goals=(Goal.THROUGHPUT, Goal.LATENCY),
    basis="documented",
    effect=Effect.SMALL,
    effect_basis="documented: more packets per second and fewer drops",
    voices={Overlay.SECURITY: Voice(tone=Tone.BY_HAND, why="it silently takes away filters that may guard the guests")},
)

# Names that Docker, Podman, Kubernetes and its network plugins, and OpenStack's filter give their interfaces.
_CONTAINERS = re.compile(r"docker\d+|docker_gwbridge|br-[0-9a-f]{12}|podman\d+|cni.*|cali.*|flannel.*|kube-.*|cilium_.*"
                         r"|weave|qbr.*|lxcbr\d+")  # fmt: skip


@RULE.host
def check(view: View) -> Iterator[Seen]:
    """One finding for the host, with a want for each switch that is on."""
    calls = view.host.bridge_netfilter
    if calls is None:
        return
    switches = {
        "iptables": calls.call_iptables,
        "ip6tables": calls.call_ip6tables,
        "arptables": calls.call_arptables,
    }
    on = [f"net.bridge.bridge-nf-call-{name}" for name, value in switches.items() if value]
    bridges = [nic.name for nic in bridges_of_guests(view) if nic.kind == "bridge"]
    if not on or not bridges or _relied_on(view):
        return
    yield Seen(
        saw=f"{', '.join(on)} {'is' if len(on) == 1 else 'are'} 1 (/proc/sys/net/bridge), and guests are on "
        f"{', '.join(bridges)}",
        wants=tuple(Want(Sysctl(key), "0") for key in on),
        safety=Safety.DISRUPTIVE,
        costs=("security: iptables rules that guard guests on bridges stop doing so, without a word",),
        sure=Sure.POSSIBLE,
        note="rests on: nobody filters bridged packets with iptables; look at iptables -S FORWARD first",
        subject="bridge-nf-call",
    )


def _relied_on(view: View) -> bool:
    """Whether containers or libvirt's network filters are there, which need the switches."""
    if any(_CONTAINERS.fullmatch(nic.name) for nic in view.host.nics):
        return True
    return any(
        one.filter is not None
        for domain in view.domains
        for _, layer in layers(domain)
        for one in layer.devices.interfaces
    )
