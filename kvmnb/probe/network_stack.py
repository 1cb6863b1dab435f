"""What the kernel does with packets beside the NICs: softirq backlogs, bridge filters, tracked connections."""

from __future__ import annotations

from typing import Any, cast

from kvmnb.core.cpuset import CpuSet
from kvmnb.facts.gap import Gap
from kvmnb.facts.network import BridgeNetfilter, Conntrack, SoftnetCpu
from kvmnb.probe.network_values import flag, told
from kvmnb.probe.reader import Reader, gap, seen

_BRIDGE = "proc/sys/net/bridge/bridge-nf-call"
_TRACK = "proc/sys/net/netfilter/nf_conntrack"


def probe_softnet(read: Reader, online: CpuSet | None) -> tuple[SoftnetCpu, ...]:
    """Each online CPU's packet counters; ``online`` numbers the lines of kernels that do not."""
    return read.parse("proc/net/softnet_stat", "host.softnet", lambda text: parse_softnet(text, online))


def parse_softnet(text: str, online: CpuSet | None) -> tuple[SoftnetCpu, ...]:
    """The lines of ``/proc/net/softnet_stat``, hexadecimal columns, one line for each online CPU.

    >>> parse_softnet("0000000a 00000000 00000001 0 0 0 0 0 0", CpuSet.of(2))[0].cpu
    2
    """
    rows = [[int(word, 16) for word in line.split()] for line in text.splitlines() if line.strip()]
    if not rows or min(map(len, rows)) < 3 or len(set(map(len, rows))) > 1:
        raise ValueError("the lines are not softnet_stat's")
    numbers: list[int | None] = [None] * len(rows)
    if len(rows[0]) >= 13:
        numbers = [row[12] for row in rows]
    elif online is not None and len(online) == len(rows):
        numbers = list(online)
    return tuple(
        SoftnetCpu(
            cpu=number,
            processed=row[0],
            dropped=row[1],
            time_squeeze=row[2],
            received_rps=row[9] if len(row) > 9 else None,
            flow_limit=row[10] if len(row) > 10 else None,
        )
        for row, number in zip(rows, numbers, strict=True)
    )


def probe_bridge_netfilter(read: Reader) -> BridgeNetfilter | None:
    """Whether bridged packets are filtered; None where br_netfilter is not loaded."""
    fact = "host.bridge_netfilter"
    calls = {
        f"call_{name}": told(read, f"{_BRIDGE}-{name}", f"{fact}.call_{name}", flag)
        for name in ("iptables", "ip6tables", "arptables")
    }
    if all(call is None for call in calls.values()):
        return cast(None, _not_loaded(read, "br_netfilter", fact))
    return BridgeNetfilter(**calls)


def probe_conntrack(read: Reader) -> Conntrack | None:
    """How full the table of connections is; None where nf_conntrack is not loaded."""
    fact = "host.conntrack"
    count = told(read, f"{_TRACK}_count", f"{fact}.count", int)
    most = told(read, f"{_TRACK}_max", f"{fact}.max", int)
    if count is None and most is None:
        return cast(None, _not_loaded(read, "nf_conntrack", fact))
    drops: Any = read.parse("proc/net/stat/nf_conntrack", f"{fact}.drop", parse_conntrack_drops, (None, None))
    return Conntrack(
        count=gap(f"{fact}.count", f"/{_TRACK}_count is not there") if count is None else count,
        max=gap(f"{fact}.max", f"/{_TRACK}_max is not there") if most is None else most,
        buckets=told(read, f"{_TRACK}_buckets", f"{fact}.buckets", int),
        drop=drops[0] if seen(drops) else drops,
        early_drop=drops[1] if seen(drops) else gap(f"{fact}.early_drop", _reason(drops)),
    )


def parse_conntrack_drops(text: str) -> tuple[int, int]:
    """The columns ``drop`` and ``early_drop`` of ``/proc/net/stat/nf_conntrack``, summed over the CPUs.

    >>> parse_conntrack_drops("entries drop early_drop\\n00000005 00000001 00000000\\n00000005 0000000f 00000002")
    (16, 2)
    """
    head, *lines = text.splitlines() or [""]
    words = head.split()
    if "drop" not in words or "early_drop" not in words or not lines:
        raise ValueError("the file has no drop counters")
    rows = [line.split() for line in lines]
    if any(len(row) < len(words) for row in rows):
        raise ValueError("a line is cut off")
    drop, early = words.index("drop"), words.index("early_drop")
    return sum(int(row[drop], 16) for row in rows), sum(int(row[early], 16) for row in rows)


def _not_loaded(read: Reader, module: str, fact: str) -> Any:
    """None where the module list was seen to lack the module, else a gap: no file is no proof."""
    modules = read.parse("proc/modules", fact, lambda text: {line.split(" ", 1)[0] for line in text.splitlines()})
    if not seen(modules):
        return modules
    if module in modules:
        return gap(fact, f"the module {module} is loaded, but its settings are not there")
    return None


def _reason(found: object) -> str:
    return found.reason if isinstance(found, Gap) else ""
