"""A chart that a sampler feeds: the logic, apart from its widget."""

from __future__ import annotations

import asyncio
import re
import threading
import time
import uuid
from collections import deque
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kvmnb.core.errors import KvmnbError
from kvmnb.measure.metric import TICK
from kvmnb.measure.metrics import metric
from kvmnb.measure.sampler import CAPACITY, Sampler, Subscription
from kvmnb.measure.series import GUESTS, HOST, LIBVIRT, Frame, Series, by_libvirt
from kvmnb.show.live import fallback, owner, saving
from kvmnb.show.live.caption import Cell, apart, means, sentence
from kvmnb.show.live.marks import Marks
from kvmnb.show.live.post import POST
from kvmnb.show.live.question import Question
from kvmnb.show.live.questions import CPU
from kvmnb.show.live.trace import Grouped, Part, Trace, grouped_frame, parts_of, traces_of

if TYPE_CHECKING:
    import pandas as pd

    from kvmnb.show.live.widget import ChartWidget

CAPTION_EVERY_SECONDS = 3.0
CAPTION_OVER_SECONDS = 10.0
# A series that is read more rarely than the chart ticks has a gap when it is so many of its periods late.
LATE_PERIODS = 2.5
# What is read beside the tick may take this long to come for the first time.
FIRST_VALUES_SECONDS = 15.0

WIDGET_MIME = "application/vnd.jupyter.widget-view+json"

Row = tuple[Cell, ...]


