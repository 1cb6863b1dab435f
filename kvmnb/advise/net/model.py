"""The guest's NIC imitates a real card.

What is seen
    ``interface/model`` is e1000, e1000e, igb, rtl8139, ne2k_pci, pcnet or vmxnet3, or a PC guest names no model and
    gets such a card by default. The configuration alone shows it. Whether the guest has the virtio driver is
    taken from ``kvmnb.toml`` or libosinfo's metadata: a Linux system has it, anything else needs a person's look.

Why it hurts
    For every packet the guest touches registers of a card that QEMU plays in its own process: exits, one thread,
    no vhost, no queues. A virtio NIC moves several times as many packets. ``queues`` and rings beside such a model
    are dropped without a word.

What to do
    ``model type='virtio'``. MAC and PCI address stay. Where the driver's presence is not proven, first add a second
    NIC of model virtio, see it work in the guest, then change the real one.

Leave it when
    The guest has no virtio driver (old systems, appliances with a support list), boots by a ROM for that card, or
    uses igb to try out SR-IOV.

Cost
    The guest has to be shut down and started and sees another card: its name in the guest may change and settings
    bound to the name, a Windows network profile or a licence with it. If it is then not reachable, its console
    (``virsh console`` or VNC) leads back in. Durability: none. Migration: a migration needs the new XML on both
    sides. Security: none.

Look by hand
    ``virsh domiflist GUEST``; in the guest ``ethtool -i IFACE`` names the driver.

Measure it
    ``iperf3`` with large and with small packets to a neighbour, and QEMU's CPU time meanwhile.

Sources
    * libvirt, Domain XML format, Setting the NIC model
    * libvirt source, src/qemu/qemu_hotplug.c (the model cannot change live)
    * Tested with libvirt 9.0: queues beside e1000 are gone when the XML is read back
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from kvmnb.advise.finding import Effect, Safety, Seen, Severity
from kvmnb.advise.guest_system import virtio_proof
from kvmnb.advise.net.wires import Wire, changing, wires
from kvmnb.advise.rule import ALL_GOALS, Rule
from kvmnb.advise.view import View
from kvmnb.facts.domain import Configuration, Domain
from kvmnb.tunable.spelling import shell_word

RULE = Rule(
    id="net.model",
    severity=Severity.CRITICAL,
    goals=ALL_GOALS,
    basis="documented",
    effect=Effect.LARGE,
    effect_basis="documented: multiples of the packets and bytes per second",
)

# libvirt, Domain XML format: models of real cards that QEMU has.
EMULATED = ("e1000", "e1000e", "igb", "rtl8139", "ne2k_pci", "pcnet", "vmxnet3")
# These have no model of their own, or none but virtio.
_OTHER_TYPES = ("hostdev", "vdpa", "vhostuser")
_PC = re.compile(r"pc(?:-.*)?|q35|pc-q35.*|rhel\d.*")


@RULE.domain
def check(domain: Domain, view: View) -> Iterator[Seen]:
    """A finding for each NIC that QEMU imitates."""
    for wire in wires(domain):
        saw = _emulated(wire, domain.wanted, view)
        if saw is None:
            continue
        proof = virtio_proof(domain, view)
        if proof is None:
            name = shell_word(domain.name)
            yield Seen(
                saw=saw,
                safety=Safety.MANUAL,
                by_hand=(
                    "Add a second NIC of model virtio, and see in the guest that its driver takes it:",
                    f"virsh attach-interface {name} {wire.interface.type} SOURCE --model virtio --config",
                    f"virsh edit {name}  # then <model type='virtio'/> for {shell_word(wire.key)}, the same MAC",
                ),
                note="nothing shows that the guest has virtio drivers; Windows needs them installed first (virtio-win)",
                subject=wire.subject,
            )
            continue
        yield changing(
            domain,
            wire,
            saw,
            {"model/@type": "virtio"},
            costs=(
                "the guest sees another card: its name may change in the guest, and settings bound to it are lost",
                "if the guest is not reachable then, its console (virsh console, VNC) leads back in",
                "a migration needs the new XML on both sides",
            ),
            by_hand=f"<model type='virtio'/> for {wire.key!r}",
            note=f"virtio drivers: {proof}",
        )


def _emulated(wire: Wire, wanted: Configuration, view: View) -> str | None:
    """What shows the imitated card; None where there is none."""
    one = wire.interface
    if one.model in EMULATED:
        dropped = f", beside which queues={one.queues} has no effect" if one.queues is not None else ""
        return f"{wire.key} is an {one.model} (persistent XML, interface/model){dropped}"
    if one.model is None and one.type not in _OTHER_TYPES and _is_pc(wanted, view):
        return f"{wire.key} names no model (persistent XML), so the guest gets a card that QEMU imitates"
    return None


def _is_pc(wanted: Configuration, view: View) -> bool:
    arch = wanted.arch if wanted.arch is not None else view.host.arch
    return arch in ("x86_64", "i686") and (wanted.machine is None or _PC.fullmatch(wanted.machine) is not None)
