"""How values look in a notebook: HTML and text, registered with IPython; the values carry none.

A tuple that holds nothing but guests, their disks, block devices, findings, journals or verdicts is shown as one
table; any other tuple looks as IPython shows it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kvmnb.advise.finding import Finding
from kvmnb.advise.registry import Audit
from kvmnb.advise.rule import Rule
from kvmnb.apply.journal import Journal
from kvmnb.core.errors import KvmnbError
from kvmnb.facts.domain import Domain
from kvmnb.facts.host import Host
from kvmnb.facts.kernel import Kernel
from kvmnb.facts.storage import BlockDevice
from kvmnb.measure.diagnose.diagnosis import Diagnosis
from kvmnb.plan.plan import Change, Plan
from kvmnb.probe.inside import Inside
from kvmnb.probe.survey import Survey
from kvmnb.show import template
from kvmnb.show.cards import (
    audit,
    blocks,
    diagnosis,
    disk_path,
    domain,
    finding,
    here,
    host,
    inside,
    journal,
    kernel,
    plan,
    rule,
    verdicts,
)
from kvmnb.show.nothing import Nothing
from kvmnb.tunable.tunable import Verdict

Draw = Callable[[Any], str]

_CARDS: tuple[tuple[type, Draw, Draw], ...] = (
    (Survey, here.survey_html, here.survey_text),
    (Host, host.html, host.text),
    (Kernel, kernel.html, kernel.text),
    (Domain, domain.html, domain.text),
    (Inside, inside.html, inside.text),
    (disk_path.DiskPaths, disk_path.html, disk_path.text),
    (Audit, audit.html, audit.text),
    (Finding, finding.html, finding.text),
    (Rule, rule.html, rule.text),
    (Plan, plan.html, plan.text),
    (Journal, journal.html, journal.text),
    (Diagnosis, diagnosis.html, diagnosis.text),
    (Nothing, lambda nothing: template.page("note", text=nothing.sentence), lambda nothing: nothing.sentence),
)


def _is_verdict(one: object) -> bool:
    return isinstance(one, tuple) and len(one) == 2 and isinstance(one[0], Change) and isinstance(one[1], Verdict)


_SEQUENCES: tuple[tuple[Callable[[object], bool], Draw, Draw], ...] = (
    (lambda one: isinstance(one, Domain), domain.table, domain.table_text),
    (lambda one: isinstance(one, disk_path.DiskPaths), disk_path.table, disk_path.table_text),
    (lambda one: isinstance(one, BlockDevice), blocks.table, blocks.table_text),
    (lambda one: isinstance(one, Finding), finding.several, finding.several_text),
    (lambda one: isinstance(one, Journal), journal.table, journal.table_text),
    (_is_verdict, verdicts.html, verdicts.text),
)


def register(shell: Any = None) -> None:
    """Tell a shell (IPython's own where none is given) how values look; again does no harm."""
    if shell is None:
        from IPython.core.getipython import get_ipython

        shell = get_ipython()
    if shell is None:
        return
    formatters = shell.display_formatter.formatters
    html, text = formatters["text/html"], formatters["text/plain"]
    for kind, as_html, as_text in _CARDS:
        html.for_type(kind, _guarded(as_html))
        text.for_type(kind, _printer(as_text))
    # The verbs lie above this package, so their class is named, not imported.
    html.for_type_by_name("kvmnb.verbs", "Here", _guarded(here.html))
    text.for_type_by_name("kvmnb.verbs", "Here", _printer(here.text))
    html.for_type(tuple, sequence_html)
    if getattr(text.type_printers.get(tuple), "__name__", "") != "_pretty_sequence":
        text.for_type(tuple, _sequence_printer(text.type_printers[tuple]))
    # IPython asks an exception for its own rendering: a reader gets the sentence, not our stack.
    KvmnbError._render_traceback_ = _sentence  # type: ignore[attr-defined]


def sequence_html(values: tuple[object, ...]) -> str | None:
    """A tuple of values as one table; None for any other tuple, which IPython then shows as text."""
    for belongs, as_html, _ in _SEQUENCES:
        if values and all(map(belongs, values)):
            return _guarded(as_html)(values)
    return None


def sequence_text(values: tuple[object, ...]) -> str | None:
    """The same as lines of text."""
    for belongs, _, as_text in _SEQUENCES:
        if values and all(map(belongs, values)):
            return as_text(values)
    return None


def _guarded(draw: Draw) -> Draw:
    """A machine that cannot be read any more says so in words, where the card would stand."""

    def drawn(value: Any) -> str:
        try:
            return draw(value)
        except KvmnbError as problem:
            return template.page("note", text=str(problem))

    return drawn


def _printer(draw: Draw) -> Callable[[Any, Any, bool], None]:
    def pretty(value: Any, printer: Any, cycle: bool) -> None:
        try:
            printer.text(draw(value))
        except KvmnbError as problem:
            printer.text(str(problem))

    return pretty


def _sequence_printer(usual: Callable[[Any, Any, bool], None]) -> Callable[[Any, Any, bool], None]:
    def _pretty_sequence(value: Any, printer: Any, cycle: bool) -> None:
        drawn = sequence_text(value)
        if drawn is None:
            usual(value, printer, cycle)
        else:
            printer.text(drawn)

    return _pretty_sequence


def _sentence(problem: KvmnbError) -> list[str]:
    return [f"{type(problem).__name__}: {problem}"]
