"""One long action at a time, off the kernel's thread; what it says comes back on that thread."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable


class Worker:
    """Runs an action in a thread of its own and hands callables back to the thread that started it.

    Widgets may be touched by the kernel's thread alone. Without a running loop (a script, a test)
    nobody would fetch the callables, so there the worker calls them itself.
    """

    def __init__(self) -> None:
        self._loop = _loop_of_this_thread()
        self._thread: threading.Thread | None = None
        self._waiting: deque[Callable[[], None]] = deque()
        self._turn = threading.RLock()

    def start(self, action: Callable[[], None]) -> None:
        """Run an action; the one before must have ended."""
        self._loop = _loop_of_this_thread()
        self._thread = threading.Thread(target=action, name="kvmnb-form", daemon=True)
        self._thread.start()

    def hand_back(self, call: Callable[[], None]) -> None:
        """Have the starting thread call this soon, in the order of handing back."""
        self._waiting.append(call)
        if self._loop is None or self._loop.is_closed():
            self._drain()
        else:
            self._loop.call_soon_threadsafe(self._drain)

    def wait(self, seconds: float) -> None:
        """Wait until the action has ended and all that it handed back was called."""
        if self._thread is not None:
            self._thread.join(seconds)
            if self._thread.is_alive():
                raise TimeoutError(f"the action that this form started still runs after {seconds:g} s")
        self._drain()

    def _drain(self) -> None:
        with self._turn:
            while self._waiting:
                self._waiting.popleft()()


def _loop_of_this_thread() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
