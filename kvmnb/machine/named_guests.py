"""The guests that a recording of series names: they are known by name and UUID, and nothing else is."""

from __future__ import annotations

from collections.abc import Mapping

from kvmnb.core.cpuset import CpuSet
from kvmnb.core.errors import NotAnswered, Refused
from kvmnb.machine.hypervisor import DomainRecord, DomainState, Ended, Layer, Pins, Thread, Versions
from kvmnb.machine.live import LiveCalls

WHY = "a recording of series holds what was measured, and no configuration"


class NamedGuests:
    """A hypervisor that lists guests, and has no answer to anything else."""

    def __init__(self, uri: str, names: Mapping[str, str]) -> None:
        """``names`` by UUID."""
        self.uri = uri
        found = (DomainRecord(uuid, name, running=True, persistent=False) for uuid, name in names.items())
        self._records = tuple(sorted(found, key=lambda one: one.name))

    def versions(self) -> Versions:
        raise NotAnswered(WHY)

    def capabilities(self) -> str:
        raise NotAnswered(WHY)

    def domain_capabilities(self, virt_type: str, arch: str, machine: str, emulator: str | None) -> str:
        raise NotAnswered(WHY)

    def domains(self) -> tuple[DomainRecord, ...]:
        return self._records

    def states(self) -> Mapping[str, DomainState]:
        raise NotAnswered(WHY)

    def disk_counters(self) -> Mapping[tuple[str, str], tuple[float, ...]]:
        raise NotAnswered(WHY)

    def guest_counters(self) -> Mapping[str, Mapping[str, float]]:
        raise NotAnswered(WHY)

    def guest_system(self, uuid: str, seconds: float) -> Mapping[str, object]:
        raise NotAnswered(WHY)

    def run_inside(self, uuid: str, program: str, arguments: tuple[str, ...], seconds: float) -> Ended:
        raise NotAnswered(WHY)

    def xml(self, uuid: str, layer: Layer) -> str:
        raise NotAnswered(WHY)

    def native(self, xml: str) -> str:
        raise NotAnswered(WHY)

    def define(self, uuid: str, xml: str) -> None:
        raise Refused(f"nothing can be changed there: {WHY}")

    def pins(self, uuid: str) -> Pins:
        raise NotAnswered(WHY)

    def pin(self, uuid: str, thread: Thread, number: int, cpus: CpuSet) -> None:
        raise Refused(f"nothing can be changed there: {WHY}")

    @property
    def live(self) -> LiveCalls:
        """None: nothing runs there."""
        raise NotAnswered(WHY)

    def close(self) -> None:
        pass
