"""A full node is reclaimed before free memory of other nodes is used.

What is seen
    ``vm.zone_reclaim_mode`` is not 0, the host has memory on several nodes, and some running guest is not bound to
    nodes by numatune and by its CPU masks. The configuration alone shows it.

Why it hurts
    A node that runs full drops page cache, or swaps, although another node has memory free. A guest that is allowed
    to take memory there waits for nothing.

What to do
    Set it to 0, which is the kernel's default. To last: ``vm.zone_reclaim_mode = 0`` in
    ``/etc/sysctl.d/99-local.conf``, and look for the file that sets it now.

Leave it when
    Every guest is bound to its nodes, so that near memory is all it may have.

Cost
    Works at once, needs no restart, lasts until the next boot. Memory may come from a far node rather than late.
    Durability: none. Migration: none. Security: none.

Look by hand
    ``sysctl vm.zone_reclaim_mode``

Measure it
    zone_reclaim_failed, allocstall and pswpout in ``/proc/vmstat``, before and after.

Sources
    * Linux documentation, sysctl vm (zone_reclaim_mode; 0 by default since Linux 3.16)
"""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.advise.finding import Effect, Seen, Severity
from kvmnb.advise.intent import Goal
from kvmnb.advise.mem.backing import names_of, running
from kvmnb.advise.numa.bound import is_bound
from kvmnb.advise.rule import Rule
from kvmnb.advise.view import View
from kvmnb.tunable.sysctl import Sysctl
from kvmnb.tunable.tunable import Want

RULE = Rule(
    id="numa.zone_reclaim",
    severity=Severity.HIGH,
    goals=(Goal.THROUGHPUT, Goal.BALANCED),
    basis="documented",
    effect=Effect.MODERATE,
    effect_basis="documented: it ends reclaim and swapping beside free memory",
)

_KEY = "vm.zone_reclaim_mode"


@RULE.host
def check(view: View) -> Iterator[Seen]:
    """A finding where near memory is reclaimed although guests may have far memory."""
    host = view.host
    value = host.kernel.sysctl(_KEY)
    nodes = [node.id for node in host.numa_nodes if node.memory_bytes]
    if value in (None, "0") or len(nodes) < 2:
        return
    free = [domain for domain, layer in running(view) if not is_bound(layer, host)]
    if not free:
        return
    setters = [one.set_by for one in host.kernel.sysctls if one.key == _KEY and one.set_by is not None]
    yield Seen(
        saw=f"{_KEY} is {value} on a host of {len(nodes)} nodes, and these running guests are not bound to nodes: "
        f"{names_of(free)} (/proc/sys/vm/zone_reclaim_mode, live XML: numatune, cputune)",
        wants=(Want(Sysctl(_KEY), "0"),),
        note=f"/{setters[0]} sets it at each boot: change it there too" if setters else None,
        subject="zone_reclaim_mode",
    )
