"""One action at a time, for all forms that share a page: its progress and what came of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ipywidgets

from kvmnb.apply.progress import Progress
from kvmnb.show import template
from kvmnb.show.cards import verdicts as verdict_card
from kvmnb.show.forms.countdown import Countdown
from kvmnb.show.forms.outcome import Outcome
from kvmnb.show.forms.worker import Worker

_open: set[Desk] = set()


class Desk:
    """``progress`` and ``log`` are its widgets; ``hear`` takes who wants to know when it gets busy and free."""

    def __init__(self) -> None:
        self.progress = ipywidgets.HTML(layout={"width": "auto"})
        self.log = ipywidgets.HTML(layout={"width": "auto"})
        self.result: Outcome | None = None
        self.busy = False
        self._worker = Worker()
        self._hearers: list[Callable[[], None]] = []
        self._each_second: list[Callable[[], None]] = []
        self._countdown = Countdown(self._worker.hand_back, self._tick)

    def hear(self, call: Callable[[], None]) -> None:
        """Call this whenever an action begins or has ended; after the end the machine may be another one."""
        self._hearers.append(call)

    def each_second(self, call: Callable[[], None]) -> None:
        """Call this each second from now on, once however often it is asked for, until ``rest``."""
        if call not in self._each_second:
            self._each_second.append(call)
        _open.add(self)
        self._countdown.go_on()

    def rest(self) -> None:
        """Call nobody each second any more."""
        self._each_second.clear()
        _open.discard(self)
        self._countdown.stop()

    def start(self, action: Callable[[Progress], Outcome]) -> None:
        """Begin an action off this thread; nothing happens while another one is under way."""
        if self.busy:
            return
        self.busy = True
        self.progress.value = _scoped("tune_progress", step=None, steps=0, word="")
        self._call()
        self._worker.start(lambda: self._work(action))

    def say(self, outcome: Outcome) -> None:
        """Show what came of something."""
        self.result = outcome
        table = verdict_card.fragment(outcome.verdicts) if outcome.verdicts else ""
        self.log.value = _scoped("tune_outcome", outcome=outcome, table=table)

    def wait(self, seconds: float) -> None:
        """Wait until what was begun has ended; TimeoutError where it takes longer."""
        self._worker.wait(seconds)

    def close(self, seconds: float = 60.0) -> None:
        """Wait for what is under way, and leave no thread and no widget."""
        self.wait(seconds)
        self.rest()
        self.progress.close()
        self.log.close()

    def _work(self, action: Callable[[Progress], Outcome]) -> None:
        try:
            outcome = action(self._step)
        except Exception as fault:
            # The thread's end is nobody's to catch; what it met is shown where the reader looks.
            said = f"kvmnb met something that it does not know: {type(fault).__name__}: {fault}."
            outcome = Outcome(False, f"{said} `kvmnb journal list` shows what was written.")
        self._worker.hand_back(lambda: self._finish(outcome))

    def _step(self, step: int, steps: int, word: str) -> None:
        said = _scoped("tune_progress", step=step, steps=steps, word=word)

        def show() -> None:
            self.progress.value = said

        self._worker.hand_back(show)

    def _finish(self, outcome: Outcome) -> None:
        self.busy = False
        self.progress.value = ""
        self.say(outcome)
        self._call()

    def _call(self) -> None:
        for call in self._hearers:
            call()

    def _tick(self) -> None:
        for call in tuple(self._each_second):
            call()


def close_all() -> None:
    """Let no desk call anybody each second any more."""
    for desk in tuple(_open):
        desk.rest()


def _scoped(name: str, /, **values: Any) -> str:
    return template.scope(template.fragment(name, **values))
