"""The table of tracked connections is nearly full.

What is seen
    ``nf_conntrack_count`` is above 80 % of ``nf_conntrack_max``: the state of this moment shows it. Or the kernel's
    drop counter grows, a rate that needs a window: where it is not zero and the table has room the rule is not
    checked.

Why it hurts
    With the table full, packets of new connections through the host (NAT and routed networks, filtered bridges) are
    thrown away. Guests see time-outs that look like a bad cable.

What to do
    Double ``net.netfilter.nf_conntrack_max``, and set the hash to a quarter of it
    (``/sys/module/nf_conntrack/parameters/hashsize``). Lasting: a file in ``/etc/sysctl.d``, read after the module
    is loaded. Better still, bridge busy guests instead of NAT.

Leave it when
    One guest or an attack opens the connections: limit that first.

Cost
    Works at once. Durability: none. Migration: none. Security: more state means more memory that strangers can
    fill, about 320 bytes for each connection.

Look by hand
    ``conntrack -C``; ``sysctl net.netfilter.nf_conntrack_max``; ``conntrack -S``; ``dmesg | grep 'table full'``.

Measure it
    count over max at the busiest hour, and drop of ``conntrack -S``, before and after.

Sources
    * Linux documentation, Netfilter Conntrack Sysfs variables
"""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.advise.aim import Goal, Overlay
from kvmnb.advise.finding import Effect, Seen, Severity
from kvmnb.advise.load import over, rates
from kvmnb.advise.rule import Rule, SeenBy
from kvmnb.advise.threshold import Threshold
from kvmnb.advise.view import View
from kvmnb.advise.voice import Tone, Voice
from kvmnb.core.units import format_bytes
from kvmnb.tunable.sysctl import Sysctl
from kvmnb.tunable.tunable import Want

RULE = Rule(
    id="net.conntrack",
    severity=Severity.HIGH,
    goals=(Goal.THROUGHPUT,),
    basis="heuristic",
    effect=Effect.LARGE,
    seen_by=SeenBy.SURER,
    effect_basis="heuristic: new connections stop being dropped",
    voices={
        Overlay.SECURITY: Voice(tone=Tone.BY_HAND, why="a larger table lets a guest take more of the host's memory")
    },
)

FULL = Threshold(
    name="net.conntrack.full",
    default=80,
    unit="%",
    least=1,
    most=100,
    meaning="a table fuller than this is nearly full",
)
ROOMY = Threshold(
    name="net.conntrack.roomy",
    default=50,
    unit="%",
    least=1,
    most=100,
    meaning="a larger table is filled no further than this",
)
# Linux: the size of struct nf_conn on 64 bits, rounded.
ENTRY_BYTES = 320


@RULE.host
def check(view: View) -> Iterator[Seen]:
    """A finding where the table is nearly full; not checked where packets were lost and it has room."""
    table = view.host.conntrack
    if table is None or table.max <= 0:
        return
    if table.count * 100 > view.value(FULL) * table.max:
        larger, roomy = table.max, view.value(ROOMY)
        while table.count * 100 > roomy * larger:
            larger *= 2
        yield Seen(
            saw=f"{table.count} connections are tracked of at most {table.max} "
            "(/proc/sys/net/netfilter/nf_conntrack_count and _max)",
            wants=(Want(Sysctl("net.netfilter.nf_conntrack_max"), str(larger)),),
            costs=(f"up to {format_bytes((larger - table.max) * ENTRY_BYTES)} more memory when the table is full",),
            note=f"set hashsize to {larger // 4} too, where nf_conntrack_buckets ({table.buckets}) is below it"
            if table.buckets is not None and table.buckets < larger // 4
            else None,
            subject="conntrack",
        )
    elif table.drop:
        lost = rates(view, "drop of /proc/net/stat/nf_conntrack").conntrack_dropped_per_second
        if lost:
            larger = 2 * table.max
            yield Seen(
                saw=f"{lost:.1f} packets/s are lost for want of a place {over(view)} "
                f"(/proc/net/stat/nf_conntrack), with {table.count} connections of at most {table.max} at this moment",
                wants=(Want(Sysctl("net.netfilter.nf_conntrack_max"), str(larger)),),
                costs=(f"up to {format_bytes((larger - table.max) * ENTRY_BYTES)} more memory when the table is full",),
                subject="conntrack",
            )
