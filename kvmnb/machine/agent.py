"""Questions to the agents in guests, which may never answer.

libvirt waits five seconds for an agent to wake up, and then without a limit for each answer; the limit
that it offers is kept with the domain and would bind other programs too. So a question is asked over a
connection of its own by a thread that is left behind where it does not end in time. It ends when the
agent answers or the guest stops; until then that guest is not asked again.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeVar

from kvmnb.core.errors import NotAnswered
from kvmnb.machine.agent_program import run
from kvmnb.machine.hypervisor import Ended

T = TypeVar("T")


class Agents:
    """The guest agents behind one URI."""

    def __init__(self, libvirt: Any, uri: str) -> None:
        self._libvirt = libvirt
        self._uri = uri
        self._asked: dict[str, threading.Thread] = {}

    def ask(self, uuid: str, seconds: float) -> Mapping[str, object]:
        """What the agent of one guest tells; NotAnswered where it does not within ``seconds``."""
        return self._asked_of(uuid, seconds, self._answers_of)

    def run(self, uuid: str, program: str, arguments: tuple[str, ...], seconds: float) -> Ended:
        """Run a program in one guest, which taints it; NotAnswered where it has not ended within ``seconds``."""
        return self._asked_of(uuid, seconds + 1, partial(run, program, arguments, seconds))

    def _asked_of(self, uuid: str, seconds: float, ask: Callable[[Any], T]) -> T:
        earlier = self._asked.get(uuid)
        if earlier is not None and earlier.is_alive():
            raise NotAnswered("the guest agent has not answered an earlier question yet")
        answers: queue.SimpleQueue[T | Exception] = queue.SimpleQueue()
        thread = threading.Thread(target=self._run, args=(uuid, ask, answers), name="kvmnb-agent", daemon=True)
        self._asked[uuid] = thread
        thread.start()
        try:
            answer = answers.get(timeout=seconds)
        except queue.Empty:
            raise NotAnswered(f"the guest agent did not answer within {seconds:g} seconds") from None
        # A thread that has answered is about to end, and the next question may come at once.
        thread.join(1)
        if isinstance(answer, Exception):
            raise NotAnswered(f"the guest agent cannot be asked: {answer}") from answer
        return answer

    def _run(self, uuid: str, ask: Callable[[Any], T], answers: queue.SimpleQueue[T | Exception]) -> None:
        try:
            connect = self._libvirt.open(self._uri)
        except self._libvirt.libvirtError as problem:
            answers.put(problem)
            return
        try:
            answers.put(ask(connect.lookupByUUIDString(uuid)))
        except (self._libvirt.libvirtError, NotAnswered) as problem:
            answers.put(problem)
        finally:
            connect.close()

    def _answers_of(self, domain: Any) -> Mapping[str, object]:
        """Each kind of question for itself: an agent may know one and not the other."""
        names = ("OS", "FILESYSTEM", "INTERFACES")
        flags = [getattr(self._libvirt, f"VIR_DOMAIN_GUEST_INFO_{name}", 0) for name in names]
        found: dict[str, object] = {}
        last: Exception | None = None
        for call in (*(lambda flag=flag: domain.guestInfo(flag) for flag in flags if flag), domain.guestVcpus):
            try:
                answer = call()
            except self._libvirt.libvirtError as problem:
                if problem.get_error_code() == self._libvirt.VIR_ERR_AGENT_UNRESPONSIVE:
                    raise
                last = problem
                continue
            if answer is None:
                # The binding of guestInfo does not raise what went wrong.
                last = NotAnswered(self._libvirt.virGetLastErrorMessage())
            else:
                found.update(answer)
        if not found and last is not None:
            raise last
        return found
