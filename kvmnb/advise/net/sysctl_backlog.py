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

from kvmnb.advise.finding import Effect, Safety, Seen, Severity
from kvmnb.advise.intent import Goal
from kvmnb.advise.load import over, rates
from kvmnb.advise.rule import Rule, SeenBy
from kvmnb.advise.threshold import Threshold
from kvmnb.advise.view import View

RULE = Rule(
    id="net.sysctl.backlog",
    severity=Severity.MEDIUM,
    goals=(Goal.THROUGHPUT,),
    basis="heuristic",
    effect=Effect.SMALL,
    seen_by=SeenBy.WINDOW,
    effect_basis="heuristic: bursts are no longer dropped",
)

MANY_SQUEEZES = Threshold(
    name="net.sysctl.backlog.squeezes",
    default=100,
    unit="times/s",
    least=1,
    most=1_000_000_000,
    meaning="a CPU that runs out of its budget more often leaves packets waiting",
)


@RULE.host
def check(view: View) -> Iterator[Seen]:
    """A finding for each counter that grows; not checked where only a rate could tell."""
    if any(cpu.dropped for cpu in view.host.softnet):
        lost = rates(view, "dropped packets of /proc/net/softnet_stat").softnet_dropped_per_second
        if lost > 0:
            yield _raise(view, f"{lost:.1f} packets/s are dropped", "net.core.netdev_max_backlog", "backlog")
    if any(cpu.time_squeeze for cpu in view.host.softnet):
        most = rates(view, "time_squeeze of /proc/net/softnet_stat").softnet_most_squeezed_per_second
        if most > view.value(MANY_SQUEEZES):
            yield _raise(view, f"one CPU runs out of its budget {most:.0f} times/s", "net.core.netdev_budget", "budget")


def _raise(view: View, what: str, key: str, subject: str) -> Seen:
    now = view.host.kernel.sysctl(key)
    value = str(2 * int(now)) if now is not None and now.isdecimal() else "VALUE"
    return Seen(
        saw=f"{what} {over(view)} (/proc/net/softnet_stat); {key} is {now or 'not known'}",
        safety=Safety.MANUAL,
        by_hand=(f"sysctl -w {key}={value}  # and into /etc/sysctl.d, if the counter then stands still",),
        subject=subject,
    )
