"""The lines of a live chart: what each draws, where, and how it looks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from kvmnb.measure.series import Frame, Series
from kvmnb.measure.unit import Unit
from kvmnb.show.colours import colours
from kvmnb.show.live.question import Line, Panel, Question, Together

# With more lines of one kind in a panel than this they can no longer be told apart; with several kinds of
# lines for each part the dashes tell the kinds, and so there are no more parts than colours.
MOST_LINES = 12

# Colours that people with any colour vision tell apart, with a contrast of at least 3 to 1 against a
# white and against a dark page.
COLOURS = (
    ("#0072b2", "#56b4e9"),
    ("#d55e00", "#f5a623"),
    ("#00795a", "#2bc49a"),
    ("#a8518a", "#e19ac4"),
    ("#8a6d00", "#f0e442"),
    ("#4b4bb5", "#a9a9f5"),
)
DASHES = ("solid", "dash", "dot")
GREY = ("#616161", "#bdbdbd")

Part = int | str
Grouped = Mapping[tuple[str, str], Mapping[Part, float]]
"""A frame's values by metric and guest, and then by part."""


@dataclass(frozen=True, slots=True)
class Trace:
    """One line; the part None stands for all parts together."""

    subject: str
    verb: str
    panel: int
    unit: Unit
    metric: str
    per: str | None
    guest: str
    part: Part | None
    together: Together
    colour: tuple[str, str]
    dash: str
    label: str
    """Its name in the legend; lines of one part share it across panels."""
    legend: bool = True
    """Whether the legend names it: once for all panels."""

    @property
    def name(self) -> str:
        """What the line shows, in words."""
        return f"{self.subject}: {self.verb}" if self.verb else self.subject

    def read(self, values: Grouped) -> bool:
        """Whether its metric was read at this tick, if only to nothing."""
        parts = values.get((self.metric, self.guest), {})
        return bool(parts) if self.part is None else self.part in parts

    def value(self, values: Grouped) -> float | None:
        """The value at one tick, in the unit; None where there is none."""
        parts = values.get((self.metric, self.guest))
        if not parts:
            return None
        found = self._of(parts) if self.per is None else self._divided(parts, values.get((self.per, self.guest), {}))
        return None if found is None else found * self.unit.scale

    def _of(self, parts: Mapping[Part, float]) -> float | None:
        if self.part is not None:
            return parts.get(self.part)
        if self.together == "highest":
            return max(parts.values())
        total = sum(parts.values())
        return total if self.together == "sum" else total / len(parts)

    def _divided(self, parts: Mapping[Part, float], by: Mapping[Part, float]) -> float | None:
        """Of no requests there is no latency."""
        chosen = parts if self.part is None else (self.part,)
        ratios = [parts[one] / by[one] for one in chosen if one in parts and by.get(one)]
        return max(ratios, default=None)


_grouped: list[tuple[Frame, Grouped]] = []


def grouped(values: Mapping[Series, float]) -> Grouped:
    """The values by metric and guest, and then by part."""
    found: dict[tuple[str, str], dict[Part, float]] = {}
    for series, value in values.items():
        found.setdefault((series.metric, series.guest), {})[series.part] = value
    return found


def grouped_frame(frame: Frame) -> Grouped:
    """The same of a frame, once for all charts that are given it."""
    last = _grouped[0] if _grouped else None
    if last is None or last[0] is not frame:
        last = (frame, grouped(frame.values))
        _grouped[:] = [last]
    return last[1]


def parts_of(question: Question, guest: str, values: Grouped) -> set[Part]:
    """The parts of which the question's lines can be drawn from these values; of ``guests`` their UUIDs."""
    metrics = {line.metric.name for line in question.lines if line.together is None or question.of == "guests"}
    if question.of == "guests":
        return {of for metric, of in values if metric in metrics and of}
    return {part for metric in metrics for part in values.get((metric, guest), {})}


def traces_of(
    question: Question, guest: str, parts: Iterable[Part], names: Mapping[str, str] | None = None
) -> tuple[Trace, ...]:
    """The lines for these parts; ``names`` are the guests' by UUID, where the parts are guests."""
    order = sorted(parts, key=_rank)
    found: list[Trace] = []
    for number, panel in enumerate(question.panels, start=1):
        if question.of == "guests":
            found += _of_guests(number, panel, order, names or {})
        else:
            found += _of_panel(question, number, panel, guest, order)
    told: set[str] = set()
    for place, trace in enumerate(found):
        found[place] = replace(trace, legend=trace.label not in told)
        told.add(trace.label)
    return tuple(found)


def _rank(part: Part) -> tuple[int, str]:
    return (part, "") if isinstance(part, int) else (-1, part)


def _kinds(panel: Panel) -> int:
    """How many lines each part has in a panel."""
    return sum(line.together is None for line in panel.lines)


def _of_panel(question: Question, number: int, panel: Panel, guest: str, order: list[Part]) -> Iterator[Trace]:
    kinds = _kinds(panel)
    several = max(map(_kinds, question.panels)) > 1
    most = len(COLOURS) if several else MOST_LINES
    whole = 0
    kind = 0
    for line in panel.lines:
        of = guest if line.metric.of == "guest" else ""
        if line.together is not None:
            # What is the host's in a guest's chart is there to compare with.
            aside = question.of == "guest" and line.metric.of == "host"
            colour, dash = (GREY, "dot") if aside else (COLOURS[whole % len(COLOURS)], DASHES[whole // len(COLOURS)])
            yield _trace(line, number, panel, of, None, line.together, line.subject, colour, dash, several)
            whole += 1
        elif len(order) <= most:
            for place, part in enumerate(order):
                dash = DASHES[kind] if kinds > 1 else DASHES[place // len(COLOURS) % len(DASHES)]
                subject = f"{question.part} {part}" if question.part else str(part)
                yield _trace(
                    line, number, panel, of, part, "sum", subject, COLOURS[place % len(COLOURS)], dash, several
                )
            kind += 1
        else:
            for place, how in enumerate(line.crowd):
                subject = f"all {len(order)}" if how == "sum" else f"{how} of {len(order)}"
                subject = f"{subject} {question.part}s" if question.part else subject
                colour = COLOURS[(1, 0)[place] if len(line.crowd) > 1 else 0]
                yield _trace(line, number, panel, of, None, how, subject, colour, DASHES[kind % len(DASHES)], several)
            kind += 1


def _of_guests(number: int, panel: Panel, order: list[Part], names: Mapping[str, str]) -> Iterator[Trace]:
    chosen = colours(names.values())
    for part in order:
        name = names.get(str(part), str(part))
        colour = chosen.get(name, GREY[0])
        for line in panel.lines:
            together = line.together or "sum"
            yield _trace(line, number, panel, str(part), None, together, name, (colour, colour), "solid")


def _trace(
    line: Line,
    panel_number: int,
    panel: Panel,
    guest: str,
    part: Part | None,
    together: Together,
    subject: str,
    colour: tuple[str, str],
    dash: str,
    several: bool = False,
) -> Trace:
    return Trace(
        subject=subject,
        verb=line.verb,
        panel=panel_number,
        unit=panel.unit,
        metric=line.metric.name,
        per=line.per.name if line.per is not None else None,
        guest=guest,
        part=part,
        together=together,
        colour=colour,
        dash=dash,
        label=f"{subject} {line.verb}" if several and line.verb else subject,
    )
