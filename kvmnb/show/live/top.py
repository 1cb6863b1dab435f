"""A live table of guests in a notebook: what each takes, and behind its name its card and its chart."""

from __future__ import annotations

import threading
from collections import defaultdict
from html import escape
from typing import TYPE_CHECKING, Any

from kvmnb.core.errors import KvmnbError, NotAnswered
from kvmnb.machine.machine import Machine
from kvmnb.measure.replay import Replay
from kvmnb.measure.sampler import Subscription
from kvmnb.measure.series import Frame, Series
from kvmnb.measure.sources import sampler_of
from kvmnb.measure.usage import COLUMNS, Usage, Usages
from kvmnb.show import template
from kvmnb.show.cards import domain as card
from kvmnb.show.colours import colours
from kvmnb.show.live import owner
from kvmnb.show.live.chart import WIDGET_MIME, LiveChart
from kvmnb.show.live.watched import domain_of, live_chart

if TYPE_CHECKING:
    from kvmnb.show.live.widget import TopWidget

QUESTION = "Which guest takes what?"


class TopTable:
    """The running guests by CPU, run delay, disk, network and memory; or why there is nothing to show.

    Shown by being a cell's last expression. ``open`` shows a guest's card and chart below, as a click on its name
    does; ``close`` and a re-run of its cell take it away, ``stop`` leaves what it shows on the page.
    """

    key = "top"

    def __init__(self, machine: Machine, *, period: float | None = None) -> None:
        self.n = 0
        self.gap: str | None = None
        """Why there is nothing to show; None where there is."""
        self.chart: LiveChart | None = None
        """The chart of the guest that was chosen last."""
        self.widget: TopWidget | None = None
        self._machine = machine
        self._box: Any = None
        self._lock = threading.Lock()
        self._names = {one.uuid: one.name for one in machine.libvirt.domains()} if machine.hypervisor else {}
        self._colours = colours(self._names.values())
        self._usages = Usages(self._names)
        self._subscription: Subscription | None = None
        try:
            self._sampler = sampler_of(machine)
        except NotAnswered as problem:
            self.gap = str(problem)
        else:
            self._subscription = self._sampler.subscribe(self._take, name="the table of guests", period=period)
        owner.own(self)

    def rows(self, sort: str = "cpu") -> tuple[Usage, ...]:
        """The guests as they are now, the most first."""
        with self._lock:
            return self._usages.rows(sort)

    def open(self, uuid: str) -> None:
        """Show the card and the chart of a guest below the table."""
        former, self.chart = self.chart, None
        below: list[Any] = []
        try:
            found = domain_of(self._machine, uuid)
            if found is None:
                below.append(_html(template.page("note", text="This guest is not defined any more.")))
            else:
                self.chart = live_chart(self._machine, found, place=f"top:{id(self)}")
                below.append(_html(card.html(found)))
                below.append(_html(_sentence(self.chart.gap)) if self.chart.gap else self.chart.shown())
        except KvmnbError as problem:
            below.append(_html(_sentence(str(problem))))
        before = self._shown().children[1:]
        self._box.children = (self.widget, *below)
        if former is not None:
            before = [one for one in before if one is not former.widget]
            former.close()
        _close(*before)

    def stop(self) -> None:
        """Get no more values; what is shown stays on the page."""
        subscription, self._subscription = self._subscription, None
        if subscription is not None:
            subscription.close()
            self._send({"stopped": True})

    def close(self) -> None:
        """Stop, and take it off the page."""
        self.stop()
        owner.disown(self)
        drawn = self.chart.widget if self.chart is not None else None
        if self.chart is not None:
            self.chart.close()
        if self._box is not None:
            _close(*(one for one in self._box.children if one is not drawn), self._box)
        self._box = self.widget = self.chart = None

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        """The table's view, and beside it texts that are the same on every run."""
        if self.gap is not None:
            return {"text/plain": self.gap, "text/html": _sentence(self.gap)}
        note = self._sampler.source.title_note
        return {
            "text/plain": f"Live table of all guests ({note}): {QUESTION}",
            "text/html": self._fallback(note),
            WIDGET_MIME: {"version_major": 2, "version_minor": 0, "model_id": self._shown().model_id},
        }

    def _shown(self) -> Any:
        """The box around the table and what stands below it, made when it is first shown."""
        if self._box is None:
            import ipywidgets

            from kvmnb.show.live.widget import TopWidget

            columns = [
                {"title": one.title, "help": one.help, "suffix": one.unit.suffix, "steps": one.unit.steps}
                for one in COLUMNS
            ]
            spec = {"question": QUESTION, "note": self._sampler.source.title_note, "columns": columns}
            self.widget = TopWidget(spec=spec)
            self.widget.on_msg(self._hear)
            self._box = ipywidgets.VBox([self.widget])
        return self._box

    def _hear(self, widget: object, message: dict[str, Any], buffers: object) -> None:
        """The page is ready for rows, or a person chose a guest."""
        if message.get("kind") == "ready":
            with self._lock:
                self._send(self._message())
        elif message.get("kind") == "open":
            chosen = message.get("guest")
            if isinstance(chosen, str) and chosen in {one.uuid for one in self.rows()}:
                self.open(chosen)

    def _take(self, frame: Frame) -> None:
        """A tick, on the sampler's thread."""
        with self._lock:
            self._usages.take(frame)
            self.n += 1
            self._send(self._message())

    def _message(self) -> dict[str, Any]:
        rows = [
            [one.uuid, one.name, self._colours.get(one.name), one.gap, *(_number(column, one) for column in COLUMNS)]
            for one in self._usages.rows()
        ]
        return {"at": self._usages.at, "rows": rows, "problem": None if rows else self._usages.problem}

    def _send(self, message: dict[str, Any]) -> None:
        if self.widget is not None:
            self.widget.send(message)

    def _fallback(self, note: str) -> str:
        """The question and, of a recording, its means; live numbers differ from run to run."""
        parts = [
            f"<p><strong>{escape(QUESTION)}</strong><br>all guests · {escape(note)}</p>",
            "<p>This table moves while its notebook runs; here is no kernel to feed it.</p>",
        ]
        if isinstance(self._sampler.source, Replay):
            usages = Usages(self._names)
            usages.take(_means(self._sampler.source))
            chosen = [one for one in COLUMNS if any(one.value(row) is not None for row in usages.rows())]
            head = "".join(f"<th scope='col'>{escape(one.title)}</th>" for one in chosen)
            body = "".join(
                f"<tr><th scope='row'>{escape(row.name)}</th>"
                + "".join(f"<td>{escape(one.unit.text(_number(one, row)))}</td>" for one in chosen)
                + "</tr>"
                for row in usages.rows()
            )
            seconds = self._sampler.source.rows * self._sampler.source.period_seconds
            parts.append(
                f"<table><caption>Means over the {seconds:.0f} recorded seconds</caption>"
                f"<thead><tr><th scope='col'>guest</th>{head}</tr></thead><tbody>{body}</tbody></table>"
            )
        return "".join(parts)


def _number(column: Any, one: Usage) -> float | None:
    value = column.value(one)
    return None if value is None else column.unit.rounded(value * column.unit.scale)


def _means(source: Replay) -> Frame:
    """One frame of what a recording holds in the mean."""
    found: dict[Series, list[float]] = defaultdict(list)
    for values in source.recorded():
        for series, value in values.items():
            found[series].append(value)
    return Frame(0.0, {series: sum(values) / len(values) for series, values in found.items()}, period=1.0)


def _close(*widgets: Any) -> None:
    from kvmnb.show.live.widget import close_widget

    for one in widgets:
        close_widget(one)


def _html(text: str) -> Any:
    import ipywidgets

    return ipywidgets.HTML(text)


def _sentence(text: str) -> str:
    return f"<p>{escape(text)}</p>"
