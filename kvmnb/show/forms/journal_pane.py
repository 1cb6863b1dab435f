"""The journal pane: what was changed on this machine, what of it stands, and how it is settled or taken back."""

from __future__ import annotations

from functools import partial
from typing import Any

import ipywidgets

from kvmnb.show import template
from kvmnb.show.forms.desk import Desk
from kvmnb.show.forms.journal_state import Deed, JournalState, Row
from kvmnb.show.forms.trial_view import TrialView
from kvmnb.show.forms.verbs import Verbs

SHOWN = 8
"""How many journals are shown; all that want settling are."""

_TOOLTIPS = {
    Deed.UNDO: "Take back what stands of this journal",
    Deed.RESUME: "Bring this plan to its end, forward or back",
    Deed.KEEP: "Confirm this plan, which is taken back otherwise",
}


class JournalRows:
    """A row of buttons below each journal's card; ``box`` stands in a form or in a pane of its own."""

    def __init__(self, desk: Desk, journals: JournalState) -> None:
        self.rows = ipywidgets.VBox(layout={"width": "auto"})
        self.take_drifted = ipywidgets.Checkbox(
            description="Undo also what something else changed since",
            indent=False,
            layout={"width": "max-content"},
        )
        self.box = ipywidgets.VBox([self.rows, self.take_drifted], layout={"width": "auto"})
        self._desk = desk
        self._journals = journals

    @property
    def buttons(self) -> list[Any]:
        """Every button, from the newest journal's on."""
        return [button for row in self.rows.children for button in getattr(row.children[-1], "children", ())]

    def draw(self) -> None:
        """Show the journals as they were last looked at."""
        if self._desk.busy:
            for widget in (*self.buttons, self.take_drifted):
                widget.disabled = True
            return
        former = self.rows.children
        self.rows.children = self._drawn()
        for row in former:
            _close(row)
        self.take_drifted.value = self.take_drifted.disabled = False
        can_undo = any(button.description.startswith(Deed.UNDO.value) for button in self.buttons)
        self.take_drifted.layout.display = None if can_undo else "none"

    def close(self) -> None:
        """Take it off the page."""
        for row in self.rows.children:
            _close(row)
        _close(self.box)

    def _drawn(self) -> list[Any]:
        if self._journals.problem is not None:
            return [_shown("problem_alone", text=self._journals.problem)]
        rows = self._journals.rows()
        shown = [row for number, row in enumerate(rows) if number < SHOWN or row.deeds[:1] not in ((), (Deed.UNDO,))]
        if not rows:
            return [_shown("note", text="Nothing was changed on this machine yet.")]
        made = [self._row(row) for row in shown]
        if len(shown) < len(rows):
            made.append(_shown("note", text=f"{len(rows) - len(shown)} older ones: `kvmnb journal list` shows them."))
        return made

    def _row(self, row: Row) -> Any:
        buttons = []
        for deed in row.deeds:
            button = ipywidgets.Button(
                description=f"{deed.value} {row.id}", tooltip=_TOOLTIPS[deed], layout={"width": "max-content"}
            )
            button.on_click(partial(self._press, deed, row.id))
            buttons.append(button)
        card = ipywidgets.HTML(template.scope(template.fragment("journal_row", row=row)), layout={"width": "auto"})
        return ipywidgets.VBox([card, ipywidgets.HBox(buttons)], layout={"width": "auto"})

    def _press(self, deed: Deed, journal_id: str, _button: Any) -> None:
        take_drifted = self.take_drifted.value
        match deed:
            case Deed.UNDO:
                self._desk.start(lambda progress: self._journals.undo(journal_id, progress, take_drifted=take_drifted))
            case Deed.RESUME:
                self._desk.start(lambda progress: self._journals.resume(journal_id, progress))
            case Deed.KEEP:
                self._desk.start(lambda progress: self._journals.keep(journal_id, progress))


class JournalPane:
    """The journals of one machine on their own: ``here.journal_pane()``."""

    def __init__(self, here: Verbs) -> None:
        self.desk = Desk()
        self.state = JournalState(here)
        self.trial = TrialView(self.desk, self.state, self._look)
        self.journals = JournalRows(self.desk, self.state)
        self.box = ipywidgets.VBox(
            [
                ipywidgets.HTML(template.enclose(template.fragment("journal_head"))),
                self.trial.countdown,
                self.trial.keep,
                self.journals.box,
                self.desk.progress,
                self.desk.log,
            ],
            layout={"max_width": "1200px"},
        )
        self.desk.hear(self._draw)
        self._draw()

    def wait(self, seconds: float = 60.0) -> None:
        """Wait until what a button started has ended; TimeoutError where it takes longer."""
        self.desk.wait(seconds)

    def close(self) -> None:
        """Take the pane off the page; an action that runs is waited for."""
        self.desk.close()
        self.trial.close()
        self.journals.close()
        _close(self.box)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        """The widgets, and for a page without a kernel what they show."""
        found: Any = self.box._repr_mimebundle_()
        shown: dict[str, Any] = dict(found[0] if isinstance(found, tuple) else found)
        rows = self.state.rows()
        shown["text/html"] = template.page("journal_pane", rows=rows[:SHOWN], problem=self.state.problem)
        shown["text/plain"] = "\n".join(
            [f"Journals of this machine: {len(rows)}", *(f"{row.id}: {row.state}, on {row.on}" for row in rows)]
        )
        return shown

    def _look(self) -> None:
        self.state.look()
        self._draw()

    def _draw(self) -> None:
        self.journals.draw()
        self.trial.draw()


def _shown(name: str, /, **values: Any) -> Any:
    card = ipywidgets.HTML(template.scope(template.fragment(name, **values)), layout={"width": "auto"})
    return ipywidgets.VBox([card, ipywidgets.HBox([])], layout={"width": "auto"})


def _close(widget: Any) -> None:
    for child in getattr(widget, "children", ()):
        _close(child)
    widget.close()
