"""What charts tell the page, carried together: a message has a price of its own, whatever it holds.

A message of the kernel costs half a millisecond of its time, so the rows of twelve charts go in one.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

Message = dict[str, Any]
Letter = tuple[str, Message]
"""A chart's address, which its spec tells the page, and what is for it."""


class Post:
    """Letters to the charts of a page, in the order in which they were put."""

    def __init__(self, carry: Callable[[Message], None]) -> None:
        """``carry`` brings one message to the page."""
        self._carry = carry
        self._waiting: list[Letter] = []
        self._lock = threading.Lock()
        self._sending = threading.Lock()

    def put(self, address: str, message: Message) -> None:
        """Have a message sent at the next ``flush``."""
        with self._lock:
            self._waiting.append((address, message))

    def flush(self) -> None:
        """Send what waits. Two threads that flush do so one after the other, so that nothing overtakes."""
        with self._sending:
            with self._lock:
                letters, self._waiting = self._waiting, []
            if letters:
                self._carry({"post": letters})


def _carry(message: Message) -> None:
    from kvmnb.show.live.widget import ensure_runtime

    ensure_runtime().send(message)


POST = Post(_carry)
"""To all charts of this kernel."""
