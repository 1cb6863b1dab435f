"""The way of a guest's packets out of its host, hop by hop, and what the rules say of each hop."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from kvmnb.advise.finding import Finding, Severity
from kvmnb.advise.net.wires import TAP_TYPES, Wire, beneath, nic_of, uplinks, wires_of
from kvmnb.facts.domain import Domain
from kvmnb.facts.gap import NotSeen
from kvmnb.facts.host import Host
from kvmnb.facts.network import Nic
from kvmnb.show import words
from kvmnb.show.cards.finding import subject
from kvmnb.tunable.spelling import percent_encode

GUEST, TAP, BRIDGE, NIC = "guest's NIC", "tap", "bridge", "host's NIC"
# What the guest may hand over uncut, or take joined; the words of ethtool -k.
_OFFLOADS = (
    ("TSO", "tcp-segmentation-offload"),
    ("GSO", "generic-segmentation-offload"),
    ("GRO", "generic-receive-offload"),
    ("LRO", "large-receive-offload"),
)
_GUEST_OFFLOADS = ("host_tso4", "host_gso", "host_csum", "host_mrg_rxbuf", "guest_tso4", "guest_csum")
# Which hop a finding on an interface is about; the others are about the guest's NIC.
_OF_TAP = frozenset({"net.vhost", "net.qos"})


@dataclass(frozen=True, slots=True)
class Hop:
    """One device on the way, in words."""

    kind: str
    name: str
    does: str
    mtu: int | None
    queues: str
    offloads: str
    lost: int | None
    """Packets that it lost since it was made; None where nobody counts them."""
    findings: tuple[Finding, ...] = ()
    odd_mtu: bool = False
    """Whether its MTU is not that of the hops before it."""

    @property
    def size(self) -> str:
        """Its MTU in words."""
        return "not told" if self.mtu is None else str(self.mtu)

    @property
    def rank(self) -> int:
        """The gravest finding's, 0 for the worst there can be; without one beyond all."""
        return min((one.severity.rank for one in self.findings), default=len(Severity))


@dataclass(frozen=True, slots=True)
class Path:
    """One interface of a guest and the hops on its way out."""

    guest: str
    key: str
    hops: tuple[Hop, ...]
    gap: str | None = None
    """Why the way is not known to its end."""

    @property
    def narrowest(self) -> Hop | None:
        """The hop to look at first, if any.

        That of the gravest finding from medium on; else the first of another MTU; else the one that lost most.
        """
        grave = [hop for hop in self.hops if hop.rank <= Severity.MEDIUM.rank]
        if grave:
            return min(grave, key=lambda hop: hop.rank)
        odd = next((hop for hop in self.hops if hop.odd_mtu), None)
        return odd or max((hop for hop in self.hops if hop.lost), key=lambda hop: hop.lost or 0, default=None)


def paths(host: Host, domains: Sequence[Domain], findings: Sequence[Finding]) -> tuple[Path, ...]:
    """The ways of all interfaces, of a running guest as it runs; ``findings`` are put to the hops they are about."""
    return tuple(_path(host, domain, wire, findings) for domain in domains for wire in _wires(domain))


def _wires(domain: Domain) -> tuple[Wire, ...]:
    configuration = domain.live or domain.wanted
    return wires_of(configuration) if configuration.virt_type in ("kvm", "qemu") else ()


def _path(host: Host, domain: Domain, wire: Wire, findings: Sequence[Finding]) -> Path:
    gap = None
    hops = [_guest_hop(domain, wire)]
    try:
        hops += _host_hops(host, wire)
        if len(hops) == 1:
            gap = "it ends in QEMU, which passes its packets on itself" if wire.interface.type == "user" else None
            gap = gap or "its host end is made when the guest starts, or is no NIC of the host"
    except NotSeen as unseen:
        gap = f"the host's NICs were not seen: {unseen.gap.reason}"
    told = [_with_findings(hop, domain, wire, findings) for hop in hops]
    return Path(domain.name, wire.key, tuple(_with_odd_mtu(told)), gap)


def _guest_hop(domain: Domain, wire: Wire) -> Hop:
    one = wire.interface
    vcpus = (domain.live or domain.wanted).vcpus
    queues = f"{one.queues or 1} for {words.plural(vcpus, 'vCPU')}" if wire.virtio else "1, emulated"
    off = [name for name in _GUEST_OFFLOADS if getattr(one, name) is False]
    offloads = ("off: " + ", ".join(off) if off else "all on") if wire.virtio else "none that helps"
    model = one.model or ("a function of the card" if one.type == "hostdev" else "the machine type's default")
    return Hop(GUEST, wire.key, model, one.mtu, queues, offloads, None)


def _host_hops(host: Host, wire: Wire) -> Iterator[Hop]:
    one = wire.interface
    tap = nic_of(host, one.target)
    if one.type == "hostdev":
        yield from (_nic_hop(nic) for nic in host.nics if _has_function(nic, wire))
        return
    if one.type == "direct":
        if tap is not None:
            yield _tap_hop(tap, wire)
        yield from _down(host, nic_of(host, one.lower))
        return
    if one.type not in TAP_TYPES:
        return
    if tap is not None:
        yield _tap_hop(tap, wire)
    bridge = nic_of(host, one.bridge or (tap.master if tap is not None else None))
    if bridge is not None:
        yield _bridge_hop(bridge)
        for uplink in uplinks(bridge, host):
            yield from _down(host, uplink)