class LiveChart:
    """One question about a guest or the host, answered by moving lines; or, in its place, why there are none.

    Shown by being a cell's last expression. ``n`` counts the ticks it got; ``close`` and a re-run of its
    cell take it away, ``stop`` leaves what it shows on the page.
    """

    def __init__(
        self,
        name: str,
        question: Question,
        guest: str,
        sampler: Sampler | None,
        *,
        parts: Iterable[Part] = (),
        names: Mapping[str, str] | None = None,
        colour: str | None = None,
        gap: str | None = None,
        period: float | None = None,
        window: int = 300,
        place: str | None = None,
    ) -> None:
        if not 2 <= window <= CAPACITY:
            raise KvmnbError(f"a window of {window} samples cannot be shown; give 2 to {CAPACITY}")
        self.name = name
        self.question = question
        self.gap = gap
        """Why there is nothing to show; None where there is."""
        self.n = 0
        self.widget: ChartWidget | None = None
        self._address = uuid.uuid4().hex
        self._guest = guest
        self._parts = set(parts)
        self._names = names or {}
        self._colour = colour
        self._sampler = sampler
        self._window = window
        self._lock = threading.Lock()
        self._rows: deque[Row] = deque(maxlen=window)
        self._seen: dict[Trace, tuple[float, float]] = {}
        self._marks = Marks()
        self._caption = "Waiting for the first values."
        self._caption_at = float("-inf")
        self._began = time.monotonic()
        self._missing: str | None = None
        self._running = sampler is not None
        self._subscription: Subscription | None = None
        self._traces = traces_of(question, guest, self._parts, self._names)
        if sampler is not None:
            # Of a sampler that pauses nothing is taken over: a line would join it to what comes now.
            if sampler.subscribers:
                self._go_back()
            self._subscription = sampler.subscribe(
                self._take,
                name=f"the live chart of {name}",
                period=period,
                guest=guest or None,
                after=POST.flush,
            )
        # The new chart subscribes before the cell's former one leaves, so that the sampler goes on.
        owner.own(self, place)

    @property
    def key(self) -> str:
        """What stands for its place where no cell is known."""
        return f"{self.question.what} of {self.name}"

    @property
    def subject(self) -> str:
        """Of whom it is."""
        return f"guest {self.name}" if self.question.of == "guest" else self.name

    @property
    def note(self) -> str:
        """Where its numbers come from, for its title."""
        return "not available" if self._sampler is None else self._sampler.source.title_note

    @property
    def caption(self) -> str:
        """The sentence below the chart."""
        return self.gap or self._caption

    async def wait(self, ticks: int, timeout: float | None = None) -> int:
        """Wait until the chart got this many ticks in all, and return how many it got.

        Returns at once where it can get no more. TimeoutError where they do not come within ``timeout``
        seconds (by default three times as long as they should take, and at least 10 s).
        """
        period = self._sampler.period if self._sampler else 0.0
        allowed = max(10.0, 3 * ticks * period) if timeout is None else timeout
        deadline = time.monotonic() + allowed
        while self._running and self.n < ticks:
            if time.monotonic() > deadline:
                raise TimeoutError(f"the chart of {self.name} got {self.n} of {ticks} ticks in {allowed:g} s")
            await asyncio.sleep(min(0.02, period))
        return self.n

    def table(self) -> pd.DataFrame:
        """The lines' last value and their mean over the window, each with its unit."""
        import pandas as pd

        with self._lock:
            rows, traces = tuple(self._rows), self._traces
        width = len(traces)
        last = [next((row[at + 1] for row in reversed(rows) if row[at + 1] is not False), None) for at in range(width)]
        units = [trace.unit.name for trace in traces]
        one = f" {units[0]}" if len(set(units)) == 1 else ""
        columns = {f"last{one}": last, f"mean{one}": means((row[1:] for row in rows), width)}
        frame = pd.DataFrame(columns, index=[trace.name for trace in traces], dtype="float64")
        return frame.round(1) if one else frame.round(3).assign(unit=units)

    def freeze(self) -> None:
        """Keep the lines in the widget's state, so that a saved page shows them without a kernel."""
        if self.widget is not None:
            self.widget.frozen = self._everything()

    def save(self, path: str | Path) -> Path:
        """Write what the chart shows: ``.csv``, ``.parquet`` (needs pyarrow), or ``.html`` (opens without a kernel).

        KvmnbError where the name ends otherwise or the file cannot be written.
        """
        target = Path(path)
        form = saving.ending(target)
        with self._lock:
            traces, rows = self._traces, tuple(self._rows)
        try:
            if form == ".parquet":
                saving.write_parquet(target, traces, rows)
            else:
                text = saving.as_csv(traces, rows) if form == ".csv" else self._page()
                target.write_text(text, encoding="utf-8")
        except OSError as problem:
            raise KvmnbError(f"saving the chart as {target}: {problem.strerror or problem}") from problem
        return target

    def _page(self) -> str:
        from kvmnb.show.live.widget import whole_page

        with self._lock:
            return whole_page(self._spec(), self._everything(), f"{self.question.text} {self.subject}")

    def stop(self) -> None:
        """Get no more values; what is shown stays on the page."""
        with self._lock:
            if not self._running:
                return
            self._running = False
            self._caption = f"{self._told()} Stopped at {time.strftime('%H:%M:%S')}; run its cell to go on."
            self._send({"caption": self._caption})
        POST.flush()
        # Not under the lock: the sampler's thread may be waiting for it, and close waits for the thread.
        if self._subscription is not None:
            self._subscription.close()

    def close(self) -> None:
        """Stop, and take the chart off the page."""
        self.stop()
        owner.disown(self)
        if self.widget is not None:
            from kvmnb.show.live.widget import close_widget

            close_widget(self.widget)
            self.widget = None

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        """The widget's view, and beside it texts that are the same on every run."""
        if self._sampler is None:
            from html import escape

            return {"text/plain": self.caption, "text/html": f"<p>{escape(self.caption)}</p>"}
        said = (self.question.text, self.subject, self.note)
        widget = self.shown()
        return {
            "text/plain": fallback.as_text(*said),
            "text/html": fallback.as_html(*said, self._traces, self._sampler.source),
            WIDGET_MIME: {"version_major": 2, "version_minor": 0, "model_id": widget.model_id},
        }

    def shown(self) -> ChartWidget:
        """The widget, made when the chart is first shown."""
        if self.widget is None:
            from kvmnb.show.live.widget import chart_widget

            widget = chart_widget(self._spec())
            widget.on_msg(self._hear)
            self.widget = widget
        return self.widget

    def _spec(self) -> dict[str, Any]:
        return {
            "address": self._address,
            "question": self.question.text,
            "file": re.sub(r"[^A-Za-z0-9._-]+", "-", f"{self.name}-{self.question.what}").lstrip(".-")[:80],
            "subject": self.subject,
            "colour": self._colour,
            "note": self.note,
            "window": self._window,
            "panels": [
                {"axis": one.axis, "suffix": one.unit.suffix, "steps": one.unit.steps, "least": one.least}
                for one in self.question.panels
            ],
        }

    def _lines(self) -> list[dict[str, Any]]:
        return [
            {
                "label": trace.label,
                "name": trace.name,
                "unit": trace.unit.name,
                "verb": "" if trace.label.endswith(trace.verb) else trace.verb,
                "panel": trace.panel,
                "legend": trace.legend,
                "colour": trace.colour,
                "dash": trace.dash,
            }
            for trace in self._traces
        ]

    def _hear(self, widget: object, message: dict[str, Any], buffers: object) -> None:
        """A view that opens, now or after a reload of the page, asks for the whole window."""
        if message.get("kind") == "ready":
            with self._lock:
                self._send(self._everything())
        elif message.get("kind") == "html":
            self._send({"file": self._page()})
        POST.flush()

    def _everything(self) -> dict[str, Any]:
        rows = [list(row) for row in self._rows]
        return {"lines": self._lines(), "rows": rows, "caption": self._caption, **self._marks.message()}

    def _send(self, message: dict[str, Any]) -> None:
        if self.widget is not None:
            POST.put(self._address, message)

    def _take(self, frame: Frame) -> None:
        """A tick, on the sampler's thread."""
        values = grouped_frame(frame)
        with self._lock:
            if not self._running:
                return
            fresh = parts_of(self.question, self._guest, values) - self._parts
            if fresh:
                self._parts |= fresh
                self._traces = traces_of(self.question, self._guest, self._parts, self._names)
                self._go_back(frame.at)
            self._rows.append(self._row(frame, values))
            self.n += 1
            message: dict[str, Any] = self._everything() if fresh else {"rows": [list(self._rows[-1])]}
            self._missing = self._why_missing(frame)
            mine = tuple(one for one in frame.events if self.question.of != "guest" or one.guest in ("", self._guest))
            if self._marks.missing(frame.at, self._missing) | self._marks.happened(mine):
                message.update(self._marks.message())
            now = time.monotonic()
            if now - self._caption_at >= CAPTION_EVERY_SECONDS:
                self._caption_at = now
                message["caption"] = self._caption = self._told()
            self._send(message)

    def _go_back(self, until: float = float("inf")) -> None:
        """Draw the lines that there are now from what the sampler kept of the time before."""
        assert self._sampler is not None, "only a sampler has kept something"
        past = [frame for frame in self._sampler.history(self._wants, self._window) if frame.at < until]
        for frame in past:
            self._parts |= parts_of(self.question, self._guest, grouped_frame(frame))
        self._traces = traces_of(self.question, self._guest, self._parts, self._names)
        self._seen.clear()
        self._rows.clear()
        self._rows.extend(self._row(frame, grouped_frame(frame)) for frame in past)

    def _row(self, frame: Frame, values: Grouped) -> Row:
        return (round(frame.at, 3), *(self._cell(trace, frame, values) for trace in self._traces))

    def _cell(self, trace: Trace, frame: Frame, values: Grouped) -> Cell:
        if trace.read(values):
            part = trace.part if trace.part is not None else next(iter(values[trace.metric, trace.guest]))
            told = frame.period_of(Series(trace.metric, trace.guest, part))
            own = metric(trace.metric).period
            self._seen[trace] = frame.at, told or (own if own > TICK else self._tick(frame))
            value = trace.value(values)
            return None if value is None else trace.unit.rounded(value)
        at, period = self._seen.get(trace, (float("-inf"), 0.0))
        due = frame.at - at <= LATE_PERIODS * max(period, self._tick(frame))
        return False if due and frame.values and self._reason(frame, trace.guest) is None else None

    def _tick(self, frame: Frame) -> float:
        return frame.period or (self._sampler.period if self._sampler is not None else 0.0)

    def _reason(self, frame: Frame, guest: str) -> str | None:
        """Why what this chart draws of a guest, or of the host, is missing from a frame, where it is known."""
        keys = (guest, GUESTS, by_libvirt(guest), LIBVIRT) if guest else (HOST,)
        return next((frame.gaps[key] for key in keys if key in frame.gaps), None)

    def _why_missing(self, frame: Frame) -> str | None:
        """Why nothing of the subject has a value now; None where something has, or is not due."""
        assert self._sampler is not None, "only a sampler brings frames"
        row = self._rows[-1] if self._rows else ()
        mine = [place for place, one in enumerate(self._traces) if bool(one.guest) == (self.question.of != "host")]
        if any(row[place + 1] is not None for place in mine):
            return None
        told = self._reason(frame, self._guest if self.question.of != "guests" else GUESTS)
        values = grouped_frame(frame)
        if told is None and any(self._traces[place].read(values) for place in mine):
            # A ratio without a divisor: of no requests there is no latency.
            return None
        if told is None and not mine and time.monotonic() - self._began < FIRST_VALUES_SECONDS:
            return None
        return told or (self._sampler.source.absent if self.question is CPU else self.question.absent)

    def _told(self) -> str:
        if not self._rows:
            return "No values have come yet."
        if not self._traces:
            return f"No values have come: {self._missing}." if self._missing else "Waiting for the first values."
        newest = self._rows[-1][0] or 0.0
        recent = [row for row in self._rows if (row[0] or 0.0) > newest - CAPTION_OVER_SECONDS]
        seconds = newest - (recent[0][0] or 0.0)
        said = sentence(self._traces, [row[1:] for row in recent], seconds, self._missing)
        return f"{said} {apart({trace.name: period for trace, (_, period) in self._seen.items()})}".strip()

    def _wants(self, series: Series) -> bool:
        return series.metric in self.question.metrics and (
            self.question.of == "guests" or series.guest in ("", self._guest)
        )
