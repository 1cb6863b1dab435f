"""The tuning form: choose a guest and findings, read the preview, press Apply, read the verdict, undo."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import ipywidgets

from kvmnb.advise.finding import Finding, Safety
from kvmnb.apply import guard
from kvmnb.show import template, words
from kvmnb.show.cards import plan as plan_card
from kvmnb.show.cards import verdicts as verdict_card
from kvmnb.show.cards.finding import Shown
from kvmnb.show.forms.countdown import Countdown
from kvmnb.show.forms.tune_state import Outcome, TuneState, Verbs, key
from kvmnb.show.forms.worker import Worker


class TuneForm:
    """Widgets over a TuneState; they show it and pass on what is chosen.

    ``guest``, ``choices`` (one check box for each finding), ``preview``, ``read_costs``, ``guarded``, ``apply``,
    ``undo``, ``keep`` (while a plan waits to be confirmed), ``countdown`` and ``log`` are the widgets, from top to
    bottom.
    """

    def __init__(
        self, here: Verbs, domains: Sequence[str] = (), *, goal: str | None = None, rules: Sequence[str] | None = None
    ) -> None:
        self.state = TuneState(here, domains, goal=goal, rules=rules)
        self.result: Outcome | None = None
        self._worker = Worker()
        self._countdown = Countdown(self._worker.hand_back, self._count)
        self._drawing = False
        self._busy = False
        wide = ipywidgets.Layout(width="auto")
        self.guest = ipywidgets.Dropdown(
            description="Guest", options=self.state.options(), value=self.state.guest, layout={"width": "max-content"}
        )
        self.choices = ipywidgets.VBox(layout=wide)
        self.preview = ipywidgets.HTML(layout=wide)
        self.read_costs = ipywidgets.Checkbox(
            description="I have read what this costs", indent=False, layout={"width": "max-content"}
        )
        self.guarded = ipywidgets.Checkbox(
            description=f"Take it back after {guard.DEFAULT_SECONDS} s unless I press Keep it",
            indent=False,
            layout={"width": "max-content"},
        )
        self.apply = ipywidgets.Button(
            description="Apply", button_style="primary", tooltip="Write what the preview shows"
        )
        self.undo = ipywidgets.Button(description="Undo", tooltip="Take back the last change on this machine")
        self.keep = ipywidgets.Button(
            description="Keep it", button_style="success", tooltip="Confirm the plan that is taken back otherwise"
        )
        self.countdown = ipywidgets.HTML(layout=wide)
        self.progress = ipywidgets.HTML(layout=wide)
        self.log = ipywidgets.HTML(layout=wide)
        self.box = ipywidgets.VBox(
            [
                ipywidgets.HTML(template.enclose(template.fragment("tune_head"))),
                self.guest,
                self.choices,
                self.preview,
                self.read_costs,
                self.guarded,
                ipywidgets.HBox([self.apply, self.undo, self.keep]),
                self.countdown,
                self.progress,
                self.log,
            ],
            layout={"max_width": "1200px"},
        )
        self.guest.observe(self._turn, names="value")
        self.read_costs.observe(lambda _change: self._allow(), names="value")
        self.apply.on_click(lambda _button: self._start(self._apply))
        self.undo.on_click(lambda _button: self._start(self._undo))
        self.keep.on_click(lambda _button: self._start(self._keep))
        self._draw()

    def wait(self, seconds: float = 60.0) -> None:
        """Wait until what a button started has ended; TimeoutError where it takes longer."""
        self._worker.wait(seconds)

    def close(self) -> None:
        """Take the form off the page; an action that runs is waited for."""
        self.wait()
        self._countdown.stop()
        for widget in (*self.choices.children, self.apply, self.undo, self.keep, *self.box.children, self.box):
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

    def _choose(self) -> None:
        if not self._drawing:
            offers = zip(self._boxes(), self.state.offers, strict=True)
            self.state.choose(key(finding) for box, finding in offers if box.value)
            self._draw_preview()

    def _boxes(self) -> list[Any]:
        return [child for child in self.choices.children if isinstance(child, ipywidgets.Checkbox)]

    def _draw(self) -> None:
        """Show the state: every widget anew."""
        self._drawing = True
        try:
            self.guest.options = self.state.options()
            self.guest.value = self.state.guest
            former = self.choices.children
            self.choices.children = self._choices()
            for widget in former:
                widget.close()
        finally:
            self._drawing = False
        self._draw_preview()

    def _choices(self) -> list[Any]:
        made: list[Any] = []
        for finding in self.state.offers:
            box = ipywidgets.Checkbox(
                value=key(finding) in self.state.chosen,
                description=_one_line(finding),
                indent=False,
                layout={"width": "auto"},
            )
            box.observe(lambda _change: self._choose(), names="value")
            made += [box, _html("tune_choice", finding=Shown(finding))]
        if not made:
            made.append(_html("note", text="There is nothing here that this form could set."))
        if self.state.by_hand:
            made.append(_html("tune_by_hand", findings=[Shown(one) for one in self.state.by_hand]))
        return made

    def _draw_preview(self) -> None:
        self.read_costs.value = False
        self.guarded.value = self.state.at_risk
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
        busy = self._busy
        obstacle = self.state.obstacle(self.read_costs.value)
        self.read_costs.layout.display = None if self.state.disruptive and self.state.writable else "none"
        self.apply.disabled = busy or obstacle is not None
        self.undo.disabled = busy or self.state.undoable() is None
        self.keep.disabled = busy
        for widget in (self.guest, self.read_costs, self.guarded, *self._boxes()):
            widget.disabled = busy
        self._count()
        if not busy:
            self.progress.value = _scoped("tune_hint", obstacle=obstacle, journal=self.state.undoable())

    def _start(self, action: Callable[[], Outcome]) -> None:
        if self._busy:
            return
        self._busy = True
        self.progress.value = _scoped("tune_progress", step=None, steps=0, word="")
        for widget in (self.apply, self.undo, self.keep, self.guest, self.read_costs, self.guarded, *self._boxes()):
            widget.disabled = True
        self._worker.start(lambda: self._work(action))

    def _work(self, action: Callable[[], Outcome]) -> None:
        try:
            outcome = action()
        except Exception as fault:
            # The thread's end is nobody's to catch; what it met is shown where the reader looks.
            said = f"kvmnb met something that it does not know: {type(fault).__name__}: {fault}."
            outcome = Outcome(False, f"{said} `kvmnb journal list` shows what was written.")
        self._worker.hand_back(lambda: self._finish(outcome))

    def _apply(self) -> Outcome:
        return self.state.apply(self.read_costs.value, self._step, guarded=self.guarded.value)

    def _keep(self) -> Outcome:
        return self.state.confirm(self._step)

    def _count(self) -> None:
        """Show how long the waiting plan may be kept; the button goes when none waits."""
        left = self.state.seconds_left()
        showed, self.keep.layout.display = self.keep.layout.display, "none" if left is None else None
        self.countdown.value = "" if left is None else _scoped("tune_countdown", left=left)
        if left is not None:
            self._countdown.go_on()
        elif showed is None and not self._busy:
            # The plan was settled elsewhere: by its guard, or from a terminal.
            self._countdown.stop()
            self.state.refresh()
            self._draw()

    def _undo(self) -> Outcome:
        return self.state.undo(self._step)

    def _step(self, step: int, steps: int, word: str) -> None:
        said = _scoped("tune_progress", step=step, steps=steps, word=word)

        def show() -> None:
            self.progress.value = said

        self._worker.hand_back(show)

    def _finish(self, outcome: Outcome) -> None:
        self.result = outcome
        self._busy = False
        table = verdict_card.fragment(outcome.verdicts) if outcome.verdicts else ""
        self.log.value = _scoped("tune_outcome", outcome=outcome, table=table)
        self._draw()


def _one_line(finding: Finding) -> str:
    mark = "" if finding.safety is Safety.SAFE else " (it costs something)"
    return f"{finding.title}{mark}"


def _scoped(name: str, /, **values: Any) -> str:
    return template.scope(template.fragment(name, **values))


def _html(name: str, /, **values: Any) -> Any:
    return ipywidgets.HTML(_scoped(name, **values), layout={"width": "auto"})
