"""The sentences under a live chart: what its last seconds say, for who cannot see the lines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from kvmnb.measure.metrics.host_cpu import HOST_CPU_BUSY
from kvmnb.measure.metrics.vcpu import VCPU_RUN
from kvmnb.measure.unit import PERCENT
from kvmnb.show.live.trace import Trace

# More parts than this make a sentence that nobody reads.
MOST_NAMED = 4

Cell = float | Literal[False] | None
"""A value; None where there is a gap, False where the series was not due at this tick."""
Row = Sequence[Cell]


def means(rows: Iterable[Row], width: int) -> list[float | None]:
    """The mean of each column over the rows, gaps left out; None where a column has only gaps."""
    columns: list[list[float]] = [[] for _ in range(width)]
    for row in rows:
        for column, value in zip(columns, row, strict=True):
            if value is not None and value is not False:
                column.append(value)
    return [sum(column) / len(column) if column else None for column in columns]


def sentence(traces: Sequence[Trace], rows: Sequence[Row], seconds: float, missing: str | None = None) -> str:
    """What the lines did over these rows, ``seconds`` long; ``missing`` says why there are none now."""
    average = means(rows, len(traces))
    host = next((_busy(value) for trace, value in _with(traces, average) if trace.metric == HOST_CPU_BUSY.name), None)
    begin = f"Mean over the last {max(1, round(seconds))} s: "
    if {VCPU_RUN.name, HOST_CPU_BUSY.name} <= {trace.metric for trace in traces}:
        if missing:
            return f"No values of this guest now: {missing}; {host}."
        return f"{begin}{_vcpus(_pairs(traces, average))}; {host}."
    if missing:
        return f"No values now: {missing}."
    return f"{begin}{_parts(traces, average)}."


def apart(periods: Mapping[str, float]) -> str:
    """How far the values of lines lie apart, by what the lines show; empty where none came."""
    groups: dict[str, list[str]] = {}
    for name, seconds in periods.items():
        groups.setdefault(f"{seconds:.1f}".removesuffix(".0"), []).append(name)
    if not groups:
        return ""
    if len(groups) == 1:
        return f"Each line has a value every {next(iter(groups))} s."
    order = sorted(groups, key=lambda one: (-len(groups[one]), one))
    rest = "; ".join(f"every {one} s: {_listed(groups[one])}" for one in order[1:])
    return f"Each line has a value every {order[0]} s, but {rest}."


def _listed(names: Sequence[str]) -> str:
    told = ", ".join(names[:MOST_NAMED])
    return told if len(names) <= MOST_NAMED else f"{told} and {len(names) - MOST_NAMED} more"


def _with(traces: Sequence[Trace], average: Sequence[float | None]) -> Iterable[tuple[Trace, float | None]]:
    return zip(traces, average, strict=True)


def _busy(value: float | None) -> str:
    if value is None:
        return "how busy the host's CPUs are is not known"
    return f"the host's CPUs are {PERCENT.text(value)} busy"


def _pairs(traces: Sequence[Trace], average: Sequence[float | None]) -> dict[int | str, list[float | None]]:
    """Of each vCPU, or of their mean and highest, how much it runs and waits."""
    pairs: dict[int | str, list[float | None]] = {}
    for trace, value in _with(traces, average):
        if trace.metric != HOST_CPU_BUSY.name:
            pair = pairs.setdefault(trace.together if trace.part is None else trace.part, [None, None])
            pair[0 if trace.metric == VCPU_RUN.name else 1] = value
    return pairs


def _vcpus(pairs: Mapping[int | str, list[float | None]]) -> str:
    known = {key: pair for key, pair in pairs.items() if pair[0] is not None and pair[1] is not None}
    percent = PERCENT.text
    if not known:
        return "no values of this guest"
    if "mean" in known:
        run, wait = known["mean"]
        highest = known.get("highest", [None, None])
        return (
            f"its vCPUs run {percent(run)} and wait {percent(wait)} in the mean; the busiest runs "
            f"{percent(highest[0])}, the longest waiting waits {percent(highest[1])}"
        )
    if len(known) <= MOST_NAMED:
        told = (f"vCPU {key} runs {percent(run)} and waits {percent(wait)}" for key, (run, wait) in known.items())
        return ", ".join(told)
    busiest = max(known, key=lambda key: known[key][0] or 0.0)
    waiting = max(known, key=lambda key: known[key][1] or 0.0)
    return (
        f"of {len(known)} vCPUs, vCPU {busiest} runs most ({percent(known[busiest][0])}) "
        f"and vCPU {waiting} waits most ({percent(known[waiting][1])})"
    )


def _parts(traces: Sequence[Trace], average: Sequence[float | None]) -> str:
    """What each subject does; of many, who does most of each thing."""
    known = [(trace, value) for trace, value in _with(traces, average) if value is not None]
    subjects = list(dict.fromkeys(trace.subject for trace, _ in known))
    if not known:
        return "no values"
    if len(subjects) <= MOST_NAMED or not any(trace.verb for trace, _ in known):
        busy = [one for one in subjects if any(value for trace, value in known if trace.subject == one)]
        told = []
        for subject in busy or subjects:
            mine = (f"{one.verb} {one.unit.text(value)}".strip() for one, value in known if one.subject == subject)
            told.append(f"{subject} {', '.join(mine)}")
        if busy and len(busy) < len(subjects):
            told.append(f"nothing: {', '.join(one for one in subjects if one not in busy)}")
        return "; ".join(told)
    kinds: dict[tuple[int, str], list[tuple[Trace, float]]] = {}
    for trace, value in known:
        kinds.setdefault((trace.panel, trace.verb), []).append((trace, value))
    most = (max(group, key=lambda one: one[1]) for group in kinds.values())
    told = [f"{trace.subject} {trace.verb} {trace.unit.text(value)}" for trace, value in most]
    return f"of {len(subjects)}, the most has: {', '.join(told)}"
