"""What libvirt changes of a running guest's device by an update of its XML."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from kvmnb.core.errors import KvmnbError, NotAnswered, Refused, WriteFailed
from kvmnb.core.xml import Document, Path, edit, read
from kvmnb.machine.domain_shape import DOMAIN
from kvmnb.machine.hypervisor import Layer
from kvmnb.machine.machine import Machine
from kvmnb.tunable.running_guest import RunningGuest, stopped
from kvmnb.tunable.spelling import percent_encode, shell_word
from kvmnb.tunable.target import domain_of
from kvmnb.tunable.tunable import Undo, Verdict, compared


@dataclass(frozen=True, slots=True)
class _Row:
    """A place of the live XML, what it may be, what stands for its absence, and how it is taken back."""

    path: re.Pattern[str]
    form: re.Pattern[str]
    absent: str | None = None
    undo: Undo = Undo.EXACT


_INTERFACE = r"devices/interface\[[^\]/]{1,300}\]"
_DISK = r"devices/disk\[[^\]/]{1,300}\]"
# For the driver of a disk libvirt has an answer of its own: some attributes it refuses to change on a running
# guest, of others it says that it did and does not (9.0: queues, queue_size, detect_zeroes).
_ROWS = (
    _Row(re.compile(rf"{_INTERFACE}/link/@state"), re.compile("up|down"), "up"),
    _Row(re.compile(rf"{_INTERFACE}/coalesce/rx/frames/@max"), re.compile(r"[0-9]{1,9}"), "0"),
    _Row(re.compile(rf"{_INTERFACE}/port/@isolated"), re.compile("yes|no"), "no"),
    _Row(re.compile(rf"{_DISK}/driver/@discard"), re.compile("unmap|ignore")),
    _Row(re.compile(rf"{_DISK}/driver/@detect_zeroes"), re.compile("off|on|unmap")),
    _Row(re.compile(rf"{_DISK}/driver/@(?:queues|queue_size)"), re.compile(r"[1-9][0-9]{0,3}")),
    _Row(
        re.compile(r"devices/memory\[[^\]/]{1,300}\]/target/requested/text\(\)"),
        re.compile(r"[0-9]{1,15}"),
        undo=Undo.NEEDS_GUEST,
    ),
)


@dataclass(frozen=True, slots=True)
class LiveDevice(RunningGuest):
    """One attribute of a device in the live XML: ``devices/interface[vnet0]/link/@state``, ...

    The device's element goes to libvirt with this attribute changed, and is read back: libvirt says yes to
    changes that it does not make.
    """

    kind: ClassVar[str] = "live_device"

    path: str

    def __post_init__(self) -> None:
        Path.parse(self.path)
        _row(self.path)

    @classmethod
    def parse(cls, target: str, path: str, domains: Mapping[str, str]) -> LiveDevice:
        return cls(*domain_of(target, domains), path)

    @property
    def undo(self) -> Undo:
        return _row(self.path).undo

    def check(self, value: str | None) -> None:
        row = _row(self.path)
        # What has no word for its absence may be absent.
        if not (row.form.fullmatch(value) if value is not None else row.absent is None):
            raise Refused(f"the live {self.path} of domain {self.domain!r} cannot be set to {value!r}")

    def read(self, machine: Machine) -> str | None:
        try:
            text = machine.libvirt.xml(self.uuid, Layer.LIVE)
        except NotAnswered:
            return None
        found = read(Document.parse(text), Path.parse(self.path), DOMAIN)
        return _row(self.path).absent if found is None else found

    def write(self, machine: Machine, value: str | None) -> None:
        self.check(value)
        device = Path(Path.parse(self.path).steps[:2])
        try:
            live = machine.libvirt.xml(self.uuid, Layer.LIVE)
            changed = edit(live, [(Path.parse(self.path), value)], DOMAIN).text
            raw = read(Document.parse(changed), device, DOMAIN)
            machine.libvirt.live.update_device(self.uuid, str(device), str(raw))
        except KvmnbError as problem:
            raise WriteFailed(str(problem)) from problem
        found = self.read(machine)
        if found != value and self.undo is not Undo.NEEDS_GUEST:
            raise WriteFailed(
                f"libvirt took the update of {device} of domain {self.domain!r} without a word and changed nothing: "
                f"{self.path} was to be {value!r} and is {found!r}; it takes a start of the guest"
            )

    def verify(self, machine: Machine, value: str | None) -> Verdict:
        if not self.runs(machine):
            return stopped(value)
        return compared(self.read(machine), value, "read from the live XML")

    def command(self, value: str | None) -> str:
        name = shell_word(self.domain)
        if self.path.endswith("/link/@state"):
            return f"virsh domif-setlink {name} {shell_word(Path.parse(self.path).steps[1].keys[0])} {value} --live"
        what = f"set {self.path} to {value!r}" if value is not None else f"remove {self.path}"
        return f"virsh update-device {name} DEVICE.xml --live  # its element of the live XML with: {what}"

    def __str__(self) -> str:
        return f"{self.kind}:{percent_encode(self.domain)}:{self.path}"


def _row(path: str) -> _Row:
    for row in _ROWS:
        if row.path.fullmatch(path):
            return row
    raise Refused(f"{path[:120]!r} is nothing that libvirt may change of a running guest's device")
