"""The tuning form: choose a guest and findings, read the preview, press Apply, read the verdict, undo."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import ipywidgets

from kvmnb.advise.finding import Finding, Safety
from kvmnb.apply.progress import Progress
from kvmnb.show import template, words
from kvmnb.show.cards import plan as plan_card
from kvmnb.show.cards.finding import Shown
from kvmnb.show.forms.desk import Desk
from kvmnb.show.forms.journal_pane import JournalRows
from kvmnb.show.forms.outcome import Outcome
from kvmnb.show.forms.trial_view import TrialView
from kvmnb.show.forms.tune_state import TuneState, key
from kvmnb.show.forms.typed_boxes import TypedBoxes
from kvmnb.show.forms.verbs import Verbs

# Not None: a Dropdown takes that value for nothing chosen, and a page then shows an empty box.
_AS_NEEDED = -1
_GUARDS = (("no, do not guard it", 0), *((f"{seconds} s", seconds) for seconds in (30, 60, 120, 300)))


class TuneForm:
    """Widgets over a TuneState; they show it and pass on what is chosen.

    From top to bottom: ``guest``, ``choices`` (one check box for each finding), ``typed`` (values to type),
    ``preview``, ``lasting``, ``guarded``, ``read_costs``, ``override``, ``apply``, ``undo``, ``keep`` and
    ``countdown`` (while a plan waits to be confirmed), ``progress``, ``log``, and ``journals``.
    """

    def __init__(
        self, here: Verbs, domains: Sequence[str] = (), *, goal: str | None = None, rules: Sequence[str] | None = None
    ) -> None:
        self.state = TuneState(here, domains, goal=goal, rules=rules)
        self.desk = Desk()
        self._drawing = False
        wide = ipywidgets.Layout(width="auto")
        self.guest = ipywidgets.Dropdown(
            description="Guest", options=self.state.options(), value=self.state.guest, layout={"width": "max-content"}
        )
        self.choices = ipywidgets.VBox(layout=wide)
        self.typed = TypedBoxes(self.state, self._allow, self._draw_preview)
        self.preview = ipywidgets.HTML(layout=wide)
        self.lasting = _check_box("Also after a reboot: host settings come with their lasting form", value=True)
        self.read_costs = _check_box("I have read what this costs")
        self.override = _check_box("")
        self.guarded = ipywidgets.Dropdown(
            description="Keep only if confirmed within",
            options=[("as needed", _AS_NEEDED), *_GUARDS],
            style={"description_width": "initial"},
            layout={"width": "max-content"},
        )
        self.apply = ipywidgets.Button(
            description="Apply", button_style="primary", tooltip="Write what the preview shows"
        )
        self.undo = ipywidgets.Button(description="Undo", tooltip="Take back the last change on this machine")
        self.hint = ipywidgets.HTML(layout=wide)
        self.trial = TrialView(self.desk, self.state.journals, self._look)
        self.keep, self.countdown = self.trial.keep, self.trial.countdown
        self.journals = JournalRows(self.desk, self.state.journals)
        self.progress, self.log = self.desk.progress, self.desk.log
        self.box = ipywidgets.VBox(
            [
                ipywidgets.HTML(template.enclose(template.fragment("tune_head"))),
                self.guest,
                self.choices,
                self.typed.box,
                self.preview,
                self.lasting,
                self.guarded,
                self.read_costs,
                self.override,
                ipywidgets.HBox([self.apply, self.undo, self.keep]),
                self.hint,
                self.countdown,
                self.progress,
                self.log,
                ipywidgets.HTML(template.scope(template.fragment("journal_head"))),
                self.journals.box,
            ],
            layout={"max_width": "1200px"},
        )
        self.guest.observe(self._turn, names="value")
        self.lasting.observe(self._last, names="value")
        for box in (self.read_costs, self.override):
            box.observe(lambda _change: self._allow(), names="value")
        self.apply.on_click(lambda _button: self.desk.start(self._apply))
        self.undo.on_click(lambda _button: self.desk.start(self.state.undo))
        self.desk.hear(self._turn_over)
        self._draw()

    @property
    def result(self) -> Outcome | None:
        """What came of the last button that was pressed."""
        return self.desk.result

    def wait(self, seconds: float = 60.0) -> None:
        """Wait until what a button started has ended; TimeoutError where it takes longer."""
        self.desk.wait(seconds)

    def close(self) -> None:
        """Take the form off the page; an action that runs is waited for."""
        self.desk.close()
        self.typed.close()
        self.trial.close()
        self.journals.close()
        for widget in (*self.choices.children, self.apply, self.undo, *self.box.children, self.box):
            widget.close()

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        """The widgets, and for a page without a kernel what they show."""
        found: Any = self.box._repr_mimebundle_()
        shown: dict[str, Any] = dict(found[0] if isinstance(found, tuple) else found)
        shown["text/html"] = template.page(
            "tune",
            label=self._label(),
            offers=[(Shown(one), key(one) in self.state.chosen) for one in self.state.offers],
            by_hand=[Shown(one) for one in self.state.by_hand],
            conflicts=self.state.conflicts,
            muted=self.state.muted,
            preview=self._preview(),
        )
        shown["text/plain"] = self._text()
        return shown

    def _text(self) -> str:
        plan = self.state.plan
        said = self.state.problem or ("" if plan is None or not self.state.chosen else plan_card.headline(plan))
        chosen = f"{len(self.state.chosen)} of {words.plural(len(self.state.offers), 'finding')} chosen"
        return f"Tuning form for {self._label()}: {chosen}. {said}".rstrip()

    def _label(self) -> str:
        return next(label for label, name in self.state.options() if name == self.state.guest)

    def _turn(self, change: Any) -> None:
        if not self._drawing:
            self.state.turn_to(change["new"])
            self._draw()

    def _last(self, change: Any) -> None:
        if not self._drawing:
            self.state.make_lasting(change["new"])
            self._draw_preview()

    def _choose(self) -> None:
        if not self._drawing:
            offers = zip(self._boxes(), self.state.offers, strict=True)
            self.state.choose(key(finding) for box, finding in offers if box.value)
            self.typed.draw()
            self._draw_preview()

    def _boxes(self) -> list[Any]:
        return [child for child in self.choices.children if isinstance(child, ipywidgets.Checkbox)]

    def _turn_over(self) -> None:
        """An action began, or has ended."""
        if self.desk.busy:
            self._allow()
            self.journals.draw()
        else:
            self._draw()

    def _look(self) -> None:
        """Something else settled the plan that waited: its guard, or a person at a terminal."""
        self.state.refresh()
        self._draw()

    def _draw(self) -> None:
        """Show the state: every widget anew."""
        self._drawing = True
        try:
            self.guest.options = self.state.options()
            self.guest.value = self.state.guest
            self.lasting.value = self.state.lasting
            former = self.choices.children
            self.choices.children = self._choices()
            for widget in former:
                widget.close()
        finally:
            self._drawing = False
        self.typed.draw()
        self.journals.draw()
        self._draw_preview()
        self.trial.draw()

    def _choices(self) -> list[Any]:
        made: list[Any] = []
        if self.state.conflicts:
            made.append(_html("tune_conflicts", conflicts=self.state.conflicts))
        for finding in self.state.offers:
            box = ipywidgets.Checkbox(
                value=key(finding) in self.state.chosen,
                description=_one_line(finding),
                indent=False,
                layout={"width": "auto"},
            )
            box.observe(lambda _change: self._choose(), names="value")
            made += [box, _html("tune_choice", finding=Shown(finding))]
        if not self.state.offers:
            made.append(_html("note", text="There is nothing here that this form could set."))
        if self.state.by_hand:
            made.append(_html("tune_by_hand", findings=[Shown(one) for one in self.state.by_hand]))
        if self.state.muted:
            made.append(_html("tune_muted", muted=self.state.muted))
        return made

    def _draw_preview(self) -> None:
        self.read_costs.value = self.override.value = False
        owners = words.listed(list(dict.fromkeys(check.subject for check in self.state.owned)))
        self.override.description = f"Change {owners} although another program owns it" if owners else ""
        seconds = self.state.default_seconds
        as_needed = f"as needed ({seconds} s: it touches your own link)" if seconds else "as needed (not needed here)"
        chosen = self.guarded.value
        self.guarded.options = [(as_needed, _AS_NEEDED), *_GUARDS]
        self.guarded.value = chosen
        self.preview.value = template.scope(self._preview())
        self._allow()

    def _preview(self) -> str:
        if self.state.problem is not None:
            return template.fragment("problem", text=self.state.problem)
        assert self.state.plan is not None, "a choice has a plan or a problem"
        if not self.state.chosen:
            return template.fragment("note", text="Nothing is chosen, so nothing would change.")
        return plan_card.fragment(self.state.plan)

    def _allow(self) -> None:
        """Enable what may be pressed now, and say why Apply may not."""
        busy, writable = self.desk.busy, self.state.writable
        obstacle = self.state.obstacle(self.read_costs.value, override_owner=self.override.value)
        _show(self.read_costs, self.state.disruptive and writable)
        _show(self.override, bool(self.state.owned) and writable)
        _show(self.lasting, self.state.on_host)
        _show(self.guarded, writable)
        self.apply.disabled = busy or obstacle is not None
        self.undo.disabled = busy or self.state.undoable() is None
        self.keep.disabled = busy
        for widget in (self.guest, self.lasting, self.guarded, self.read_costs, self.override, *self._boxes()):
            widget.disabled = busy
        self.typed.set_busy(busy)
        self.hint.value = "" if busy else _scoped("tune_hint", obstacle=obstacle, journal=self.state.undoable())

    def _apply(self, progress: Progress) -> Outcome:
        return self.state.apply(
            self.read_costs.value,
            progress,
            confirm_within=None if self.guarded.value == _AS_NEEDED else self.guarded.value,
            override_owner=self.override.value,
        )


def _one_line(finding: Finding) -> str:
    mark = "" if finding.safety is Safety.SAFE else " (it costs something)"
    return f"{finding.title}{mark}"


def _check_box(description: str, *, value: bool = False) -> Any:
    return ipywidgets.Checkbox(value=value, description=description, indent=False, layout={"width": "max-content"})


def _show(widget: Any, shown: bool) -> None:
    widget.layout.display = None if shown else "none"


def _scoped(name: str, /, **values: Any) -> str:
    return template.scope(template.fragment(name, **values))


def _html(name: str, /, **values: Any) -> Any:
    return ipywidgets.HTML(_scoped(name, **values), layout={"width": "auto"})
