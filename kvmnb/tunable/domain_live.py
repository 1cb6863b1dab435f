"""A pin of a running guest's thread, without its persistent configuration."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from kvmnb.core.cpuset import CpuSet
from kvmnb.core.errors import KvmnbError, NotAnswered, Refused, WriteFailed
from kvmnb.machine.hypervisor import Pins, Thread
from kvmnb.machine.machine import Machine
from kvmnb.machine.processes import qemu_processes, threads
from kvmnb.tunable.running_guest import RunningGuest, stopped
from kvmnb.tunable.spelling import percent_encode, shell_word
from kvmnb.tunable.target import domain_of
from kvmnb.tunable.tunable import State, Undo, Verdict

_PATH = re.compile(r"(vcpupin|iothreadpin)\[([0-9]{1,5})\]|emulatorpin")
# The list of every second CPU of a host with 4096 CPUs stays below it.
MAX_CHARACTERS = 12_000


@dataclass(frozen=True, slots=True)
class DomainLive(RunningGuest):
    """Where one thread of a running guest may run: a CPU list.

    Its undo is equal in effect: libvirt cannot forget a live pin, so a thread that floated is pinned
    to all CPUs, which the live XML then shows.
    """

    kind: ClassVar[str] = "domain_live"

    thread: Thread
    number: int = 0

    @classmethod
    def parse(cls, target: str, path: str, domains: Mapping[str, str]) -> DomainLive:
        """From ``vcpupin[3]``, ``iothreadpin[1]`` or ``emulatorpin``."""
        domain, uuid = domain_of(target, domains)
        match = _PATH.fullmatch(path)
        if match is None:
            raise Refused(f"{path[:80]!r} names no live setting; the forms are vcpupin[N], iothreadpin[N], emulatorpin")
        return cls(domain, uuid, Thread(match[1] or path), int(match[2] or 0))

    @property
    def rank(self) -> int:
        # A vCPU or iothread that the plan makes is there before it is pinned.
        return 1 + self.number

    @property
    def undo(self) -> Undo:
        return Undo.EQUAL_IN_EFFECT

    def check(self, value: str | None) -> None:
        if not value or len(value) > MAX_CHARACTERS:
            raise Refused(f"the live {self.path} of domain {self.domain!r} cannot be taken away, only widened")
        try:
            CpuSet.parse(value)
        except KvmnbError as problem:
            raise Refused(f"the live {self.path} of domain {self.domain!r}: {problem}") from problem

    def read(self, machine: Machine) -> str | None:
        try:
            found = _pin_of(machine.libvirt.pins(self.uuid), self.thread, self.number)
        except NotAnswered:
            return None
        return None if found is None else str(found)

    def write(self, machine: Machine, value: str | None) -> None:
        self.check(value)
        try:
            machine.libvirt.pin(self.uuid, self.thread, self.number, CpuSet.parse(str(value)))
        except KvmnbError as problem:
            raise WriteFailed(str(problem)) from problem

    def verify(self, machine: Machine, value: str | None) -> Verdict:
        """By the affinity of the guest's own threads where they can be read, else by libvirt's word."""
        if value is None:
            return Verdict(State.NOT_APPLICABLE, self.read(machine), value, "a live pin cannot be absent")
        if not self.runs(machine):
            return stopped(value)
        expected = CpuSet.parse(value)
        if machine.kind == "live" and machine.files is not None:
            for process in qemu_processes(machine.files):
                if process.uuid == self.uuid:
                    for thread in threads(machine.files, process):
                        if thread.kind is self.thread and thread.number == self.number:
                            state = State.HOLDS if thread.allowed == expected else State.DIFFERS
                            where = f"/proc/{process.pid}/task/{thread.tid}/status, Cpus_allowed_list"
                            return Verdict(state, str(thread.allowed), value, f"read from {where}")
                    return Verdict(
                        State.NOT_APPLICABLE, None, value, f"the guest has no such thread in /proc/{process.pid}/task"
                    )
        found = self.read(machine)
        state = State.HOLDS if found == str(expected) else State.DIFFERS
        return Verdict(state, found, value, "by libvirt's answer; the guest's threads cannot be seen from here")

    def command(self, value: str | None) -> str:
        name = shell_word(self.domain)
        numbered = "" if self.thread is Thread.EMULATOR else f" {self.number}"
        return f"virsh {self.thread.value} {name}{numbered} {value} --live"

    @property
    def path(self) -> str:
        """``vcpupin[3]``, ``iothreadpin[1]`` or ``emulatorpin``."""
        return self.thread.value if self.thread is Thread.EMULATOR else f"{self.thread.value}[{self.number}]"

    def __str__(self) -> str:
        return f"domain_live:{percent_encode(self.domain)}:{self.path}"


def _pin_of(pins: Pins, thread: Thread, number: int) -> CpuSet | None:
    if thread is Thread.EMULATOR:
        return pins.emulator
    return (pins.vcpus if thread is Thread.VCPU else pins.iothreads).get(number)
