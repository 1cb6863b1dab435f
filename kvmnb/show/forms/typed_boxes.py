"""One text box for each value that a person may type in the place of the wanted one, with what is wrong beside it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

import ipywidgets

from kvmnb.show import template, words
from kvmnb.show.forms.tune_state import TuneState
from kvmnb.tunable.tunable import Want

# A preview takes some tenths of a second, so it waits for a pause in the typing.
_PAUSE_SECONDS = 0.6


class TypedBoxes:
    """``shown`` opens the boxes in ``rows``; ``changed`` is called when the preview was made anew."""

    def __init__(self, state: TuneState, typed: Callable[[], None], changed: Callable[[], None]) -> None:
        self.shown = ipywidgets.Checkbox(
            description="Type other values than the wanted ones", indent=False, layout={"width": "max-content"}
        )
        self.rows = ipywidgets.VBox(layout={"width": "auto"})
        self.box = ipywidgets.VBox([self.shown, self.rows], layout={"width": "auto"})
        self._state = state
        self._typed = typed
        self._changed = changed
        self._pause: asyncio.TimerHandle | None = None
        self.shown.observe(lambda _change: self.draw(), names="value")

    def draw(self) -> None:
        """Show the boxes of what is chosen now."""
        wants = self._state.wants()
        self.box.layout.display = None if wants else "none"
        former = self.rows.children
        self.rows.children = [self._row(want) for want in wants] if self.shown.value else []
        for row in former:
            _close(row)

    def set_busy(self, busy: bool) -> None:
        """Let nobody type while an action is under way."""
        for widget in (self.shown, *(row.children[0] for row in self.rows.children)):
            widget.disabled = busy

    def close(self) -> None:
        """Take it off the page."""
        self._forget_pause()
        _close(self.box)

    def _row(self, want: Want) -> Any:
        where = words.layer(want.tunable)
        if self._state.typed.both(want, self._state.followed):
            where += " and persistent XML"
        box = ipywidgets.Text(
            value=self._state.typed.text(want),
            description=f"{words.setting(want.tunable)} ({where})",
            continuous_update=True,
            style={"description_width": "28em"},
            layout={"width": "48em", "max_width": "100%"},
        )
        said = ipywidgets.HTML(layout={"width": "auto", "max_width": "34em"})
        self._say(want, said, self._state.typed.problems.get(want.tunable))
        box.observe(partial(self._type, want, said), names="value")
        return ipywidgets.HBox([box, said], layout={"width": "auto", "flex_flow": "row wrap"})

    def _type(self, want: Want, said: Any, change: Any) -> None:
        self._say(want, said, self._state.type(want, change["new"]))
        self._typed()
        self._forget_pause()
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            # A script has no loop that would come back to it.
            self._preview()
            return
        self._pause = loop.call_later(_PAUSE_SECONDS, self._preview)

    def _say(self, want: Want, said: Any, problem: str | None) -> None:
        other = problem is None and self._state.typed.text(want) != want.value
        said.value = template.scope(template.fragment("typed", problem=problem, wanted=want.value if other else None))

    def _preview(self) -> None:
        self._pause = None
        if not self._state.typed.problems:
            self._state.preview()
        self._changed()

    def _forget_pause(self) -> None:
        if self._pause is not None:
            self._pause.cancel()
            self._pause = None


def _close(widget: Any) -> None:
    for child in getattr(widget, "children", ()):
        _close(child)
    widget.close()
