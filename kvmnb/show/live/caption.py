"""The sentence under a live chart: what its last seconds say, for who cannot see the lines."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from kvmnb.measure.metrics.host_cpu import HOST_CPU_BUSY
from kvmnb.show.live.trace import RUN, Trace

# More vCPUs than this make a sentence that nobody reads.
MOST_NAMED = 4

Row = Sequence[float | None]


def percent(value: float | None) -> str:
    """A percentage for people: three digits at most.

    >>> percent(98.34), percent(0.31), percent(0.04), percent(None)
    ('98 %', '0.3 %', '0 %', 'not known')
    """
    if value is None:
        return "not known"
    if abs(value) < 0.05:
        return "0 %"
    return f"{value:.0f} %" if value >= 9.95 else f"{value:.1f} %"


def means(rows: Iterable[Row], width: int) -> list[float | None]:
    """The mean of each column over the rows, gaps left out; None where a column has only gaps."""
    columns: list[list[float]] = [[] for _ in range(width)]
    for row in rows:
        for column, value in zip(columns, row, strict=True):
            if value is not None:
                column.append(value)
    return [sum(column) / len(column) if column else None for column in columns]


def sentence(traces: Sequence[Trace], rows: Sequence[Row], seconds: float, missing: str | None = None) -> str:
    """What the vCPUs did over these rows, ``seconds`` long; ``missing`` says why there are none now."""
    average = means(rows, len(traces))
    pairs: dict[int | str, list[float | None]] = {}
    busy: float | None = None
    for trace, value in zip(traces, average, strict=True):
        if trace.metric == HOST_CPU_BUSY.name:
            busy = value
        else:
            pair = pairs.setdefault(trace.combine if trace.number is None else trace.number, [None, None])
            pair[0 if trace.panel == RUN else 1] = value
    host = "how busy the host's CPUs are is not known" if busy is None else f"the host's CPUs are {percent(busy)} busy"
    if missing:
        return f"No values of this guest now: {missing}; {host}."
    return f"Mean over the last {max(1, round(seconds))} s: {_vcpus(pairs)}; {host}."


def _vcpus(pairs: dict[int | str, list[float | None]]) -> str:
    known = {key: pair for key, pair in pairs.items() if pair[0] is not None and pair[1] is not None}
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
