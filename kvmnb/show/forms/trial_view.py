"""The countdown of a plan that waits to be confirmed, and the button that keeps it."""

from __future__ import annotations

from collections.abc import Callable

import ipywidgets

from kvmnb.show import template
from kvmnb.show.forms.desk import Desk
from kvmnb.show.forms.journal_state import JournalState
from kvmnb.show.forms.trial import Trial, Waits


class TrialView:
    """``countdown`` and ``keep``, shown while a plan waits; ``settled`` is called when something else ended that."""

    def __init__(self, desk: Desk, journals: JournalState, settled: Callable[[], None]) -> None:
        self.countdown = ipywidgets.HTML(layout={"width": "auto"})
        self.keep = ipywidgets.Button(
            description="Keep it", button_style="success", tooltip="Confirm the plan that is taken back otherwise"
        )
        self._desk = desk
        self._journals = journals
        self._settled = settled
        self._followed: Trial | None = None
        self.keep.on_click(lambda _button: self._keep())

    def draw(self) -> None:
        """Follow the plan that waits now, if any."""
        self._followed = self._journals.trial
        self.keep.disabled = self._desk.busy
        self._count()

    def _count(self) -> None:
        found = None if self._followed is None else self._followed.look()
        waits = isinstance(found, Waits)
        self.keep.layout.display = None if waits else "none"
        if found is None:
            self.countdown.value = ""
            self._desk.rest()
        elif isinstance(found, Waits | str):
            said = template.fragment("tune_countdown", waits=found if waits else None, said=found)
            self.countdown.value = template.scope(said)
            self._desk.each_second(self._count)
        elif not self._desk.busy:
            # Something else settled it: its guard, or a person at a terminal.
            self._followed = None
            self.countdown.value = ""
            self._desk.rest()
            self._desk.say(found)
            self._settled()

    def _keep(self) -> None:
        if self._followed is not None:
            journal_id = self._followed.journal.id
            self._desk.start(lambda progress: self._journals.keep(journal_id, progress))

    def close(self) -> None:
        """Take both off the page."""
        self.countdown.close()
        self.keep.close()
