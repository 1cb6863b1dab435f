"""The host's socket buffers do nothing for bridged guests.

What is said
    Raise net.core.rmem_max, wmem_max and tcp_mem on the host, and guests get more throughput.

What is true
    A bridged guest's TCP ends in the guest: its packets pass the host as frames and never meet a socket there. On
    any host TCP sizes its own buffers up to tcp_rmem and tcp_wmem; rmem_max bounds only what a program asks for
    by itself, and tcp_mem counts pages and is worked out at boot. Recipes with numbers of long ago often make
    today's defaults smaller.

Where it comes from
    Guides for web and file servers, which end their connections themselves, copied to hypervisors.

When it holds
    For the host's own long and fast paths: migration, backups, NFS, Ceph. And inside the guest, for the guest's.

Look by hand
    ``sysctl net.core.rmem_max net.ipv4.tcp_rmem``; ``grep -r rmem /etc/sysctl.d``.

Sources
    * Linux documentation, networking/ip-sysctl (tcp_rmem, tcp_mem)
    * Linux documentation, admin-guide/sysctl/net
"""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.advise.finding import Seen
from kvmnb.advise.folklore import Myth
from kvmnb.advise.net.wires import bridges_of_guests
from kvmnb.advise.view import View

MYTH = Myth("myth.socket_buffers")

_BOUNDS = ("net.core.rmem_max", "net.core.wmem_max")


@MYTH.host
def check(view: View) -> Iterator[Seen]:
    """A finding where a file sets the bounds on a host of bridged guests."""
    settings = {one.key: one for one in view.host.kernel.sysctls}
    found = [settings[key] for key in _BOUNDS if key in settings and settings[key].set_by is not None]
    if found and any(bridges_of_guests(view)):
        yield MYTH.sign(
            ", ".join(f"/{one.set_by} sets {one.key} to {one.value}" for one in found) + "; guests are on bridges",
            "Keep it if programs of the host need it; bridged guests are served by their own settings.",
            subject="sysctl/net.core.rmem_max",
        )
