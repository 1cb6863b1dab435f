"""A bridge's spanning tree makes guests wait, or is off where there may be a loop.

What is seen
    A bridge of guests with spanning tree on and a forward delay of more than 2 seconds; or with spanning tree off
    and more than one port out of the host, or a guest with two bridged NICs of which one is on it. The settings
    alone show it. Whether guests boot over the network, or bridge their NICs, is not seen.

Why it hurts
    Spanning tree costs nothing for each packet. It makes a new port wait, twice the forward delay, before it
    forwards: a guest that asks for DHCP or boots by PXE gives up, and after a migration it is deaf for that time.
    "Switch STP off, it adds latency" is wrong advice: off on a bridge with two ways out, one loop takes the LAN down.

What to do
    On a bridge with one way out: a forward delay of 2 seconds (200), the least that the kernel takes with spanning
    tree on, or spanning tree off. With several ways out keep it, better as RSTP (mstpd). Lasting: netplan
    ``parameters: forward-delay``, NetworkManager ``bridge.forward-delay``, or ``delay`` in a libvirt network.

Leave it when
    The bridge is part of a larger spanning tree whose delays somebody chose.

Cost
    Works at once. Durability: none. Migration: a migrated guest is reachable sooner. Security: without spanning
    tree a guest with two NICs can close a loop. As root bridge its delay is taken over by the whole tree.

Look by hand
    ``ip -d link show br0``; ``bridge -d link``; ``cat /sys/class/net/br0/bridge/forward_delay``.

Measure it
    The time from a guest's start to its DHCP answer; ``ping`` during a migration.

Sources
    * Linux documentation, Ethernet Bridging (STP)
    * Linux source, net/bridge/br_stp.c (br_set_forward_delay)
    * libvirt, Network XML format (bridge, delay)
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from kvmnb.advise.cpu.pins import layers
from kvmnb.advise.finding import Effect, Safety, Seen, Severity, Sure
from kvmnb.advise.intent import Goal
from kvmnb.advise.net.wires import bridges_of_guests, nic_of, uplinks
from kvmnb.advise.rule import Rule
from kvmnb.advise.view import View
from kvmnb.facts.network import Bridge, Nic
from kvmnb.tunable.spelling import percent_encode, shell_word
from kvmnb.tunable.sysfs import Sysfs
from kvmnb.tunable.tunable import Want

RULE = Rule(
    id="net.bridge.stp",
    severity=Severity.LOW,
    goals=(Goal.BALANCED,),
    basis="documented",
    effect=Effect.SMALL,
    effect_basis="documented: seconds when a port comes up, nothing afterwards",
)

# net/bridge: BR_MIN_FORWARD_DELAY, in hundredths of a second.
LEAST_DELAY = 200
_UNSEEN = "whether guests boot over the network or migrate is not seen"
_TURNABLE = re.compile(r"[A-Za-z0-9_.-]{1,15}")


@RULE.host
def check(view: View) -> Iterator[Seen]:
    """A finding for each bridge of guests that waits long, or that may close a loop."""
    for nic in bridges_of_guests(view):
        if nic.bridge is None:
            continue
        out = [port.name for port in uplinks(nic, view.host)]
        if not nic.bridge.stp:
            yield from _unguarded(nic, out, view)
        elif nic.bridge.forward_delay_cs > LEAST_DELAY:
            yield _waiting(nic, nic.bridge, out)


def _waiting(nic: Nic, bridge: Bridge, out: list[str]) -> Seen:
    saw = (
        f"spanning tree is on with a forward delay of {bridge.forward_delay_cs / 100:g} s "
        f"(/sys/class/net/{nic.name}/bridge), so a guest's port forwards after {bridge.forward_delay_cs / 50:g} s"
    )
    file = f"class/net/{nic.name}/bridge/forward_delay"
    turnable = len(out) < 2 and _TURNABLE.fullmatch(nic.name) is not None
    if not turnable:
        return Seen(
            saw=f"{saw}; it has {len(out)} ways out: {', '.join(out)}",
            severity=Severity.INFO,
            safety=Safety.MANUAL,
            by_hand=(
                "Keep spanning tree here. For a shorter wait let it run as RSTP (mstpd), with guests' ports edge.",
            ),
            sure=Sure.LIKELY,
            note=_UNSEEN,
            subject=f"nic/{percent_encode(nic.name)}",
        )
    return Seen(
        saw=saw,
        wants=(Want(Sysfs(file), str(LEAST_DELAY)),),
        safety=Safety.DISRUPTIVE,
        costs=(
            "as root of a larger spanning tree it gives the short delay to all its bridges, which may loop shortly",
        ),
        sure=Sure.LIKELY,
        note=f"{_UNSEEN}; below another root bridge that one's delay holds",
        subject=f"nic/{percent_encode(nic.name)}",
    )


def _unguarded(nic: Nic, out: list[str], view: View) -> Iterator[Seen]:
    twice = sorted(_guests_with_two(nic, view))
    if len(out) < 2 and not twice:
        return
    why = [f"it has {len(out)} ways out ({', '.join(out)})"] if len(out) > 1 else []
    why += [f"guests have two bridged NICs, one of them on it ({', '.join(twice)})"] if twice else []
    yield Seen(
        saw=f"spanning tree is off on {nic.name} (/sys/class/net/{nic.name}/bridge/stp_state), and {' and '.join(why)}",
        severity=None if len(out) > 1 else Severity.INFO,
        safety=Safety.MANUAL,
        by_hand=(
            "See that no cable and no guest joins two of its ways; else switch it on, with the least delay:",
            f"ip link set dev {shell_word(nic.name)} type bridge stp_state 1 forward_delay {LEAST_DELAY}",
        ),
        sure=Sure.POSSIBLE,
        note="rests on: two ways that meet, outside or in a guest, which is not seen",
        subject=f"nic/{percent_encode(nic.name)}",
    )


def _guests_with_two(bridge: Nic, view: View) -> Iterator[str]:
    for domain in view.domains:
        for _, layer in layers(domain):
            joined = [
                one.bridge or (tap.master if (tap := nic_of(view.host, one.target)) is not None else None)
                for one in layer.devices.interfaces
            ]
            if bridge.name in joined and len([name for name in joined if name]) > 1:
                yield domain.name
                break
