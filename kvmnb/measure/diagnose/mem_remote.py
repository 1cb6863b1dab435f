"""Busy vCPUs have their memory on another NUMA node.

What is seen
    ``kvm_guest_node_memory_bytes`` against the nodes on which the vCPUs run, by run time.

What it means
    Each access crosses the link between nodes: slow but steady, no steal, no faults.

What answers it
    ``numa.fit``, ``numa.strict``, ``numa.placement_actual``.

What would refute it
    The vCPUs moved within the window only, or the guest has cells whose vCPUs use the memory of their own.

Sources
    * Linux, Documentation/admin-guide/numastat.rst
"""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.advise.finding import Severity
from kvmnb.measure.diagnose.pattern import Pattern, Sign, threshold
from kvmnb.measure.diagnose.signals import Signals
from kvmnb.measure.metrics.guest_memory import GUEST_NODE_MEMORY
from kvmnb.measure.metrics.vcpu import VCPU_LAST_NODE, VCPU_RUN

REMOTE = threshold(
    "diag.mem.remote.share", 0.1, "of the memory", "memory on nodes where no vCPU of the guest runs", most=1.0
)
BUSY = threshold("diag.mem.remote.busy", 0.2, "s/s", "run time of all vCPUs below which it does not matter")

PATTERN = Pattern("diag.mem.remote", Severity.MEDIUM, ("numa.fit", "numa.strict", "numa.placement_actual"))


@PATTERN.guest
def check(signals: Signals, guest: str) -> Iterator[Sign]:
    """The sign in one guest."""
    memory = {str(node): span.mean for node, span in signals.parts(GUEST_NODE_MEMORY, guest).items()}
    nodes = signals.parts(VCPU_LAST_NODE, guest)
    ran = {number: span.mean for number, span in signals.parts(VCPU_RUN, guest).items()}
    homes = {
        str(round(value))
        for number, span in nodes.items()
        if ran.get(number, 0) > 0
        for value in (span.mean, span.most)
    }
    total = sum(memory.values())
    away = {node: held for node, held in memory.items() if node not in homes}
    if total > 0 and sum(away.values()) / total > REMOTE.default and sum(ran.values()) >= BUSY.default:
        yield Sign(
            saw=f"{sum(away.values()) / total:.0%} of its memory is on NUMA node {', '.join(sorted(away))} "
            f"({REMOTE.default:.0%} is much), and its vCPUs run on {', '.join(sorted(homes))}"
        )
