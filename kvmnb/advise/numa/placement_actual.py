"""The memory of a running guest lies on other nodes than its vCPUs.

What is seen
    Of a running guest with 1 GiB or more in use, over a tenth of its pages lie outside the nodes that its vCPUs are
    held to; over three tenths is grave. Where the vCPUs may run anywhere, the nodes that ``numatune`` names count; a
    guest that nothing holds has no wrong node. Read from the kernel, not from the configuration.

Why it hurts
    A policy only rules where memory is taken from. It does not move what was there before: memory of a restored
    image, of a start without the policy, of hugepages that one node lacked, or of an old place of the vCPUs stays, and
    every access to it crosses between the nodes.

What to do
    Shut the guest down and start it under ``numatune`` mode ``strict`` (numa.strict). Under mode ``restrictive`` a
    node set that is given live moves the memory now. Or let the kernel move it: ``kernel.numa_balancing`` 1 for some
    minutes.

Leave it when
    The guest is larger than a node, or memory was spread on purpose for bandwidth.

Cost
    A restart, or a burst of moved pages, in which the guest waits at each. Durability: none. Migration: none.
    Security: none.

Look by hand
    ``numastat -p PID``; ``/proc/PID/numa_maps``; ``virsh numatune GUEST``; ``virsh vcpupin GUEST``.

Measure it
    The share of far pages before and after, and a memory bandwidth test in the guest.

Sources
    * Red Hat, Virtualization Tuning and Optimization Guide (numastat on a QEMU process)
    * Linux documentation, admin-guide/mm/numa_memory_policy
    * Linux documentation, admin-guide/numastat
    * libvirt API, virDomainSetNumaParameters (restrictive alone moves memory live)
"""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.advise.cpu.reach import mask_of
from kvmnb.advise.finding import Effect, Safety, Seen, Severity
from kvmnb.advise.intent import Goal
from kvmnb.advise.numa.bound import memory_nodes
from kvmnb.advise.rule import Rule
from kvmnb.advise.threshold import Threshold
from kvmnb.advise.view import View
from kvmnb.core.cpuset import CpuSet
from kvmnb.core.units import GIB, format_bytes
from kvmnb.facts.domain import Configuration, Domain
from kvmnb.tunable.spelling import shell_word

RULE = Rule(
    id="numa.placement_actual",
    severity=Severity.HIGH,
    goals=(Goal.LATENCY, Goal.THROUGHPUT),
    basis="heuristic",
    effect=Effect.MODERATE,
    effect_basis="documented: up to the ratio of far to near latency (SLIT, often 21 to 10)",
    asks=("memory",),
)

SMALLEST = Threshold(
    name="numa.placement_actual.least",
    default=GIB,
    unit="bytes",
    least=0,
    most=2**50,
    meaning="of less, QEMU's own tens of MiB on any node would be taken for the guest's",
)
FAR_PART = Threshold(
    name="numa.placement_actual.far",
    default=10.0,
    unit="%",
    least=0.0,
    most=100.0,
    meaning="a larger part of the memory on far nodes is worth a word",
)
GRAVE_PART = Threshold(
    name="numa.placement_actual.grave",
    default=30.0,
    unit="%",
    least=0.0,
    most=100.0,
    meaning="a larger part of the memory on far nodes is grave",
)


@RULE.domain
def check(domain: Domain, view: View) -> Iterator[Seen]:
    """A finding where too much of what runs lies on far nodes."""
    nodes = [node.id for node in view.host.numa_nodes if node.memory_bytes]
    if not domain.running or len(nodes) < 2:
        return
    runs = domain.live if domain.live is not None else domain.wanted
    home, by = _home(runs, view)
    if home is None or CpuSet(nodes).issubset(home):
        return
    lies = {one.node: one.bytes for one in domain.placed.nodes}
    total = sum(lies.values())
    far = sum(size for node, size in lies.items() if node not in home)
    if total < view.value(SMALLEST) or far * 100 <= view.value(FAR_PART) * total:
        return
    spread = ", ".join(f"node {node} {format_bytes(size)}" for node, size in sorted(lies.items()))
    yield Seen(
        saw=f"{far / total:.0%} of the guest's memory lies off node {home}, to which {by} ({spread}; "
        "/proc/PID/numa_maps)",
        severity=Severity.HIGH if far * 100 > view.value(GRAVE_PART) * total else Severity.MEDIUM,
        safety=Safety.MANUAL,
        by_hand=_by_hand(domain, runs, home),
        note="which of it the guest uses is not seen",
    )


def _home(runs: Configuration, view: View) -> tuple[CpuSet | None, str]:
    """The nodes that the memory belongs on, and what says so."""
    mask = mask_of(runs)
    if mask is not None:
        home = view.host.nodes_of(mask)
        if home and len(home) < len(view.host.numa_nodes):
            return home, f"its vCPUs are held (CPUs {mask}, live XML)"
    return memory_nodes(runs), "numatune holds it (live XML)"


def _by_hand(domain: Domain, runs: Configuration, home: CpuSet) -> tuple[str, ...]:
    name = shell_word(domain.name)
    if runs.numatune is not None and runs.numatune.mode == "restrictive":
        return (f"virsh numatune {name} --nodeset {home} --live  # moves its memory now",)
    return (
        f"virsh numatune {name}  # is it strict, with node {home}? see numa.strict",
        f"virsh shutdown {name}, then virsh start {name}  # memory is taken anew",
        "sysctl kernel.numa_balancing=1  # for some minutes, where it may not stop: the kernel moves what is used",
    )
