"""An iothread of a running guest, and how long it polls."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from kvmnb.core.errors import KvmnbError, NotAnswered, Refused, WriteFailed
from kvmnb.machine.machine import Machine
from kvmnb.tunable.running_guest import RunningGuest, stopped
from kvmnb.tunable.spelling import percent_encode, shell_word
from kvmnb.tunable.target import domain_of
from kvmnb.tunable.tunable import State, Undo, Verdict, compared

THERE = "there"
"""The value of an iothread that runs; None: there is none of that number."""

_PATH = re.compile(r"iothread\[([1-9][0-9]{0,4})\](?:/(poll_max_ns|poll_grow|poll_shrink))?")
# QEMU keeps it in 63 bits; a second of polling is beyond any use.
_NUMBER = re.compile(r"[0-9]{1,10}")


@dataclass(frozen=True, slots=True)
class LiveIothread(RunningGuest):
    """``iothread[2]`` (there or absent) or ``iothread[2]/poll_max_ns`` (nanoseconds, 0: no polling).

    A new iothread serves no device: libvirt moves no disk to it while the guest runs.
    """

    kind: ClassVar[str] = "live_iothread"

    number: int
    parameter: str | None = None

    @classmethod
    def parse(cls, target: str, path: str, domains: Mapping[str, str]) -> LiveIothread:
        match = _PATH.fullmatch(path)
        if match is None:
            raise Refused(
                f"{path[:80]!r} names no iothread; the forms are iothread[N] and iothread[N]/poll_max_ns, "
                "poll_grow or poll_shrink"
            )
        return cls(*domain_of(target, domains), int(match[1]), match[2])

    @property
    def undo(self) -> Undo:
        return Undo.EXACT

    @property
    def rank(self) -> int:
        # An iothread is made before it is told how to poll, and both before it is pinned.
        return -2 if self.parameter is None else -1

    @property
    def path(self) -> str:
        """``iothread[2]`` or ``iothread[2]/poll_max_ns``."""
        return f"iothread[{self.number}]" + (f"/{self.parameter}" if self.parameter else "")

    def check(self, value: str | None) -> None:
        fits = value in (None, THERE) if self.parameter is None else value is not None and _NUMBER.fullmatch(value)
        if not fits:
            raise Refused(f"the live {self.path} of domain {self.domain!r} cannot be {value!r}")

    def read(self, machine: Machine) -> str | None:
        try:
            found = machine.libvirt.live.iothreads(self.uuid).get(self.number)
        except NotAnswered:
            return None
        if self.parameter is None:
            return None if found is None else THERE
        return str(found[self.parameter]) if found is not None and self.parameter in found else None

    def write(self, machine: Machine, value: str | None) -> None:
        self.check(value)
        live = machine.libvirt.live
        try:
            if self.parameter is not None:
                live.set_iothread(self.uuid, self.number, self.parameter, int(str(value)))
            elif value is None:
                live.remove_iothread(self.uuid, self.number)
            else:
                live.add_iothread(self.uuid, self.number)
        except KvmnbError as problem:
            raise WriteFailed(str(problem)) from problem

    def verify(self, machine: Machine, value: str | None) -> Verdict:
        if not self.runs(machine):
            return stopped(value)
        try:
            machine.libvirt.live.iothreads(self.uuid)
        except NotAnswered as problem:
            return Verdict(State.NOT_APPLICABLE, None, value, str(problem))
        return compared(self.read(machine), value, "by QEMU's answer to libvirt (virsh domstats --iothread)")

    def command(self, value: str | None) -> str:
        name = shell_word(self.domain)
        if self.parameter is not None:
            return f"virsh iothreadset {name} {self.number} --{self.parameter.replace('_', '-')} {value} --live"
        return f"virsh {'iothreaddel' if value is None else 'iothreadadd'} {name} {self.number} --live"

    def __str__(self) -> str:
        return f"{self.kind}:{percent_encode(self.domain)}:{self.path}"
