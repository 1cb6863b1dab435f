"""A module's parameter that holds whenever the module is loaded: an ``options`` line of ``modprobe.d``.

Live, the parameter is a file below ``/sys`` (``sysfs:host:module/...``) where the module lets it be written.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

from kvmnb.core.errors import KvmnbError, Refused
from kvmnb.machine.machine import Machine
from kvmnb.tunable.lasting import Lasting
from kvmnb.tunable.own_file import OwnFile
from kvmnb.tunable.tunable import State, Verdict

_SYSFS = re.compile(r"module/(kvm)/parameters/(halt_poll_ns(?:_grow|_grow_start|_shrink)?)")
_LINE = re.compile(r"options ([a-z0-9_]+) ([a-z0-9_]+)=([A-Za-z0-9]+)")
_NUMBER = re.compile(r"[0-9]{1,9}")
_BOOLEAN = re.compile(r"[YN01]")
# Only what a rule may want; values as the module itself prints them.
_ALLOWED = {
    "kvm/halt_poll_ns": _NUMBER,
    "kvm/halt_poll_ns_grow": _NUMBER,
    "kvm/halt_poll_ns_grow_start": _NUMBER,
    "kvm/halt_poll_ns_shrink": _NUMBER,
    "kvm_intel/ept": _BOOLEAN,
    "kvm_intel/nested": _BOOLEAN,
    "kvm_amd/npt": _BOOLEAN,
    "kvm_amd/nested": _BOOLEAN,
    "kvm_amd/avic": _BOOLEAN,
    "nf_conntrack/hashsize": _NUMBER,
    "vhost/max_mem_regions": _NUMBER,
    "vhost_net/experimental_zcopytx": re.compile(r"[01]"),
}


def applies(path: str) -> bool:
    """Whether modprobe.d is the right lasting form of this file below ``/sys``."""
    return _SYSFS.fullmatch(path) is not None


def _line(path: str, value: str) -> str:
    return f"options {path.replace('/', ' ')}={value}"


def _setting(line: str) -> tuple[str, str] | None:
    match = _LINE.fullmatch(line)
    return (f"{match[1]}/{match[2]}", match[3]) if match else None


@dataclass(frozen=True, slots=True)
class Module(Lasting):
    """One parameter, ``kvm/halt_poll_ns``."""

    kind: ClassVar[str] = "module"
    file: ClassVar[OwnFile] = OwnFile("etc/modprobe.d/zz-kvmnb.conf", _line, _setting)
    taken: ClassVar[str] = "which modprobe reads when the module is next loaded"

    @classmethod
    def of(cls, path: str) -> Module:
        """The lasting form of ``module/kvm/parameters/...`` below ``/sys``."""
        match = _SYSFS.fullmatch(path)
        assert match is not None, "applies() tells which paths these are"
        return cls(f"{match[1]}/{match[2]}")

    def __post_init__(self) -> None:
        if self.path not in _ALLOWED:
            raise Refused(f"the module parameter {self.path[:80]!r} is not a setting that kvmnb turns")

    def check(self, value: str | None) -> None:
        if value is not None and not _ALLOWED[self.path].fullmatch(value):
            raise Refused(f"the module parameter {self.path} cannot be set to {value!r}")

    def read(self, machine: Machine) -> str | None:
        """The value in the file; KvmnbError where the module is part of the kernel, which reads no modprobe.d."""
        found = super(Module, self).read(machine)
        name, parameter = self.path.split("/")
        if found is None and _built_in(machine, name):
            raise KvmnbError(
                f"{name} is built into this kernel, so modprobe.d does not reach it; to last, put "
                f"{name}.{parameter}=VALUE on the kernel's command line"
            )
        return found

    def verify(self, machine: Machine, value: str | None) -> Verdict:
        """By the file, and whether the loaded module has the value already."""
        try:
            return super(Module, self).verify(machine, value)
        except KvmnbError as problem:
            return Verdict(State.NOT_APPLICABLE, None, value, str(problem))


def _built_in(machine: Machine, name: str) -> bool:
    """Whether the kernel has the module without its being loaded; False where that cannot be told."""
    try:
        loaded = {line.split(" ", 1)[0] for line in machine.tree.read("proc/modules").splitlines()}
    except (OSError, ValueError):
        return False
    return name not in loaded and machine.tree.exists(f"sys/module/{name}")
