"""A number or set that libvirt changes on a running guest: vCPUs, memory, shares, quotas, limits, throttles."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from kvmnb.core.errors import KvmnbError, NotAnswered, Refused, WriteFailed
from kvmnb.machine.live import Call
from kvmnb.machine.machine import Machine
from kvmnb.tunable.live_settings import Known, known
from kvmnb.tunable.running_guest import RunningGuest, stopped
from kvmnb.tunable.spelling import percent_encode, shell_word
from kvmnb.tunable.target import domain_of
from kvmnb.tunable.tunable import Undo, Verdict, compared

GUEST_SECONDS = 15.0
"""How long a guest may take to give up vCPUs or memory; libvirt itself waits 5 s for a vCPU."""


@dataclass(frozen=True, slots=True)
class LiveSetting(RunningGuest):
    """One setting, named by its place in the live XML: ``cputune/shares/text()``, ``vcpu/@current``, ...

    Its value is what libvirt answers, in libvirt's own unit (KiB, microseconds, bytes a second), never absent.
    """

    kind: ClassVar[str] = "live_setting"

    path: str

    def __post_init__(self) -> None:
        known(self.path)

    @classmethod
    def parse(cls, target: str, path: str, domains: Mapping[str, str]) -> LiveSetting:
        return cls(*domain_of(target, domains), path)

    @property
    def undo(self) -> Undo:
        return self._known.undo

    def check(self, value: str | None) -> None:
        if value is None or not self._known.form.fullmatch(value):
            raise Refused(f"the live {self.path} of domain {self.domain!r} cannot be set to {value!r}")

    def read(self, machine: Machine) -> str | None:
        try:
            return machine.libvirt.live.setting(self.uuid, self._known.setting) or None
        except NotAnswered:
            return None

    def write(self, machine: Machine, value: str | None) -> None:
        self.check(value)
        try:
            machine.libvirt.live.set_setting(self.uuid, self._known.setting, str(value))
            self._wait_for_guest(machine, str(value))
        except WriteFailed:
            raise
        except KvmnbError as problem:
            raise WriteFailed(str(problem)) from problem

    def verify(self, machine: Machine, value: str | None) -> Verdict:
        if not self.runs(machine):
            return stopped(value)
        call = self._known.setting.call
        return compared(self.read(machine), value, f"by libvirt's answer for the running guest ({call.value})")

    def command(self, value: str | None) -> str:
        name, setting = shell_word(self.domain), self._known.setting
        match setting.call:
            case Call.VCPUS | Call.MEMORY:
                what = str(value)
            case Call.SCHEDULER:
                what = f"{setting.name}={value}"
            case Call.DISK:
                what = f"{shell_word(setting.device)} --{setting.name.replace('_', '-')} {value}"
            case Call.INTERFACE:
                direction, _, part = setting.name.partition(".")
                rates = ("average", "peak", "burst", "floor")
                # virsh wants a direction's rates in one list, so those before it stand for what is set already.
                words = [*(rate.upper() for rate in rates[: rates.index(part)]), str(value)]
                what = f"{shell_word(setting.device)} --{direction} {','.join(words)}"
            case Call.NUMA:
                what = f"--nodeset {value}"
            case _:
                what = f"--{setting.name.replace('_', '-')} {value}"
        return f"virsh {setting.call.value} {name} {what} --live"

    def __str__(self) -> str:
        return f"{self.kind}:{percent_encode(self.domain)}:{self.path}"

    @property
    def _known(self) -> Known:
        return known(self.path)

    def _wait_for_guest(self, machine: Machine, value: str) -> None:
        if self.undo is not Undo.NEEDS_GUEST:
            return
        deadline = time.monotonic() + GUEST_SECONDS
        while (found := self.read(machine)) != value:
            if time.monotonic() > deadline:
                raise WriteFailed(
                    f"the live {self.path} of domain {self.domain!r} was asked to be {value} and stands at {found} "
                    f"after {GUEST_SECONDS:g} s: the system in the guest does not follow (no driver, or no memory "
                    "or vCPU to give)"
                )
            time.sleep(0.2)
