"""Spanning tree adds no latency to packets.

What is said
    Switch spanning tree off on bridges, since it adds latency.

What is true
    It delays a port that comes up, by twice the forward delay, and nothing afterwards: packets pass as fast with
    it as without. A shorter forward delay (2 seconds is the least) or RSTP answers the wait. Off on a bridge with
    two ways out, one loop takes the whole network down.

Where it comes from
    Guests that got no DHCP answer in their first 30 seconds: true, but a wait at the start and no latency.

When it holds
    On a bridge with one way out and no guest that bridges on, spanning tree has nothing to guard and may be off.

Look by hand
    ``ip -d link show BRIDGE``; ``bridge link``.

Sources
    * Linux documentation, Ethernet Bridging
    * libvirt, Network XML format (stp, delay)
"""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.advise.finding import Seen
from kvmnb.advise.folklore import Myth
from kvmnb.advise.net.wires import bridges_of_guests, uplinks
from kvmnb.advise.view import View
from kvmnb.tunable.spelling import percent_encode

MYTH = Myth("myth.stp")


@MYTH.host
def check(view: View) -> Iterator[Seen]:
    """A finding for each bridge of guests with several ways out and spanning tree off."""
    for nic in bridges_of_guests(view):
        out = [port.name for port in uplinks(nic, view.host)]
        if nic.bridge is not None and not nic.bridge.stp and len(out) > 1:
            yield MYTH.sign(
                f"spanning tree is off on {nic.name} (/sys/class/net/{nic.name}/bridge/stp_state), which has "
                f"{len(out)} ways out: {', '.join(out)}",
                "See that they cannot meet in a loop; net.bridge.stp says how to switch it on with a short delay.",
                subject=f"nic/{percent_encode(nic.name)}",
            )
