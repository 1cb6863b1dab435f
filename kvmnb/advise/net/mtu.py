"""The MTU is not the same along a guest's way out of the host.

What is seen
    For each interface on a kernel bridge: the bridge, its ports that are no taps, the guest's own tap and the size
    in the XML (``interface/mtu``); for a macvtap the NIC below it. They should be one number. The settings alone
    show it; the switch outside and the guest's own setting are not seen.

Why it hurts
    A guest that may send larger packets than a hop takes loses those packets without an answer: small requests
    work, large transfers hang. Where only the outer hops take more, the guest's own packets pass, and jumbo frames
    of neighbours end on the way; TCP agrees on the smaller size by itself.

What to do
    Decide on one size. To raise it begin outside: switch, NIC, bridge, then ``mtu size`` in the XML, then the
    guest. Test with ``ping -M do``. With TSO and GRO jumbo frames bring little for TCP: one size of 1500 everywhere
    is a good answer.

Leave it when
    The uplink carries VLANs or the host's own storage traffic in jumbo frames and the guests stay at 1500 on purpose.

Cost
    The host's side works at once; a hop that is forgotten cuts connections. The guest's size takes a shutdown and
    start. Durability: none. Migration: the other host's bridge must have the same size. Security: none.

Look by hand
    ``ip -d link show``; ``virsh dumpxml GUEST --xpath //interface/mtu``; in the guest ``ip link``.

Measure it
    ``ping -M do -s SIZE ADDRESS`` with SIZE 28 less than the MTU; ``nstat -az IpFragFails``.

Sources
    * libvirt, Domain XML format, MTU configuration
    * libvirt source, src/qemu/qemu_hotplug.c (the size cannot change live)
    * Linux source, drivers/net/virtio_net.c (the size from the device is also the largest)
"""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.advise.finding import Effect, Safety, Seen, Severity
from kvmnb.advise.intent import Goal
from kvmnb.advise.net.wires import Wire, nic_of, ports, running_twin, wires
from kvmnb.advise.rule import Rule
from kvmnb.advise.versions import at_least
from kvmnb.advise.view import View
from kvmnb.facts.domain import Domain
from kvmnb.facts.gap import Gap, NotSeen
from kvmnb.facts.network import Nic
from kvmnb.tunable.spelling import shell_word

RULE = Rule(
    id="net.mtu",
    severity=Severity.HIGH,
    goals=(Goal.THROUGHPUT,),
    basis="documented",
    effect=Effect.MODERATE,
    effect_basis="documented: a few per cent; all, where packets of the wrong size vanish",
)

# libvirt release notes 3.1.0; QEMU 2.9 tells a virtio guest (host_mtu).
LIBVIRT_SINCE, QEMU_SINCE = "3.1.0", "2.9"
# IPv4 and ICMP headers, which ping does not count.
_HEADERS = 28


@RULE.domain
def check(domain: Domain, view: View) -> Iterator[Seen]:
    """A finding for each interface whose way out has more than one MTU."""
    found: list[Seen] = []
    unseen = None
    for wire in wires(domain):
        if wire.interface.type not in ("bridge", "network", "direct"):
            continue
        outer = _outer(domain, wire, view)
        if isinstance(outer, Gap):
            unseen = unseen or outer
            continue
        found += _judged(domain, wire, outer, view)
    if unseen is not None and not found:
        raise NotSeen(unseen)
    yield from found


def _outer(domain: Domain, wire: Wire, view: View) -> tuple[Nic, ...] | Gap:
    """The bridge and its ports that are no guest's, or the NIC below a macvtap."""
    twin = running_twin(domain, wire)
    tap = nic_of(view.host, twin.target if twin is not None else None)
    name = wire.interface.lower if wire.interface.type == "direct" else wire.interface.bridge
    if name is None and twin is not None:
        name = twin.lower if twin.type == "direct" else twin.bridge
    if name is None and tap is not None:
        name = tap.master
    nic = nic_of(view.host, name)
    if nic is None or nic.kind == "openvswitch":
        what = f"the ports of {name} (Open vSwitch)" if nic is not None else f"the host's bridge or NIC {name}"
        return Gap("host.nics", f"{what if name else 'the bridge'} of interface {wire.key} cannot be seen")
    return (nic, *(port for port in ports(nic, view.host) if port.kind not in ("tap", "tun", "macvtap")))


def _judged(domain: Domain, wire: Wire, outer: tuple[Nic, ...], view: View) -> Iterator[Seen]:
    sizes = {nic.name: nic.mtu for nic in outer}
    inner = {}
    twin = running_twin(domain, wire)
    tap = nic_of(view.host, twin.target if twin is not None else None)
    if tap is not None:
        inner[f"its tap {tap.name}"] = tap.mtu
    if wire.interface.mtu is not None:
        inner["its mtu size in the persistent XML"] = wire.interface.mtu
    every = {**sizes, **inner}
    if len(set(every.values())) == 1:
        return
    # What the guest's side sends has to fit through each hop outside; the bridge itself belongs to the guest's side.
    guest_side = max([outer[0].mtu, *inner.values()])
    lost = guest_side > min(sizes.values())
    least = min(every.values())
    name = shell_word(domain.name)
    hypervisor = view.host.hypervisor
    known = hypervisor is None or (
        at_least(hypervisor.libvirt, LIBVIRT_SINCE)
        and (hypervisor.version is None or at_least(hypervisor.version, QEMU_SINCE))
    )
    yield Seen(
        saw=f"{wire.key} has {', '.join(f'{what} {size}' for what, size in every.items())} bytes "
        "(/sys/class/net/*/mtu, interface/mtu)",
        severity=None if lost else Severity.LOW,
        safety=Safety.MANUAL,
        by_hand=(
            "Decide on one size; to raise it begin with the switch, then NIC, bridge, XML and guest:",
            *(f"ip link set dev {shell_word(nic.name)} mtu SIZE" for nic in reversed(outer)),
            f"virsh edit {name}  # <mtu size='SIZE'/> for {shell_word(wire.key)}"
            if known
            else f"Set the size in the guest: libvirt {LIBVIRT_SINCE} and QEMU {QEMU_SINCE} are needed to tell it",
            f"ping -M do -s {least - _HEADERS} ADDRESS  # in the guest; the MTU less {_HEADERS}",
        ),
        note="packets of the guest that are larger than the smallest hop are lost"
        if lost
        else "the guest's own packets pass; larger ones from neighbours with jumbo frames do not reach it",
        subject=wire.subject,
    )
