"""A CPU's queue of received packets overflows, or its share of work is cut off.

What is seen
    ``/proc/net/softnet_stat`` of each CPU: column 2 (dropped) grows, or column 3 (time_squeeze) grows by more than
    100 a second. Both are rates and need a window. Where both columns are zero since boot there is nothing, and
    that is said.

Why it hurts
    Packets of bridges, taps and veths, and those that RPS hands over, wait in a queue for each CPU; when it is full
    they are lost. A squeeze means that a CPU stopped with packets left because its budget was spent; now and then
    that is normal.

What to do
    Spread the interrupts and queues first. Then ``net.core.netdev_max_backlog`` 5000 to 10000 against drops;
    ``netdev_budget`` 600 and ``netdev_budget_usecs`` 8000 against squeezes. Lasting: a file in ``/etc/sysctl.d``.

Leave it when
    Latency is the goal, or the counters stand still: a number since boot proves nothing.

Cost
    Works at once. Durability, migration, security: none. Packets may wait longer, and other work on that CPU too.

Look by hand
    ``cat /proc/net/softnet_stat`` (hexadecimal, one line for each CPU); ``sysctl net.core.netdev_max_backlog``.

Measure it
    The two columns over a minute of load, before and after.

Sources
    * Linux documentation, /proc/sys/net/ (netdev_max_backlog, netdev_budget)
    * Linux documentation, Scaling in the Linux Networking Stack
"""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.advise.finding import Effect, Seen, Severity
from kvmnb.advise.intent import Goal
from kvmnb.advise.load import no_window
from kvmnb.advise.rule import Rule
from kvmnb.advise.view import View

RULE = Rule(
    id="net.sysctl.backlog",
    severity=Severity.MEDIUM,
    goals=(Goal.THROUGHPUT,),
    basis="heuristic",
    effect=Effect.SMALL,
    effect_basis="heuristic: bursts are no longer dropped",
)


@RULE.host
def check(view: View) -> Iterator[Seen]:
    """Nothing where no CPU ever lost or left packets; not checked where only a rate could tell."""
    if any(cpu.dropped for cpu in view.host.softnet):
        raise no_window("dropped packets of /proc/net/softnet_stat")
    if any(cpu.time_squeeze for cpu in view.host.softnet):
        raise no_window("time_squeeze of /proc/net/softnet_stat")
    yield from ()
