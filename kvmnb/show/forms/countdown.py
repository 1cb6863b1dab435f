"""A call each second, for as long as a plan waits to be confirmed."""

from __future__ import annotations

import threading
from collections.abc import Callable

_SECOND = 1.0


class Countdown:
    """Has ``call`` called on the form's own thread each second, from ``go_on`` until ``stop``."""

    def __init__(self, hand_back: Callable[[Callable[[], None]], None], call: Callable[[], None]) -> None:
        self._hand_back = hand_back
        self._call = call
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def go_on(self) -> None:
        """Start, where it does not run already."""
        if self._thread is None or not self._thread.is_alive():
            self._stopped = threading.Event()
            self._thread = threading.Thread(
                target=self._run, args=(self._stopped,), name="kvmnb-countdown", daemon=True
            )
            self._thread.start()

    def stop(self) -> None:
        """End it; a call that was handed over may still come."""
        self._stopped.set()

    def _run(self, stopped: threading.Event) -> None:
        while not stopped.wait(_SECOND):
            self._hand_back(self._call)
