"""What libvirt's bulk call tells of a guest, as readings of the table's metrics."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from kvmnb.measure.metric import Metric
from kvmnb.measure.metrics import guest_disk, guest_memory, guest_nic, kvm_exits, thread, vcpu
from kvmnb.measure.series import Count, Level, Reading, Series

GROUPS_HERE = ("block", "balloon", "vcpu")
"""What is asked of a guest of this host; its threads, taps and memory are read from /proc."""
GROUPS_AWAY = (*GROUPS_HERE, "interface", "cpu_total")
"""What is asked of a guest of another host, of which nothing else can be read."""

NANO = 1e-9
KIB = 1024
# Metric, libvirt's word behind "block.<n>.", what one of its units is in ours.
DISK = (
    (guest_disk.DISK_READS, "rd.reqs", 1.0),
    (guest_disk.DISK_READ_BYTES, "rd.bytes", 1.0),
    (guest_disk.DISK_READ_SECONDS, "rd.times", NANO),
    (guest_disk.DISK_WRITES, "wr.reqs", 1.0),
    (guest_disk.DISK_WRITTEN_BYTES, "wr.bytes", 1.0),
    (guest_disk.DISK_WRITE_SECONDS, "wr.times", NANO),
    (guest_disk.DISK_FLUSHES, "fl.reqs", 1.0),
    (guest_disk.DISK_FLUSH_SECONDS, "fl.times", NANO),
)
BALLOON = (
    (guest_memory.GUEST_BALLOON, "current", KIB),
    (guest_memory.GUEST_BALLOON_UNUSED, "unused", KIB),
    (guest_memory.GUEST_BALLOON_USABLE, "usable", KIB),
    (guest_memory.GUEST_SWAP_IN, "swap_in", KIB),
    (guest_memory.GUEST_SWAP_OUT, "swap_out", KIB),
    (guest_memory.GUEST_INNER_MAJOR_FAULTS, "major_fault", 1),
)
EXITS = (
    (kvm_exits.VCPU_EXITS, "exits.sum", 1.0),
    (kvm_exits.VCPU_HALT_EXITS, "halt_exits.sum", 1.0),
    (kvm_exits.VCPU_POLLED_WELL, "halt_poll_success_ns.sum", NANO),
    (kvm_exits.VCPU_POLLED_IN_VAIN, "halt_poll_fail_ns.sum", NANO),
)
VCPU_AWAY = ((vcpu.VCPU_RUN, "time", NANO), (vcpu.VCPU_RUN_DELAY, "delay", NANO))
NIC_AWAY = (
    (guest_nic.NIC_RECEIVED_BYTES, "rx.bytes"),
    (guest_nic.NIC_RECEIVED, "rx.pkts"),
    (guest_nic.NIC_RECEIVE_ERRORS, "rx.errs"),
    (guest_nic.NIC_RECEIVE_DROPS, "rx.drop"),
    (guest_nic.NIC_SENT_BYTES, "tx.bytes"),
    (guest_nic.NIC_SENT, "tx.pkts"),
    (guest_nic.NIC_SEND_ERRORS, "tx.errs"),
    (guest_nic.NIC_SEND_DROPS, "tx.drop"),
)


def readings(uuid: str, told: Mapping[str, object], at: float, *, away: bool) -> Iterator[Reading]:
    """The readings in what libvirt told of one guest at a moment; what it did not tell has none."""
    yield from _disks(uuid, told, at)
    for metric, word, unit in BALLOON:
        value = _number(told, f"balloon.{word}")
        if value is not None:
            series = Series(metric.name, uuid, "")
            yield Count(series, value * unit, at, word) if metric.kind == "counter" else Level(series, value * unit)
    for number in _numbers(told, "vcpu"):
        for metric, word, unit in (*EXITS, *(VCPU_AWAY if away else ())):
            yield from _count(uuid, metric, number, told, f"vcpu.{number}.{word}", unit, at)
    if away:
        yield from _count(uuid, thread.GUEST_CPU, "", told, "cpu.time", NANO, at)
        yield from _nics(uuid, told, at)


def _disks(uuid: str, told: Mapping[str, object], at: float) -> Iterator[Reading]:
    for place in range(int(_number(told, "block.count") or 0)):
        target = str(told.get(f"block.{place}.name", place))
        for metric, word, unit in DISK:
            yield from _count(uuid, metric, target, told, f"block.{place}.{word}", unit, at)


def _nics(uuid: str, told: Mapping[str, object], at: float) -> Iterator[Reading]:
    for place in range(int(_number(told, "net.count") or 0)):
        name = str(told.get(f"net.{place}.name", place))
        for metric, word in NIC_AWAY:
            yield from _count(uuid, metric, name, told, f"net.{place}.{word}", 1.0, at)


def _numbers(told: Mapping[str, object], kind: str) -> tuple[int, ...]:
    """The numbers of the vCPUs that are told of; with some unplugged they have gaps."""
    words = (key.split(".") for key in told if key.startswith(f"{kind}."))
    return tuple(sorted({int(word[1]) for word in words if len(word) > 2 and word[1].isdecimal()}))


def _count(
    uuid: str, metric: Metric, part: int | str, told: Mapping[str, object], key: str, unit: float, at: float
) -> Iterator[Count]:
    value = _number(told, key)
    if value is not None:
        yield Count(Series(metric.name, uuid, part), value * unit, at, key)


def _number(told: Mapping[str, object], key: str) -> float | None:
    value = told.get(key)
    return float(value) if isinstance(value, int | float) else None
