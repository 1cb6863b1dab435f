"""A call each second, for as long as a plan waits to be confirmed."""

from __future__ import annotations

import threading
from collections.abc import Callable

_SECOND = 1.0
_END_SECONDS = 5.0


class Countdown:
    """Has ``call`` called on the form's own thread each second, from ``go_on`` until ``stop``.

    While that thread is busy one call waits there, not one for each second that went by.
    """

    def __init__(self, hand_back: Callable[[Callable[[], None]], None], call: Callable[[], None]) -> None:
        self._hand_back = hand_back
        self._call = call
        self._stopped = threading.Event()
        self._waits = threading.Event()
        self._thread: threading.Thread | None = None

    def go_on(self) -> None:
        """Start, where it does not run already."""
        if self._thread is None or not self._thread.is_alive() or self._stopped.is_set():
            self._stopped = threading.Event()
            self._thread = threading.Thread(
                target=self._run, args=(self._stopped,), name="kvmnb-countdown", daemon=True
            )
            self._thread.start()

    def stop(self) -> None:
        """End it, and wait for its thread; a call that was handed over may still come."""
        self._stopped.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(_END_SECONDS)

    def _run(self, stopped: threading.Event) -> None:
        while not stopped.wait(_SECOND):
            if not self._waits.is_set():
                self._waits.set()
                self._hand_back(self._tick)

    def _tick(self) -> None:
        self._waits.clear()
        self._call()
