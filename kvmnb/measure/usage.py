"""What each guest takes at the moment: CPU, waiting, disks, network and memory, for a table of guests."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from kvmnb.core.errors import KvmnbError
from kvmnb.core.near import near
from kvmnb.measure.metric import Metric
from kvmnb.measure.metrics import guest_disk, guest_memory, guest_nic, metric, thread, vcpu
from kvmnb.measure.series import GUESTS, LIBVIRT, Frame, by_libvirt
from kvmnb.measure.unit import BYTES, GIBIBYTES, MILLISECONDS, PACKETS, PERCENT, REQUESTS, Unit

# A value counts as the present one till it is so many of its periods old.
LATE_PERIODS = 2.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """One guest; None: not read, and ``gap`` says why where that is known."""

    uuid: str
    name: str
    cpu: float | None = None
    """Seconds per second of all threads of its QEMU; of its vCPUs alone where a recording holds no more."""
    run_delay: float | None = None
    """Seconds per second that its vCPUs waited for a host CPU, added up."""
    disk_requests: float | None = None
    """Reads and writes of all disks per second."""
    disk_bytes_read: float | None = None
    disk_bytes_written: float | None = None
    disk_latency: float | None = None
    """Seconds for each read or write in the mean; None also where there was none."""
    network_bytes_in: float | None = None
    network_bytes_out: float | None = None
    network_drops: float | None = None
    """Packets per second that its taps threw away, both ways."""
    memory_bytes: float | None = None
    """In RAM: ordinary pages and hugepages."""
    gap: str | None = None

    @property
    def disk_bytes(self) -> float | None:
        """Read and written bytes per second."""
        return _sum(self.disk_bytes_read, self.disk_bytes_written)

    @property
    def network_bytes(self) -> float | None:
        """Received and sent bytes per second."""
        return _sum(self.network_bytes_in, self.network_bytes_out)


class Column(NamedTuple):
    """A column of the table."""

    word: str
    """For ``--sort``."""
    letter: str
    """The key that sorts by it in a terminal; none for a column that nobody sorts by."""
    title: str
    unit: Unit
    value: Callable[[Usage], float | None]
    help: str


COLUMNS = (
    Column("cpu", "c", "CPU", PERCENT, lambda one: one.cpu, "all threads of the guest's QEMU, % of one CPU"),
    Column("delay", "w", "waits", PERCENT, lambda one: one.run_delay, "its vCPUs wait for a CPU, % of one CPU"),
    Column("requests", "r", "disk req", REQUESTS, lambda one: one.disk_requests, "disk reads and writes per second"),
    Column("disk", "d", "disk", BYTES, lambda one: one.disk_bytes, "bytes read and written per second"),
    Column("latency", "l", "latency", MILLISECONDS, lambda one: one.disk_latency, "ms for each disk read or write"),
    Column("in", "i", "net in", BYTES, lambda one: one.network_bytes_in, "bytes received per second"),
    Column("out", "o", "net out", BYTES, lambda one: one.network_bytes_out, "bytes sent per second"),
    Column("drops", "x", "drops", PACKETS, lambda one: one.network_drops, "packets lost at its taps per second"),
    Column("memory", "m", "memory", GIBIBYTES, lambda one: one.memory_bytes, "memory in RAM, hugepages included"),
)
NAME = "name"
WORDS = (NAME, *(one.word for one in COLUMNS))

_READ = (
    vcpu.VCPU_RUN,
    vcpu.VCPU_RUN_DELAY,
    thread.GUEST_CPU,
    guest_disk.DISK_READS,
    guest_disk.DISK_WRITES,
    guest_disk.DISK_READ_BYTES,
    guest_disk.DISK_WRITTEN_BYTES,
    guest_disk.DISK_READ_SECONDS,
    guest_disk.DISK_WRITE_SECONDS,
    guest_nic.NIC_RECEIVED_BYTES,
    guest_nic.NIC_SENT_BYTES,
    guest_nic.NIC_RECEIVE_DROPS,
    guest_nic.NIC_SEND_DROPS,
    guest_memory.GUEST_RESIDENT,
    guest_memory.GUEST_HUGEPAGES,
)
_NAMES = frozenset(one.name for one in _READ)


class _Value(NamedTuple):
    value: float
    good_till: float


class Usages:
    """Takes frames, and knows the newest value of all that the table shows."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self.at = 0.0
        """When the newest frame was read, in seconds since the epoch."""
        self._names = dict(names)
        self._newest: dict[str, dict[str, dict[int | str, _Value]]] = {}
        self._gaps: Mapping[str, str] = {}
        self._why: dict[str, str | None] = {}

    def take(self, frame: Frame) -> None:
        """A tick."""
        self.at, self._gaps = frame.at, frame.gaps
        for event in frame.events:
            if event.kind == "guest started":
                self._names.setdefault(event.guest, event.text.removesuffix(" started"))
            elif event.kind == "guest stopped":
                self._newest.pop(event.guest, None)
        for series, value in frame.values.items():
            if series.metric in _NAMES and series.guest:
                period = max(frame.period_of(series), frame.period, metric(series.metric).period)
                parts = self._newest.setdefault(series.guest, {}).setdefault(series.metric, {})
                parts[series.part] = _Value(value, frame.at + LATE_PERIODS * period)
        for uuid, metrics in list(self._newest.items()):
            self._why[uuid] = frame.why_missing(uuid)
            for name, parts in list(metrics.items()):
                # Of a guest that has a gap now, what it did before is no answer.
                late = [part for part, one in parts.items() if one.good_till < frame.at]
                for part in late:
                    del parts[part]
                if not parts:
                    del metrics[name]
            if not metrics and self._why[uuid] is None:
                del self._newest[uuid]

    @property
    def problem(self) -> str | None:
        """Why no guest is seen, where that is known."""
        return self._gaps.get(GUESTS) or self._gaps.get(LIBVIRT)

    def rows(self, sort: str = "cpu") -> tuple[Usage, ...]:
        """All guests that are seen, the most first; KvmnbError where nothing sorts so."""
        return sort_rows((self._usage(uuid) for uuid in self._newest), sort)

    def _usage(self, uuid: str) -> Usage:
        def total(*chosen: Metric) -> float | None:
            mine = self._newest[uuid]
            found = [one.value for each in chosen for one in mine.get(each.name, {}).values()]
            return sum(found) if found else None

        whole = total(thread.GUEST_CPU)
        requests = total(guest_disk.DISK_READS, guest_disk.DISK_WRITES)
        took = total(guest_disk.DISK_READ_SECONDS, guest_disk.DISK_WRITE_SECONDS)
        gaps = (self._why.get(uuid), self._gaps.get(by_libvirt(uuid)), self._gaps.get(LIBVIRT))
        return Usage(
            uuid=uuid,
            name=self._names.get(uuid, uuid),
            cpu=total(vcpu.VCPU_RUN) if whole is None else whole,
            run_delay=total(vcpu.VCPU_RUN_DELAY),
            disk_requests=requests,
            disk_bytes_read=total(guest_disk.DISK_READ_BYTES),
            disk_bytes_written=total(guest_disk.DISK_WRITTEN_BYTES),
            disk_latency=took / requests if took is not None and requests else None,
            network_bytes_in=total(guest_nic.NIC_RECEIVED_BYTES),
            network_bytes_out=total(guest_nic.NIC_SENT_BYTES),
            network_drops=total(guest_nic.NIC_RECEIVE_DROPS, guest_nic.NIC_SEND_DROPS),
            memory_bytes=total(guest_memory.GUEST_RESIDENT, guest_memory.GUEST_HUGEPAGES),
            gap=next((why for why in gaps if why), None),
        )


def sort_rows(rows: Iterable[Usage], sort: str) -> tuple[Usage, ...]:
    """The most first, those without a value last, equal ones by name; KvmnbError where nothing sorts so."""
    by_name = sorted(rows, key=lambda one: (one.name, one.uuid))
    if sort == NAME:
        return tuple(by_name)
    value = next((one.value for one in COLUMNS if one.word == sort), None)
    if value is None:
        raise KvmnbError(f"a table cannot be sorted by {sort[:40]!r}; {near(sort, WORDS, 'take ' + ', '.join(WORDS))}")

    def rank(one: Usage) -> tuple[bool, float]:
        found = value(one)
        return found is None, -(found or 0.0)

    return tuple(sorted(by_name, key=rank))


def _sum(*values: float | None) -> float | None:
    known = [one for one in values if one is not None]
    return sum(known) if known else None
