"""A call that may hang, waited for no longer than its time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from kvmnb.core.errors import NotAnswered

T = TypeVar("T")


class _Call(Generic[T]):
    def __init__(self, call: Callable[[], T]) -> None:
        self._call = call
        self.done = threading.Event()
        self.problem: BaseException | None = None
        self.answer: T

    def run(self) -> None:
        try:
            self.answer = self._call()
        except BaseException as problem:
            self.problem = problem
        self.done.set()


def within(seconds: float, call: Callable[[], T], doing: str) -> T:
    """The call's answer; NotAnswered where there is none in time.

    libvirt's calls cannot be cancelled: a late one goes on in its thread, and its answer is dropped.
    """
    waiting = _Call(call)
    threading.Thread(target=waiting.run, name="kvmnb-deadline", daemon=True).start()
    if not waiting.done.wait(seconds):
        raise NotAnswered(f"{doing}: no answer within {seconds:g} s")
    if waiting.problem is not None:
        raise waiting.problem
    return waiting.answer
