"""The seam to libvirt: one small interface, kept by a connection and by a recording's files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple, Protocol

from kvmnb.core.cpuset import CpuSet
from kvmnb.machine.live import LiveCalls


class Layer(Enum):
    """Which of a domain's two configurations: what its next start reads, or what runs now."""

    PERSISTENT = "persistent"
    LIVE = "live"


@dataclass(frozen=True, slots=True)
class DomainRecord:
    """What a listing says of a domain."""

    uuid: str
    name: str
    running: bool
    persistent: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainState:
    """What libvirt keeps of a domain beside its XML.

    A field that this source did not tell is None and stands in ``untold`` with the reason.
    """

    name: str | None
    """``running``, ``paused``, ``shutoff``, ...: libvirt's constant without its prefix, in small letters."""
    reason: str | None
    """Why it is paused: ``user``, ``ioerror``, ``watchdog``, ...; None for other states."""
    autostart: bool | None
    managed_save: bool | None
    snapshots: int | None
    job: str | None
    """``migration_out``, ``backup``, ...; None: nothing is being done to it."""
    updated: bool | None
    untold: Mapping[str, str]
    """Field name to reason."""


@dataclass(frozen=True, slots=True)
class Versions:
    """The versions of libvirt's daemon and of the hypervisor it drives; None where it is not told."""

    libvirt: str
    hypervisor: str | None
    driver: str


@dataclass(frozen=True, slots=True)
class Pins:
    """Where the threads of a running guest may run, as libvirt keeps it."""

    vcpus: Mapping[int, CpuSet]
    emulator: CpuSet
    iothreads: Mapping[int, CpuSet]


class Thread(Enum):
    """A kind of thread that libvirt pins; the value is libvirt's element."""

    VCPU = "vcpupin"
    EMULATOR = "emulatorpin"
    IOTHREAD = "iothreadpin"


class Ended(NamedTuple):
    """A program that ran to its end in a guest."""

    code: int
    """Its exit code; -1 where a signal ended it."""
    text: str
    """What it wrote, output before errors, cut after 16 KiB and without control characters: hostile text."""


class Hypervisor(Protocol):
    """What kvmnb asks of libvirt. UUIDs are lower-case text with dashes.

    Every call raises KvmnbError with a sentence for people; ``DomainGone`` where the domain is no
    longer there; ``NotAnswered`` where this source has no answer (a recording asked for live state).
    """

    uri: str

    def versions(self) -> Versions:
        """The versions in force."""
        ...

    def capabilities(self) -> str:
        """libvirt's capabilities XML of the host."""
        ...

    def domain_capabilities(self, virt_type: str, arch: str, machine: str, emulator: str | None) -> str:
        """The domain capabilities XML for one kind of guest."""
        ...

    def domains(self) -> tuple[DomainRecord, ...]:
        """All domains, running or not, by name."""
        ...

    def states(self) -> Mapping[str, DomainState]:
        """The state of all domains by UUID; a domain whose state is not known is left out."""
        ...

    def guest_system(self, uuid: str, seconds: float) -> Mapping[str, object]:
        """What the agent in a guest tells of its system, under libvirt's names; asks only when called.

        NotAnswered where no agent answers within ``seconds``, or where this source asks none.
        """
        ...

    def run_inside(self, uuid: str, program: str, arguments: tuple[str, ...], seconds: float) -> Ended:
        """Run a program in a guest through its agent, only where a person asked for that: it taints the guest.

        NotAnswered where it has not ended within ``seconds``, where the agent refuses, or where this source runs none.
        """
        ...

    def disk_counters(self) -> Mapping[tuple[str, str], tuple[float, ...]]:
        """Reads, bytes read, writes, bytes written of each disk of each running guest, by its UUID and target.

        NotAnswered where this source counts nothing.
        """
        ...

    def guest_counters(self) -> Mapping[str, Mapping[str, float]]:
        """What libvirt counts of each running guest's CPU time and balloon, under its own names, by UUID.

        NotAnswered where this source counts nothing.
        """
        ...

    def xml(self, uuid: str, layer: Layer) -> str:
        """A domain's XML, secrets included where the connection may read them."""
        ...

    def native(self, xml: str) -> str:
        """QEMU's command line for a domain XML, as the driver would build it now; nothing is started or written.

        KvmnbError with the driver's words where it cannot be built, NotAnswered where no driver is asked.
        """
        ...

    def define(self, uuid: str, xml: str) -> None:
        """Make ``xml`` the persistent configuration of a domain that exists, validated by the schema."""
        ...

    def pins(self, uuid: str) -> Pins:
        """The live pins of a running guest."""
        ...

    def pin(self, uuid: str, thread: Thread, number: int, cpus: CpuSet) -> None:
        """Pin a thread of a running guest now, without touching its persistent configuration."""
        ...

    @property
    def live(self) -> LiveCalls:
        """All else that changes on a guest while it runs."""
        ...

    def close(self) -> None:
        """Let go of the connection."""
        ...
