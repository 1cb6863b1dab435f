"""Offloads of a virtio NIC are switched off in the XML.

What is seen
    ``driver/host`` or ``driver/guest`` of a virtio interface has csum, gso, tso4, tso6 or mrg_rxbuf set to off. The
    configuration alone shows it.

Why it hurts
    Offloads are on by default from end to end: a TCP segment of 64 KiB travels through guest, vhost and bridge as
    one. Without them it is some 45 packets, each with its own work and checksum. The switches are mostly copied
    from a way around a bug of long ago (DHCP clients that mind missing UDP checksums).

What to do
    Take the overrides out of the XML; libvirt's defaults then hold. The reason for one that must stay belongs in a
    comment or in the domain's description.

Leave it when
    The guest is a router, firewall or traffic probe that must see packets as they were on the wire, or has a
    network stack that is known to get checksums wrong.

Cost
    The guest has to be shut down and started and is offered other features by its NIC. Durability: none. Migration:
    needs the same XML on both sides. Security: none.

Look by hand
    ``virsh dumpxml GUEST --xpath //interface/driver``; in the guest ``ethtool -k IFACE``.

Measure it
    ``iperf3`` with one TCP flow, and packets a second on the tap, before and after.

Sources
    * libvirt, Domain XML format, Setting NIC driver-specific options (host, guest)
    * Linux documentation, Segmentation Offloads
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from kvmnb.advise.finding import Effect, Seen, Severity
from kvmnb.advise.intent import Goal
from kvmnb.advise.net.wires import changing, wires
from kvmnb.advise.rule import Rule
from kvmnb.advise.view import View
from kvmnb.facts.device import Interface
from kvmnb.facts.domain import Domain

RULE = Rule(
    id="net.offload.guest",
    severity=Severity.HIGH,
    goals=(Goal.THROUGHPUT,),
    basis="documented",
    effect=Effect.LARGE,
    effect_basis="documented: much for streams of TCP",
)

# ecn and ufo alone are harmless: what they need is rare or gone.
_MATTERS = ("csum", "gso", "tso4", "tso6", "mrg_rxbuf")


@RULE.domain
def check(domain: Domain, view: View) -> Iterator[Seen]:
    """A finding for each virtio NIC with an offload switched off."""
    for wire in wires(domain):
        if not wire.virtio:
            continue
        sides = {"host": _host(wire.interface), "guest": _guest(wire.interface)}
        off = [
            f"{side}/@{name}"
            for side, switches in sides.items()
            for name, on in switches.items()
            if on is False and name in _MATTERS
        ]
        if not off:
            continue
        changes: dict[str, str | None] = {}
        for side, switches in sides.items():
            if True in switches.values():
                changes |= {f"driver/{side}/@{name}": None for name, on in switches.items() if on is False}
            elif False in switches.values():
                changes[f"driver/{side}"] = None
        yield changing(
            domain,
            wire,
            f"{wire.key} has {', '.join(off)} off (persistent XML, interface/driver)",
            changes,
            costs=(
                "the guest is offered more offloads, which one that routes or inspects traffic may not bear",
                "a migration needs the same XML on both sides",
            ),
            by_hand=f"take {', '.join(off)} out of the driver of {wire.key!r}",
        )


def _host(one: Interface) -> Mapping[str, bool | None]:
    return {
        "csum": one.host_csum,
        "gso": one.host_gso,
        "tso4": one.host_tso4,
        "tso6": one.host_tso6,
        "ecn": one.host_ecn,
        "ufo": one.host_ufo,
        "mrg_rxbuf": one.host_mrg_rxbuf,
    }


def _guest(one: Interface) -> Mapping[str, bool | None]:
    return {
        "csum": one.guest_csum,
        "tso4": one.guest_tso4,
        "tso6": one.guest_tso6,
        "ecn": one.guest_ecn,
        "ufo": one.guest_ufo,
    }
