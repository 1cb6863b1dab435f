"""Large receive offload is for end hosts, not for bridges.

What is said
    Switch LRO on for all NICs: it joins packets and saves CPU time.

What is true
    LRO forgets how the packets were cut that it joins, so they cannot be passed on as they came. On ports of a
    bridge or of Open vSwitch, below macvtap and where IP is routed, guests then see stalls and broken path MTU
    discovery. The kernel switches it off itself when a NIC joins a bridge. GRO joins packets without that loss
    and is on by default.

Where it comes from
    Tuning guides for servers that end their TCP connections themselves, where it does save CPU time.

When it holds
    On a NIC whose traffic ends in the host itself, such as one for storage or migration alone.

Look by hand
    ``ethtool -k NIC | grep large-receive``; ``bridge link``.

Sources
    * Linux source, net/bridge/br_if.c (dev_disable_lro)
    * Linux documentation, Segmentation Offloads
    * Open vSwitch, disable LRO on ports
"""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.advise.finding import Seen
from kvmnb.advise.folklore import Myth
from kvmnb.advise.net import offload_lro_bridge
from kvmnb.advise.view import View

MYTH = Myth("myth.lro")


@MYTH.host
def check(view: View) -> Iterator[Seen]:
    """A finding for each NIC with LRO on whose packets go on to somebody else."""
    for seen in offload_lro_bridge.check(view):
        yield MYTH.sign(seen.saw, "net.offload.lro_bridge says how to switch it off.", subject=seen.subject)
