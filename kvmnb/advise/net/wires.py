"""The interfaces of a guest as rules name and change them, and the host's NICs that carry them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from kvmnb.advise.cpu.pins import layers, restart_cost, xml
from kvmnb.advise.finding import Safety, Seen, Severity, Sure
from kvmnb.advise.view import View
from kvmnb.facts.device import Interface
from kvmnb.facts.domain import Configuration, Domain
from kvmnb.facts.host import Host
from kvmnb.facts.network import Nic
from kvmnb.tunable.spelling import percent_encode, shell_word
from kvmnb.tunable.tunable import Want

# The types for which libvirt opens a tap or macvtap, which vhost-net can serve.
TAP_TYPES = ("bridge", "network", "direct", "ethernet")
# The ports of a bridge that lead out of the host.
UPLINKS = ("physical", "bond", "vlan", "team", "vxlan")


@dataclass(frozen=True, slots=True)
class Wire:
    """One interface of a configuration and the key by which its domain XML finds it."""

    interface: Interface
    key: str
    alone: bool
    """Whether no other interface has this key, so that it can be changed by it."""

    @property
    def subject(self) -> str:
        """How a finding names it below its domain."""
        return f"interface/{percent_encode(self.key)}"

    def path(self, tail: str) -> str:
        """A place below it in the domain XML."""
        return f"devices/interface[{percent_encode(self.key)}]/{tail}"

    @property
    def virtio(self) -> bool:
        """Whether the guest drives it through virtio."""
        return (self.interface.model or "").startswith("virtio")

    @property
    def tap(self) -> bool:
        """Whether it is a virtio NIC on a tap or macvtap."""
        return self.virtio and self.interface.type in TAP_TYPES


def wires(domain: Domain) -> tuple[Wire, ...]:
    """The interfaces that the guest has from its next start on; none of another hypervisor's guest."""
    wanted = domain.wanted
    return wires_of(wanted) if wanted.virt_type in ("kvm", "qemu") else ()


def wires_of(configuration: Configuration) -> tuple[Wire, ...]:
    """The interfaces of one configuration, by the keys of libvirt's domain XML."""
    keys, unnamed = [], 0
    for one in configuration.devices.interfaces:
        key = one.target or one.mac
        if not key:
            key, unnamed = str(unnamed), unnamed + 1
        keys.append(key)
    folded = [key.lower() for key in keys]
    return tuple(
        Wire(one, key, folded.count(key.lower()) == 1)
        for one, key in zip(configuration.devices.interfaces, keys, strict=True)
    )


def running_twin(domain: Domain, wire: Wire) -> Interface | None:
    """The same interface of the running guest, by its hardware address."""
    mac = (wire.interface.mac or "").lower()
    if not domain.running or domain.live is None or not mac:
        return None
    twins = [one for one in domain.live.devices.interfaces if (one.mac or "").lower() == mac]
    return twins[0] if len(twins) == 1 else None


def changing(
    domain: Domain,
    wire: Wire,
    saw: str,
    changes: Mapping[str, str | None],
    *,
    costs: Sequence[str],
    by_hand: str,
    severity: Severity | None = None,
    sure: Sure = Sure.CERTAIN,
    note: str | None = None,
) -> Seen:
    """A finding that changes one interface for the guest's next start; by hand where kvmnb cannot.

    ``changes`` maps places below the interface to values, ``by_hand`` says in words what ``virsh edit`` is for.
    """
    missing = None
    if domain.inactive is None:
        missing = "a guest that exists only while it runs keeps its interfaces until it is made anew"
    elif not wire.alone:
        missing = "two of its interfaces have the same name or address, so that a change could meet the wrong one"
    if missing is not None:
        return Seen(
            saw=saw,
            safety=Safety.MANUAL,
            by_hand=(f"virsh edit {shell_word(domain.name)}  # {by_hand}",),
            note="; ".join(filter(None, (note, missing))),
            severity=severity,
            sure=sure,
            subject=wire.subject,
        )
    return Seen(
        saw=saw,
        wants=tuple(Want(xml(domain, wire.path(tail)), value) for tail, value in changes.items()),
        safety=Safety.DISRUPTIVE,
        costs=(*restart_cost(domain), *costs),
        note=note,
        severity=severity,
        sure=sure,
        subject=wire.subject,
    )


def nic_of(host: Host, name: str | None) -> Nic | None:
    """The host's NIC of this name, if it has one."""
    return next((nic for nic in host.nics if nic.name == name), None) if name else None


def bridges_of_guests(view: View) -> tuple[Nic, ...]:
    """The host's bridges, of the kernel or Open vSwitch, that guests join, by name."""
    names = set()
    known = {nic.name: nic for nic in view.host.nics}
    for domain in view.domains:
        for _, layer in layers(domain):
            for one in layer.devices.interfaces:
                names.add(one.bridge)
                tap = known.get(one.target or "")
                names.add(tap.master if tap is not None else None)
    return tuple(nic for nic in view.host.nics if nic.name in names and nic.kind in ("bridge", "openvswitch"))


def ports(bridge: Nic, host: Host) -> tuple[Nic, ...]:
    """The NICs that are ports of a bridge, by name."""
    known = bridge.bridge.ports if bridge.bridge is not None else ()
    return tuple(nic for nic in host.nics if nic.name in known or nic.master == bridge.name)


def uplinks(bridge: Nic, host: Host) -> tuple[Nic, ...]:
    """The ports of a bridge that lead out of the host."""
    return tuple(port for port in ports(bridge, host) if port.kind in UPLINKS)


def carriers(view: View) -> tuple[Nic, ...]:
    """The NICs through which guests' packets leave the host, those below bonds and VLANs too, by name."""
    found = {port.name for bridge in bridges_of_guests(view) for port in uplinks(bridge, view.host)}
    for domain in view.domains:
        for _, layer in layers(domain):
            found |= {one.lower for one in layer.devices.interfaces if one.type == "direct" and one.lower}
    todo = list(found)
    while todo:
        nic = nic_of(view.host, todo.pop())
        new = set(beneath(nic)) - found if nic is not None else set()
        found |= new
        todo += new
    return tuple(nic for nic in view.host.nics if nic.name in found)


def beneath(nic: Nic) -> tuple[str, ...]:
    """The names of the NICs that one stands on."""
    slaves = nic.bond.slaves if nic.bond is not None else ()
    parent = (nic.vlan.parent,) if nic.vlan is not None else ()
    return tuple(dict.fromkeys((*nic.lower, *slaves, *parent)))


def above(nic: Nic, host: Host) -> Iterator[Nic]:
    """The NICs that stand on one, or that it is a port of, all the way up."""
    met, todo = {nic.name}, [nic]
    while todo:
        low = todo.pop()
        for one in host.nics:
            if one.name not in met and (one.name == low.master or one.name in low.upper or low.name in beneath(one)):
                met.add(one.name)
                todo.append(one)
                yield one
