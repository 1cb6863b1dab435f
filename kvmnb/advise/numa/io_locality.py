"""The guest runs far from a device that it uses.

What is seen
    All vCPUs are held to some nodes, and a PCI device of the host that the guest has, or the network card or disk
    behind one of its own, is plugged into another node. For a device of the host's the configuration shows it; for
    the others it depends on how much goes through them, which takes a window, so these are only information.

Why it hurts
    What the device reads and writes crosses the link between the sockets, and so do its interrupts.

What to do
    Pin the guest, its iothreads and its memory to the device's node, or give it a device of its own node. A guest on
    several nodes learns where its device is from a ``pcie-expander-bus`` with ``target/node``.

Leave it when
    Little goes through the device, or the guest's memory matters more than the device.

Cost
    Pins change live, the memory's place at the next start. Durability: none. Migration: a host that it migrates to
    needs the same nodes. Security: none.

Look by hand
    ``cat /sys/class/net/NIC/device/numa_node``; ``cat /sys/block/DISK/device/numa_node``; ``virsh vcpupin GUEST``.

Measure it
    What goes through the device in ``virsh domstats --interface --block GUEST``, beside the link's speed: from 30 %
    on it is felt.

Sources
    * Red Hat documentation, Virtualization Tuning and Optimization Guide (NUMA locality of devices)
    * libvirt, Domain XML format, Controllers (pcie-expander-bus)
"""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.advise.cpu.ground import ground
from kvmnb.advise.cpu.pins import pins_by_hand
from kvmnb.advise.cpu.reach import mask_of
from kvmnb.advise.finding import Effect, Safety, Seen, Severity, Sure
from kvmnb.advise.intent import Goal
from kvmnb.advise.rule import Rule
from kvmnb.advise.view import View
from kvmnb.facts.device import Disk, Hostdev, Interface
from kvmnb.facts.domain import Domain
from kvmnb.facts.gap import Gap, NotSeen
from kvmnb.facts.host import Host

RULE = Rule(
    id="numa.io_locality",
    severity=Severity.MEDIUM,
    goals=(Goal.LATENCY, Goal.THROUGHPUT),
    basis="documented",
    effect=Effect.SMALL,
    effect_basis="heuristic: depends on the packets and requests per second",
)


@RULE.domain
def check(domain: Domain, view: View) -> Iterator[Seen]:
    """One finding for devices of the host's, one for those behind the guest's own."""
    wanted, here = domain.wanted, ground(view)
    reach = mask_of(wanted)
    if reach is None or len(here.cpu_nodes) < 2:
        return
    nodes = here.nodes(reach)
    if not nodes:
        return
    devices = wanted.devices
    given = [one for one in devices.hostdevs if one.type == "pci"]
    cards = [one for one in devices.interfaces if one.type == "hostdev"]
    own = [(f"the host's PCI device {name}", _pci_node(view.host, name)) for name in _addresses(given, cards)]
    behind = [
        *(_behind_card(view.host, one) for one in devices.interfaces if one.type in ("bridge", "direct")),
        *(found for one in devices.disks for found in _behind_disk(view, one)),
    ]
    for seen, measured in ((own, True), (behind, False)):
        far = [
            f"{name} is on node {node}" for name, node in seen if node is not None and node >= 0 and node not in nodes
        ]
        if not far:
            continue
        yield Seen(
            saw=f"the vCPUs are held to node {nodes} (persistent XML: cputune/vcpupin, vcpu/@cpuset), and "
            f"{'; '.join(dict.fromkeys(far))} (/sys: numa_node)",
            severity=None if measured else Severity.INFO,
            sure=Sure.CERTAIN if measured else Sure.LIKELY,
            safety=Safety.MANUAL,
            by_hand=pins_by_hand(domain),
            note=None if measured else "load not measured: how much goes through them was not seen",
            subject="hostdev" if measured else "devices",
        )


def _addresses(given: list[Hostdev], cards: list[Interface]) -> Iterator[str]:
    for one in given:
        yield _address(one.domain, one.bus, one.slot, one.function)
    for card in cards:
        if card.pci_bus is not None:
            yield _address(card.pci_domain, card.pci_bus, card.pci_slot, card.pci_function)


def _address(domain: int | None, bus: int | None, slot: int | None, function: int | None) -> str:
    return f"{domain or 0:04x}:{bus or 0:02x}:{slot or 0:02x}.{function or 0:x}"


def _pci_node(host: Host, address: str) -> int | None:
    """The node of a PCI device, where one of the host's network cards or their virtual functions tells it."""
    for nic in host.nics:
        if nic.address == address or (nic.sriov is not None and any(vf.address == address for vf in nic.sriov.vfs)):
            return nic.numa_node
    raise NotSeen(Gap("host.nics", f"no network card tells the node of the PCI device {address}"))


def _behind_card(host: Host, one: Interface) -> tuple[str, int | None]:
    """The first card of the host with a device of its own below a bridge or a macvtap."""
    by_name = {nic.name: nic for nic in host.nics}
    name = one.bridge or one.lower
    pending = [name] if name is not None else []
    for below in pending:
        nic = by_name.get(below)
        if nic is None:
            continue
        if nic.numa_node is not None:
            return f"network card {nic.name}", nic.numa_node
        ports = [
            port.name for port in host.nics if port.master == nic.name and port.kind in ("physical", "bond", "vlan")
        ]
        pending += [each for each in (*ports, *nic.lower) if each not in pending]
    return "", None


def _behind_disk(view: View, one: Disk) -> Iterator[tuple[str, int | None]]:
    path = one.block or one.file
    if path is None:
        return
    for disk in view.location_of(path).disks:
        yield f"disk {disk.name}", disk.numa_node
