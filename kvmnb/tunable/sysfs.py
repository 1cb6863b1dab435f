"""A setting of the running kernel that is one file below ``/sys``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from kvmnb.core.errors import Refused
from kvmnb.machine.machine import Machine
from kvmnb.tunable.kernel_file import read_value, verdict, write_value
from kvmnb.tunable.target import HOST, only_host
from kvmnb.tunable.tunable import Undo, Verdict, Want, When

# Only what a rule may want is writable; a plan file cannot name any other path. The value's form is
# checked too, since the kernel takes some words that nobody should be able to send.
_ALLOWED: tuple[tuple[re.Pattern[str], re.Pattern[str]], ...] = (
    (re.compile(r"devices/system/cpu/cpufreq/policy[0-9]{1,5}/scaling_governor"), re.compile(r"[a-z]{1,16}")),
    (
        re.compile(r"devices/system/cpu/cpufreq/policy[0-9]{1,5}/energy_performance_preference"),
        re.compile(r"[a-z_]{1,32}|[0-9]{1,3}"),
    ),
    (re.compile(r"devices/system/cpu/cpufreq/policy[0-9]{1,5}/scaling_max_freq"), re.compile(r"[0-9]{4,9}")),
    (re.compile(r"kernel/mm/transparent_hugepage/(?:enabled|defrag|shmem_enabled)"), re.compile(r"[a-z+_]{1,16}")),
    (re.compile(r"kernel/mm/ksm/(?:run|merge_across_nodes)"), re.compile(r"[012]")),
    (re.compile(r"kernel/mm/ksm/advisor_mode"), re.compile(r"none|scan-time")),
    (re.compile(r"block/[A-Za-z0-9!_.-]{1,64}/queue/scheduler"), re.compile(r"none|mq-deadline|kyber|bfq")),
    (re.compile(r"block/[A-Za-z0-9!_.-]{1,64}/queue/(?:read_ahead_kb|nr_requests)"), re.compile(r"[0-9]{1,9}")),
    (
        re.compile(r"devices/system/node/node[0-9]{1,5}/hugepages/hugepages-(?:2048|1048576)kB/nr_hugepages"),
        re.compile(r"[0-9]{1,9}"),
    ),
    (re.compile(r"class/net/[A-Za-z0-9_.-]{1,15}/bridge/(?:stp_state|forward_delay)"), re.compile(r"[0-9]{1,6}")),
    (
        re.compile(r"module/kvm/parameters/(?:halt_poll_ns|halt_poll_ns_grow|halt_poll_ns_shrink)"),
        re.compile(r"[0-9]{1,9}"),
    ),
)


@dataclass(frozen=True, slots=True)
class Sysfs:
    """One file below ``/sys``; ``path`` is named from there, without a leading slash."""

    kind: ClassVar[str] = "sysfs"
    lasts: ClassVar[bool] = False

    path: str

    def __post_init__(self) -> None:
        # A device's name may hold dots, and "." and ".." are no devices.
        climbs = {".", ".."} & set(self.path.split("/"))
        if climbs or not any(pattern.fullmatch(self.path) for pattern, _ in _ALLOWED):
            raise Refused(f"/sys/{self.path[:120]} is not a setting that kvmnb turns")

    @classmethod
    def parse(cls, target: str, path: str, domains: Mapping[str, str]) -> Sysfs:
        only_host(target, cls.kind)
        return cls(path)

    @property
    def target(self) -> str:
        return HOST

    @property
    def when(self) -> When:
        return When.NOW

    @property
    def undo(self) -> Undo:
        # A pool does not shrink below the pages that guests hold; what is left over becomes surplus.
        return Undo.NEEDS_GUEST_STOPPED if self.path.endswith("/nr_hugepages") else Undo.EXACT

    def check(self, value: str | None) -> None:
        if value is None or not any(path.fullmatch(self.path) and form.fullmatch(value) for path, form in _ALLOWED):
            raise Refused(f"/sys/{self.path} cannot be set to {value!r}")

    def read(self, machine: Machine) -> str | None:
        found = read_value(machine, self._path)
        return None if found is None else chosen_word(found)

    def write(self, machine: Machine, value: str | None) -> None:
        self.check(value)
        write_value(machine, self._path, str(value), self.command(value))

    def verify(self, machine: Machine, value: str | None) -> Verdict:
        return verdict(self._path, self.read(machine), value)

    def command(self, value: str | None) -> str:
        return f"echo {value} | sudo tee /sys/{self.path}"

    def lasting(self, value: str | None) -> Want | None:
        return None

    @property
    def _path(self) -> str:
        return f"sys/{self.path}"

    def __str__(self) -> str:
        return f"sysfs:host:{self.path}"


def chosen_word(text: str) -> str:
    """The value of a kernel file; of a list with one word in brackets, that word.

    >>> chosen_word("always [madvise] never")
    'madvise'
    """
    match = re.fullmatch(r"(?:[A-Za-z0-9_+-]+ )*\[([A-Za-z0-9_+-]+)\](?: [A-Za-z0-9_+-]+)*", text)
    return match[1] if match else text
