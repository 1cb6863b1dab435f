"""A thread with a libvirt connection of its own: a call that does not end holds up this thread alone."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from kvmnb.core.errors import DomainGone, NotAnswered


class Asked(Protocol):
    """What a lane asks: libvirt's counters."""

    def running(self) -> Mapping[str, str]:
        """The name of every running guest by UUID."""
        ...

    def of(self, uuid: str, groups: tuple[str, ...]) -> Mapping[str, object]:
        """What is counted of one guest."""
        ...

    def close(self) -> None:
        """Let go of the connection."""
        ...


Question = Callable[[Asked], Mapping[str, object]]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one question."""

    lane: Lane
    told: Mapping[str, object] | Exception
    at: float
    """When it came, on the monotonic clock."""
    took: float


class Lane:
    """Asks one question at a time and puts the answer into a queue that all lanes share."""

    def __init__(self, connect: Callable[[], Asked], answers: queue.SimpleQueue[Answer | None]) -> None:
        self.subject: str | None = None
        """Of whom is being asked; None while the lane is free. Set and cleared by who asks."""
        self.asked_at = 0.0
        self.late = False
        """Whether who asked has stopped waiting for it."""
        self._connect = connect
        self._connected: Asked | None = None
        self._questions: queue.SimpleQueue[Question | None] = queue.SimpleQueue()
        self._answers = answers
        self._thread = threading.Thread(target=self._run, name="kvmnb-libvirt", daemon=True)
        self._thread.start()

    def ask(self, subject: str, question: Question) -> None:
        """Ask a question of a subject; the lane must be free."""
        self.subject, self.asked_at, self.late = subject, time.monotonic(), False
        self._questions.put(question)

    def end(self) -> None:
        """End the thread, and wait for that unless a call is under way: then it ends with the call."""
        self._questions.put(None)
        if self.subject is None:
            self._thread.join()

    def _run(self) -> None:
        while (question := self._questions.get()) is not None:
            began = time.monotonic()
            told = self._told(question)
            ended = time.monotonic()
            self._answers.put(Answer(self, told, ended, ended - began))
        self._drop()

    def _told(self, question: Question) -> Mapping[str, object] | Exception:
        try:
            if self._connected is None:
                self._connected = self._connect()
            return question(self._connected)
        except (DomainGone, NotAnswered) as problem:
            return problem
        except Exception as problem:
            # Who asked shows it. The connection is opened anew with the next question.
            self._drop()
            return problem

    def _drop(self) -> None:
        connected, self._connected = self._connected, None
        if connected is not None:
            connected.close()