def _down(host: Host, nic: Nic | None) -> Iterator[Hop]:
    """A NIC and those that it stands on."""
    if nic is not None:
        yield _nic_hop(nic)
        for name in beneath(nic):
            yield from _down(host, nic_of(host, name))


def _tap_hop(nic: Nic, wire: Wire) -> Hop:
    carried = "QEMU moves its packets" if wire.interface.driver == "qemu" else "vhost-net moves its packets"
    if not wire.virtio:
        carried = "QEMU moves its packets"
    does = carried if wire.interface.type != "direct" else f"macvtap, {wire.interface.mode or 'vepa'}; {carried}"
    queues = words.or_gap(lambda: str(nic.rx_queues) if nic.rx_queues is not None else "not told")
    header = nic.tap.vnet_hdr if nic.tap is not None else None
    offloads = {True: "passed on", False: "lost here: no virtio header", None: "not told"}[header]
    return Hop(TAP, nic.name, does, nic.mtu, queues, offloads, nic.counters.tx_dropped)


def _bridge_hop(nic: Nic) -> Hop:
    if nic.bridge is None:
        return Hop(BRIDGE, nic.name, "Open vSwitch" if nic.kind == "openvswitch" else nic.kind, nic.mtu, "–", "–", None)
    delay = nic.bridge.forward_delay_cs / 100
    does = f"Linux bridge, STP on: {2 * delay:.0f} s until a new port forwards" if nic.bridge.stp else "Linux bridge"
    return Hop(BRIDGE, nic.name, does, nic.mtu, "–", "–", nic.counters.rx_dropped)


def _nic_hop(nic: Nic) -> Hop:
    speed = "no link" if nic.speed_mbit is None else f"{nic.speed_mbit / 1000:g} Gbit/s"
    node = "" if nic.numa_node is None or nic.numa_node < 0 else f", on node {nic.numa_node}"
    rings = words.or_gap(lambda: _rings(nic))
    queues = words.or_gap(lambda: _channels(nic))
    offloads = words.or_gap(lambda: _offloads(nic))
    lost = (nic.counters.rx_missed_errors or 0) + (nic.counters.rx_fifo_errors or 0)
    return Hop(NIC, nic.name, f"{nic.driver or nic.kind}, {speed}{node}{rings}", nic.mtu, queues, offloads, lost)


def _rings(nic: Nic) -> str:
    found = nic.ethtool.rings
    return "" if found is None else f", receive ring {found.rx} of {found.rx_max}"


def _channels(nic: Nic) -> str:
    found = nic.ethtool.channels
    return "not told" if found is None else f"{found.combined or found.rx} of {found.combined_max or found.rx_max}"


def _offloads(nic: Nic) -> str:
    states = [(name, nic.ethtool.offload(word)) for name, word in _OFFLOADS]
    on = [name for name, state in states if state]
    off = [name for name, state in states if state is False]
    return "; ".join(part for part in (" ".join(on), f"off: {' '.join(off)}" if off else "") if part) or "not told"


def _has_function(nic: Nic, wire: Wire) -> bool:
    """Whether the card has the function that the guest was given."""
    one = wire.interface
    if one.pci_bus is None or nic.sriov is None:
        return False
    address = f"{one.pci_domain or 0:04x}:{one.pci_bus:02x}:{one.pci_slot or 0:02x}.{one.pci_function or 0:x}"
    return any(vf.address == address for vf in nic.sriov.vfs)


def _with_findings(hop: Hop, domain: Domain, wire: Wire, findings: Sequence[Finding]) -> Hop:
    """The hop with what was found on it, gravest first as the audit has it."""
    own = f"domain/{percent_encode(domain.name)}/interface/"
    keys = {percent_encode(key) for key in (wire.key, wire.interface.mac or "", wire.interface.target or "") if key}
    return replace(hop, findings=tuple(one for one in findings if _is_about(one, hop, own, keys)))


def _is_about(finding: Finding, hop: Hop, own: str, keys: Iterable[str]) -> bool:
    if finding.subject.startswith(own) and finding.subject.removeprefix(own) in keys:
        return hop.kind == (TAP if finding.id in _OF_TAP else GUEST) and finding.id != "net.mtu"
    return hop.kind in (BRIDGE, NIC) and subject(finding.subject) == f"this host, nic, {hop.name}"


def _with_odd_mtu(hops: Sequence[Hop]) -> Iterator[Hop]:
    """The hops, those marked whose MTU is not that of the nearest one before that tells its own."""
    before: int | None = None
    for hop in hops:
        yield replace(hop, odd_mtu=before is not None and hop.mtu is not None and hop.mtu != before)
        before = hop.mtu if hop.mtu is not None else before
