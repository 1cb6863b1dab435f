"""A guest that is wider than a node is told of one node alone.

What is seen
    The guest has more vCPUs or more memory than one node of the host has, and it has fewer than two cells, or cells
    whose memory is not bound (``memnode``), or a cell whose vCPUs are pinned to several nodes. The configuration
    alone shows it.

Why it hurts
    The guest's kernel then takes all memory for equally near. It places neither memory nor threads, and much of what
    it does goes to the far node.

What to do
    One cell for each host node that the guest uses, each bound with ``memnode`` to its node (mode strict), the vCPUs
    of the cell pinned to that node, and as many sockets as cells. The cells' memory has to add up to the guest's:
    libvirt gives the guest their sum, whatever ``memory`` says.

Leave it when
    What runs in the guest does not know NUMA and uses little memory, or the guest can be made small enough for a
    node.

Cost
    The guest sees another machine after its next start. Durability: none. Migration: the other host needs the same
    nodes. Memory is then hot-plugged cell by cell. Security: none.

Look by hand
    ``virsh numatune GUEST``; ``virsh dumpxml GUEST | grep -A9 '<numa>'``; ``numactl -H`` on the host and in the guest.

Measure it
    ``numactl -H`` in the guest shows the cells; ``/proc/PID/numa_maps`` shows each bound to its node.

Sources
    * libvirt, Domain XML format, CPU model and topology (numa)
    * libvirt, Domain XML format, NUMA Node Tuning
"""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.advise.cpu.ground import Ground, ground
from kvmnb.advise.finding import Effect, Safety, Seen, Severity
from kvmnb.advise.intent import Goal
from kvmnb.advise.rule import Rule
from kvmnb.advise.view import View
from kvmnb.core.cpuset import union
from kvmnb.core.units import format_bytes
from kvmnb.facts.domain import Configuration, Domain
from kvmnb.tunable.spelling import shell_word

RULE = Rule(
    id="numa.vnuma",
    severity=Severity.HIGH,
    goals=(Goal.THROUGHPUT, Goal.LATENCY),
    basis="documented",
    effect=Effect.LARGE,
    effect_basis="documented: much for databases and Java, which place memory by node",
)


@RULE.domain
def check(domain: Domain, view: View) -> Iterator[Seen]:
    """A finding where a wide guest has no cells, or cells without a place."""
    wanted = domain.wanted
    here = ground(view)
    if len(here.cpu_nodes) < 2:
        return
    most_cpus = max(len(cpus) for cpus in here.cpu_nodes.values())
    most_memory = max(here.memory_of.values(), default=0)
    if wanted.vcpus <= most_cpus and wanted.memory_bytes <= most_memory:
        return
    missing = _missing(wanted, here)
    if missing is None:
        return
    nodes = view.placement.guests[domain.uuid].nodes
    count = len(nodes)
    which = f"nodes {nodes}, of {format_bytes(wanted.memory_bytes // count)} each" if count > 1 else "its host nodes"
    layout = f"one cell for each of {which}, a strict memnode and a socket for each cell"
    yield Seen(
        saw=f"the guest has {wanted.vcpus} vCPUs and {format_bytes(wanted.memory_bytes)} (persistent XML), the largest "
        f"node {most_cpus} CPUs and {format_bytes(most_memory)} (/sys/devices/system/node); {missing}",
        safety=Safety.MANUAL,
        by_hand=(f"virsh edit {shell_word(domain.name)}  # cpu/numa, numatune and cpu/topology: {layout}",),
        note="the guest sees another machine afterwards, so a person decides; with fewer vCPUs or less memory it may "
        "fit one node",
    )


def _missing(wanted: Configuration, here: Ground) -> str | None:
    """What the guest lacks to know its nodes; None where nothing."""
    cells = wanted.cpu.cells if wanted.cpu is not None else ()
    if len(cells) < 2:
        return "it has no cells" if not cells else "it has one cell, which tells it nothing"
    tune = wanted.numatune
    bound = {one.cell for one in tune.cells} if tune is not None else set()
    loose = [str(cell.id) for cell in cells if cell.id not in bound]
    if loose:
        return f"no memnode binds the memory of cell {', '.join(loose)}"
    for cell in cells:
        masks = [cpus for vcpu in cell.cpus if (cpus := wanted.pin_of(vcpu)) is not None]
        if len(nodes := here.nodes(union(masks))) > 1:
            return f"the vCPUs of cell {cell.id} are pinned to nodes {nodes}"
    return None
