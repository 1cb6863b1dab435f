"""Automatic NUMA balancing does not fit how the guests are placed.

What is seen
    On a host with memory on several nodes: ``kernel.numa_balancing`` is on while every running guest is bound, by
    numatune and by its CPU masks; or it is off while a running guest may run on several nodes and its memory is
    bound to none, unless numa.fit wants it bound. The configuration alone shows it. Without running guests there is
    nothing to judge.

Why it hurts
    To learn who uses what, the kernel takes mappings away again and again, and a vCPU pays for each with a fault.
    For bound guests that is all it does. For guests that roam it is what brings memory and vCPUs together again;
    without it memory stays on the node that first had it.

What to do
    Follow the placement: 0 where all are bound, 1 where some roam (or bind those, see numa.fit and numa.strict). To
    last: a line ``kernel.numa_balancing = 0`` in ``/etc/sysctl.d/99-local.conf``, or ``numa_balancing=`` on the
    kernel's command line. A pool of hugepages is not moved by it in any useful way.

Leave it when
    Bound and roaming guests share the host and the bound ones matter more, or numad places the guests.

Cost
    Works at once, needs no restart, lasts until the next boot. Switched on it makes single accesses slower now and
    then. Durability: none. Migration: none. Security: none.

Look by hand
    ``sysctl kernel.numa_balancing``; ``virsh numatune GUEST``; ``virsh vcpuinfo GUEST``

Measure it
    numa_hint_faults and numa_pages_migrated in ``/proc/vmstat`` twice, a minute apart.

Sources
    * Linux documentation, sysctl kernel (numa_balancing)
    * TuneD, profile network-latency
"""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.advise.finding import Effect, Seen, Severity
from kvmnb.advise.intent import Goal
from kvmnb.advise.mem.backing import names_of, owner_note, running
from kvmnb.advise.numa.bound import is_bound, nodes_to_come, roams
from kvmnb.advise.rule import Rule
from kvmnb.advise.view import View
from kvmnb.tunable.sysctl import Sysctl
from kvmnb.tunable.tunable import Want

RULE = Rule(
    id="numa.balancing",
    severity=Severity.MEDIUM,
    goals=(Goal.LATENCY, Goal.THROUGHPUT, Goal.BALANCED),
    basis="documented",
    effect=Effect.MODERATE,
    effect_basis="documented: no more periodic faults, or no more memory far away",
)

_KEY = "kernel.numa_balancing"


@RULE.host
def check(view: View) -> Iterator[Seen]:
    """A finding where balancing is on for nobody, or off for somebody."""
    host = view.host
    value = host.kernel.sysctl(_KEY)
    nodes = [node.id for node in host.numa_nodes if node.memory_bytes]
    if value is None or len(nodes) < 2:
        return
    guests = list(running(view))
    if not guests:
        return
    roaming = [domain for domain, layer in guests if roams(layer, host)]
    if value != "0" and all(is_bound(layer, host) for _, layer in guests):
        yield _seen(view, f"{_KEY} is {value}, and all {len(guests)} running guests are bound to nodes", "0")
        return
    left = [domain for domain in roaming if nodes_to_come(domain, view) is None] if value == "0" else []
    if left:
        saw = f"{_KEY} is 0, and these running guests may use all {len(nodes)} nodes: {names_of(left)}"
        yield _seen(view, saw, "1")


def _seen(view: View, saw: str, value: str) -> Seen:
    return Seen(
        saw=f"{saw} (/proc/sys/kernel/numa_balancing, live XML: numatune, cputune)",
        wants=(Want(Sysctl(_KEY), value),),
        note=owner_note(view, "tuned", _KEY),
        subject="numa_balancing",
    )
