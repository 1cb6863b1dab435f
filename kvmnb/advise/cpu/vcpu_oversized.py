"""The guest has more vCPUs than a node, or the whole host, has CPUs.

What is seen
    The guest starts with more vCPUs than the host has online CPUs; or with more than its largest NUMA node has,
    while the guest is told of no NUMA cells. A third sign, vCPUs that stay idle for a day, needs a long recording
    and is not judged here.

Why it hurts
    With more vCPUs than CPUs, vCPUs of this guest wait for each other: one that holds a lock is put aside
    while others spin for it. A guest that spans nodes without knowing takes far memory for near.

What to do
    Lower the number of vCPUs to what the guest uses, or, where it needs them all, tell it of NUMA cells, one for
    each node that it spans.

Leave it when
    The guest is a test of just this, or it runs on several nodes with memory interleaved on purpose.

Cost
    A running guest gives vCPUs back only with its own help; the maximum changes at its next start. Cells
    are a change that the guest sees. Durability: none. Migration: a change of the maximum or of cells makes it
    another machine. Security: none. Licences may count vCPUs.

Look by hand
    ``virsh vcpucount GUEST`` beside ``lscpu`` (CPU(s), NUMA node CPU(s)).

Measure it
    ``vcpu.N.time`` and ``vcpu.N.delay`` in ``virsh domstats --vcpu`` over a working day.

Sources
    * libvirt, Domain XML format, CPU Allocation
    * Red Hat, Configuring and managing Linux virtual machines (RHEL 10), optimizing vCPUs
"""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.advise.cpu.ground import ground
from kvmnb.advise.finding import Effect, Safety, Seen, Severity
from kvmnb.advise.rule import ALL_GOALS, Rule
from kvmnb.advise.view import View
from kvmnb.facts.domain import Domain
from kvmnb.tunable.spelling import shell_word

RULE = Rule(
    id="cpu.vcpu.oversized",
    severity=Severity.MEDIUM,
    goals=ALL_GOALS,
    basis="heuristic",
    effect=Effect.SMALL,
    effect_basis="heuristic: room for other guests, and less work to keep idle vCPUs",
)


@RULE.domain
def check(domain: Domain, view: View) -> Iterator[Seen]:
    """A finding where the vCPUs exceed the host's CPUs, or a node's without cells."""
    wanted = domain.wanted
    here = ground(view)
    count = wanted.vcpus_current
    largest = max((len(cpus) for cpus in here.cpu_nodes.values()), default=0)
    cells = len(wanted.cpu.cells) if wanted.cpu is not None else 0
    name = shell_word(domain.name)
    if count > len(here.online):
        yield Seen(
            saw=f"{count} vCPUs (persistent XML, vcpu) on a host with {len(here.online)} online CPUs "
            "(/sys/devices/system/cpu/online)",
            severity=Severity.HIGH,
            safety=Safety.MANUAL,
            by_hand=(
                f"Decide how many vCPUs the guest needs, at most {len(here.online)}, then set them for its next start:",
                f"virsh setvcpus {name} COUNT --config",
            ),
        )
    elif count > largest > 0 and len(here.cpu_nodes) > 1 and cells == 0:
        yield Seen(
            saw=f"{count} vCPUs (persistent XML, vcpu) where the largest node has {largest} CPUs "
            "(/sys/devices/system/node/node*/cpulist), and no cpu/numa tells the guest of nodes",
            safety=Safety.MANUAL,
            by_hand=(
                f"Lower it to {largest} vCPUs or fewer, or give the guest one NUMA cell for each node that it spans:",
                f"virsh setvcpus {name} COUNT --config",
                f"virsh edit {name}  # cpu/numa/cell and numatune/memnode, one for each node",
            ),
        )
