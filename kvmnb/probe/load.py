"""Rates over one window: counters read twice, and what grew between."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import cast

from kvmnb.core.errors import KvmnbError, NotAnswered
from kvmnb.facts.gap import Gap
from kvmnb.facts.load import BlockLoad, CpuLoad, GuestLoad, Load, NicLoad, VcpuLoad
from kvmnb.machine.files import Files
from kvmnb.machine.hypervisor import Thread
from kvmnb.machine.machine import Machine
from kvmnb.machine.processes import qemu_processes, threads

MOST_SECONDS = 3600.0

Counters = dict[tuple[str, ...], tuple[float, ...]]


@dataclass(frozen=True, slots=True)
class Reading:
    """All counters of one moment, and why a source could not be read."""

    at: float
    counters: Counters
    unread: Mapping[str, str]


def probe_load(machine: Machine, seconds: float, wait: Callable[[float], None] = time.sleep) -> Load:
    """The rates of this machine over a window that begins now.

    Raises NotAnswered for a recording, whose counters stand still, and where host files are not ours to read.
    """
    if not 0 < seconds <= MOST_SECONDS:
        raise KvmnbError(f"a window of {seconds:g} s cannot be measured; choose up to {MOST_SECONDS:.0f} s")
    if machine.kind != "live" and not (machine.kind == "root" and machine.origin == "/"):
        raise NotAnswered(f"{machine.title} is recorded, so its counters stand still; a window needs a live machine")
    if machine.files is None:
        raise NotAnswered(f"no window can be measured: {machine.files_gap}")
    before = read_counters(machine.files)
    wait(seconds)
    return load_between(before, read_counters(machine.files))


def read_counters(files: Files) -> Reading:
    """The counters of this moment; a source that cannot be read is left out and named."""
    counters: Counters = {}
    unread: dict[str, str] = {}
    for source, parser in _SOURCES.items():
        try:
            counters.update(parser(files.read(source)))
        except (OSError, ValueError, IndexError) as problem:
            unread[source] = f"/{source}: {problem}"
    counters.update(_guest_counters(files))
    return Reading(time.monotonic(), counters, unread)


def load_between(before: Reading, after: Reading) -> Load:
    """What grew between two readings, by the second; what is in one of them alone is left out."""
    seconds = after.at - before.at
    unread = {**before.unread, **after.unread}
    grown = {
        key: tuple(max(0.0, new - old) / seconds for new, old in zip(values, before.counters[key], strict=True))
        for key, values in after.counters.items()
        if key in before.counters and len(before.counters[key]) == len(values)
    }
    swap = _or_gap(grown.get(("vmstat",)), 2, "load.swapped", unread.get("proc/vmstat"))
    softnet = _or_gap(grown.get(("softnet",)), 2, "load.softnet", unread.get("proc/net/softnet_stat"))
    return Load(
        seconds=seconds,
        cpus=cast(tuple[CpuLoad, ...], _many(grown, "cpu", _cpu, unread.get("proc/stat"))),
        guests=_guests(grown),
        blocks=cast(tuple[BlockLoad, ...], _many(grown, "block", _block, unread.get("proc/diskstats"))),
        nics=cast(tuple[NicLoad, ...], _many(grown, "nic", _nic, unread.get("proc/net/dev"))),
        swapped_in_pages_per_second=swap[0],
        swapped_out_pages_per_second=swap[1],
        softnet_dropped_per_second=softnet[0],
        softnet_squeezed_per_second=softnet[1],
    )


def parse_stat(text: str) -> Counters:
    """User, nice, system, idle, iowait, irq, softirq, steal of each CPU, in seconds.

    >>> list(parse_stat("cpu 1 1\\ncpu0 100 0 50 200 0 0 10 0 0 0\\nintr 5"))
    [('cpu', '0')]
    """
    ticks = os.sysconf("SC_CLK_TCK")
    found: Counters = {}
    for line in text.splitlines():
        name, *columns = line.split()
        if name.startswith("cpu") and name != "cpu":
            if len(columns) < 8:
                raise ValueError(f"{line[:60]!r} has too few columns")
            found["cpu", str(int(name[3:]))] = tuple(int(one) / ticks for one in columns[:8])
    if not found:
        raise ValueError("it tells of no CPU")
    return found


def parse_diskstats(text: str) -> Counters:
    """Reads, seconds of reading, writes, seconds of writing, and seconds with a request open, of each device.

    >>> parse_diskstats("8 0 sda 10 0 80 500 20 0 160 1500 0 900 2000")
    {('block', 'sda'): (10.0, 0.5, 20.0, 1.5, 0.9)}
    """
    found: Counters = {}
    for row in (line.split() for line in text.splitlines()):
        reads, reading, writes, writing, busy = (int(row[column]) for column in (3, 6, 7, 10, 12))
        found["block", row[2]] = (float(reads), reading / 1000, float(writes), writing / 1000, busy / 1000)
    return found


def parse_net_dev(text: str) -> Counters:
    """Received and dropped, sent and dropped packets of each interface.

    >>> parse_net_dev("h\\nh\\n  lo: 9 1 0 2 0 0 0 0 9 3 0 4 0 0 0 0")
    {('nic', 'lo'): (1.0, 2.0, 3.0, 4.0)}
    """
    found: Counters = {}
    for line in text.splitlines()[2:]:
        name, _, values = line.partition(":")
        columns = values.split()
        found["nic", name.strip()] = tuple(float(columns[column]) for column in (1, 3, 9, 11))
    return found


def parse_vmstat(text: str) -> Counters:
    """Pages swapped in and out."""
    values = dict(line.split() for line in text.splitlines())
    return {("vmstat",): (float(values.get("pswpin", 0)), float(values.get("pswpout", 0)))}


def parse_softnet(text: str) -> Counters:
    """Dropped packets and squeezes of all CPUs together; the columns are hexadecimal.

    >>> parse_softnet("00000a 000002 000003\\n00000b 000001 000000")
    {('softnet',): (3.0, 3.0)}
    """
    rows = [line.split() for line in text.splitlines()]
    return {("softnet",): (float(sum(int(row[1], 16) for row in rows)), float(sum(int(row[2], 16) for row in rows)))}


_SOURCES: Mapping[str, Callable[[str], Counters]] = {
    "proc/stat": parse_stat,
    "proc/diskstats": parse_diskstats,
    "proc/net/dev": parse_net_dev,
    "proc/vmstat": parse_vmstat,
    "proc/net/softnet_stat": parse_softnet,
}


def _guest_counters(files: Files) -> Counters:
    """Run time and run delay of every vCPU, in seconds; a guest that ends meanwhile is left out."""
    found: Counters = {}
    if not files.exists("proc"):
        return found
    for process in qemu_processes(files):
        try:
            for thread in threads(files, process):
                if thread.kind is Thread.VCPU:
                    path = f"proc/{process.pid}/task/{thread.tid}/schedstat"
                    run, delay = (int(one) / 1e9 for one in files.read(path).split()[:2])
                    found["vcpu", process.uuid, process.name, str(thread.number)] = (run, delay)
        except (OSError, ValueError):
            continue
    return found


def _many(
    grown: Counters, kind: str, make: Callable[[str, tuple[float, ...]], object], unread: str | None
) -> tuple[object, ...] | Gap:
    if unread is not None:
        return Gap(f"load.{kind}s", unread)
    named = sorted((key[1], values) for key, values in grown.items() if key[0] == kind)
    if kind == "cpu":
        named.sort(key=lambda one: int(one[0]))
    return tuple(make(name, values) for name, values in named)


def _cpu(name: str, rates: tuple[float, ...]) -> CpuLoad:
    user, nice, system, idle, iowait, irq, softirq, steal = rates
    # The counters of a CPU are ticks of a clock of its own; their sum is its time.
    time_passed = sum(rates) or 1.0
    return CpuLoad(
        cpu=int(name),
        busy_ratio=(user + nice + system + irq + softirq) / time_passed if idle < time_passed else 0.0,
        system_ratio=system / time_passed,
        softirq_ratio=softirq / time_passed,
        iowait_ratio=iowait / time_passed,
        steal_ratio=steal / time_passed,
    )


def _block(name: str, rates: tuple[float, ...]) -> BlockLoad:
    reads, reading, writes, writing, busy = rates
    ended = reads + writes
    return BlockLoad(
        name=name,
        reads_per_second=reads,
        writes_per_second=writes,
        busy_ratio=min(busy, 1.0),
        mean_wait_seconds=(reading + writing) / ended if ended else None,
    )


def _nic(name: str, rates: tuple[float, ...]) -> NicLoad:
    return NicLoad(
        name=name,
        rx_packets_per_second=rates[0],
        rx_dropped_per_second=rates[1],
        tx_packets_per_second=rates[2],
        tx_dropped_per_second=rates[3],
    )


def _guests(grown: Counters) -> tuple[GuestLoad, ...]:
    by_guest: dict[tuple[str, str], list[VcpuLoad]] = {}
    for key, rates in grown.items():
        if key[0] == "vcpu":
            _kind, uuid, name, number = key
            load = VcpuLoad(vcpu=int(number), run_ratio=rates[0], delay_ratio=rates[1])
            by_guest.setdefault((name, uuid), []).append(load)
    return tuple(
        GuestLoad(uuid=uuid, name=name, vcpus=tuple(sorted(vcpus, key=lambda one: one.vcpu)))
        for (name, uuid), vcpus in sorted(by_guest.items())
    )


def _or_gap(values: tuple[float, ...] | None, count: int, fact: str, why: str | None) -> tuple[float, ...]:
    if values is not None:
        return values
    return (cast(float, Gap(fact, why or "it was not there at both ends of the window")),) * count
