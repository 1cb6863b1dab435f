"""A chart that a sampler feeds: the logic, apart from its widget."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Any

from kvmnb.core.errors import KvmnbError
from kvmnb.measure.sampler import CAPACITY, Sampler, Subscription
from kvmnb.measure.series import HOST, Frame, Series
from kvmnb.show.live import fallback, owner
from kvmnb.show.live.caption import means, sentence
from kvmnb.show.live.trace import RUN, Trace

if TYPE_CHECKING:
    import pandas as pd

    from kvmnb.show.live.widget import ChartWidget

QUESTION = "Do this guest's vCPUs run, or wait for a CPU?"
AXES = ("runs, % of one CPU", "waits, % of time")
CAPTION_EVERY_SECONDS = 3.0
CAPTION_OVER_SECONDS = 10.0

WIDGET_MIME = "application/vnd.jupyter.widget-view+json"

Row = tuple[float | None, ...]


class LiveChart:
    """vCPU run time and run delay of one guest, moving; or, in its place, why there is nothing to show.

    Shown by being a cell's last expression. ``n`` counts the ticks it got; ``close`` and a re-run of its
    cell take it away, ``stop`` leaves what it shows on the page.
    """

    def __init__(
        self,
        name: str,
        guest: str,
        traces: tuple[Trace, ...],
        sampler: Sampler | None,
        *,
        gap: str | None = None,
        period: float | None = None,
        window: int = 300,
    ) -> None:
        if not 2 <= window <= CAPACITY:
            raise KvmnbError(f"a window of {window} samples cannot be shown; give 2 to {CAPACITY}")
        self.name = name
        self.gap = gap
        """Why there is nothing to show; None where there is."""
        self.n = 0
        self.widget: ChartWidget | None = None
        self._guest = guest
        self._traces = traces
        self._sampler = sampler
        self._window = window
        self._lock = threading.Lock()
        self._rows: deque[Row] = deque(maxlen=window)
        self._caption = "Waiting for the first values."
        self._caption_at = float("-inf")
        self._missing: str | None = None
        self._running = sampler is not None
        self._subscription: Subscription | None = None
        if sampler is not None:
            # Of a sampler that pauses nothing is taken over: a line would join it to what comes now.
            past = sampler.history(self._wants, window) if sampler.subscribers else []
            self._rows.extend(self._row(frame) for frame in past)
            self._subscription = sampler.subscribe(
                self._take, name=f"the live chart of {name}", period=period, guest=guest or None
            )
        # The new chart subscribes before the cell's former one leaves, so that the sampler goes on.
        owner.own(self)

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
        """The lines' last value and their mean over the window, in percent of one CPU."""
        import pandas as pd

        with self._lock:
            rows = tuple(self._rows)
        last = rows[-1][1:] if rows else (None,) * len(self._traces)
        average = means((row[1:] for row in rows), len(self._traces))
        names = [trace.name for trace in self._traces]
        return pd.DataFrame({"last %": last, "mean %": average}, index=names, dtype="float64").round(1)

    def freeze(self) -> None:
        """Keep the lines in the widget's state, so that a saved page shows them without a kernel."""
        if self.widget is not None:
            self.widget.frozen = self._everything()

    def stop(self) -> None:
        """Get no more values; what is shown stays on the page."""
        with self._lock:
            if not self._running:
                return
            self._running = False
            self._caption = f"{self._sentence()} Stopped at {time.strftime('%H:%M:%S')}; run its cell to go on."
            self._send({"caption": self._caption})
        # Not under the lock: the sampler's thread may be waiting for it, and close waits for the thread.
        if self._subscription is not None:
            self._subscription.close()

    def close(self) -> None:
        """Stop, and take the chart off the page."""
        self.stop()
        owner.disown(self)
        if self.widget is not None:
            self.widget.close()
            self.widget = None

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        """The widget's view, and beside it texts that are the same on every run."""
        if self._sampler is None:
            from html import escape

            return {"text/plain": self.caption, "text/html": f"<p>{escape(self.caption)}</p>"}
        subject = f"guest {self.name}"
        bundle: dict[str, Any] = {
            "text/plain": fallback.as_text(QUESTION, subject, self.note),
            "text/html": fallback.as_html(QUESTION, subject, self.note, self._traces, self._sampler.source),
        }
        widget = self._shown()
        bundle[WIDGET_MIME] = {"version_major": 2, "version_minor": 0, "model_id": widget.model_id}
        return bundle

    def _shown(self) -> ChartWidget:
        """The widget, made when the chart is first shown."""
        if self.widget is None:
            from kvmnb.show.live.widget import chart_widget

            widget = chart_widget(self._spec())
            widget.on_msg(self._hear)
            self.widget = widget
        return self.widget

    def _spec(self) -> dict[str, Any]:
        return {
            "question": QUESTION,
            "subject": f"guest {self.name}",
            "note": self.note,
            "axes": AXES,
            "window": self._window,
            "traces": [
                {
                    "subject": trace.subject,
                    "verb": trace.verb,
                    "panel": trace.panel,
                    "legend": trace.panel == RUN,
                    "colour": trace.colour,
                    "dash": trace.dash,
                }
                for trace in self._traces
            ],
        }

    def _hear(self, widget: object, message: dict[str, Any], buffers: object) -> None:
        """A view that opens, now or after a reload of the page, asks for the whole window."""
        if message.get("kind") == "ready":
            with self._lock:
                self._send(self._everything())

    def _everything(self) -> dict[str, Any]:
        return {"all": True, "rows": [list(row) for row in self._rows], "caption": self._caption}

    def _send(self, message: dict[str, Any]) -> None:
        if self.widget is not None:
            self.widget.send(message)

    def _take(self, frame: Frame) -> None:
        """A tick, on the sampler's thread."""
        row = self._row(frame)
        with self._lock:
            if not self._running:
                return
            self._rows.append(row)
            self.n += 1
            self._missing = self._why_missing(frame, row)
            message: dict[str, Any] = {"rows": [list(row)]}
            now = time.monotonic()
            if now - self._caption_at >= CAPTION_EVERY_SECONDS:
                self._caption_at = now
                message["caption"] = self._caption = self._sentence()
            self._send(message)

    def _row(self, frame: Frame) -> Row:
        values = (trace.value(frame.values) for trace in self._traces)
        return (round(frame.at, 3), *(None if value is None else round(value, 2) for value in values))

    def _why_missing(self, frame: Frame, row: Row) -> str | None:
        """Why the guest has no value in this row, or the host none; None where both have."""
        assert self._sampler is not None, "only a sampler brings frames"
        pairs = tuple(zip(self._traces, row[1:], strict=True))
        if all(value is None for trace, value in pairs if trace.guest):
            return frame.why_missing(self._guest) or self._sampler.source.absent
        return frame.gaps.get(HOST)

    def _sentence(self) -> str:
        if not self._rows:
            return "No values have come yet."
        newest = self._rows[-1][0] or 0.0
        recent = [row for row in self._rows if (row[0] or 0.0) > newest - CAPTION_OVER_SECONDS]
        seconds = newest - (recent[0][0] or 0.0)
        return sentence(self._traces, [row[1:] for row in recent], seconds, self._missing)

    def _wants(self, series: Series) -> bool:
        return any(trace.wants(series) for trace in self._traces)
