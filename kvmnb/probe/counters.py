"""The counters that rates are made of, read at one moment."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from kvmnb.core.errors import KvmnbError
from kvmnb.machine.files import Files
from kvmnb.machine.hypervisor import Hypervisor, Thread
from kvmnb.machine.processes import Qemu, guest_processes, threads
from kvmnb.probe.interrupts import parse_interrupts
from kvmnb.probe.network_stack import parse_conntrack_drops
from kvmnb.probe.quotas import groups_with_quota, told

Counters = dict[tuple[str, ...], tuple[float, ...]]

_LOST = ("rx_missed_errors", "rx_fifo_errors")
_KINDS = {Thread.VCPU: "vcpu", Thread.EMULATOR: "emulator", Thread.IOTHREAD: "iothread"}


@dataclass(frozen=True, slots=True)
class Reading:
    """All counters of one moment, and why a source could not be read."""

    at: float
    counters: Counters
    unread: Mapping[str, str]


def read_counters(files: Files, hypervisor: Hypervisor | None = None) -> Reading:
    """The counters of this moment; a source that cannot be read is left out and named."""
    counters: Counters = {}
    unread: dict[str, str] = {}
    for source, parser in _SOURCES.items():
        try:
            counters.update(parser(files.read(source)))
        except (OSError, ValueError, IndexError) as problem:
            if source in _OPTIONAL and isinstance(problem, FileNotFoundError):
                continue
            unread[source] = f"/{source}: {problem}"
    counters.update(_lost(files))
    counters.update(_sleeps(files))
    counters.update(_guest_counters(files))
    for source, count in (("disks", _disks), ("guests", _told_of_guests)):
        try:
            counters.update(count(hypervisor))
        except KvmnbError as problem:
            unread[source] = str(problem)
    return Reading(time.monotonic(), counters, unread)


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
    """Packets received and dropped, sent and dropped, and bytes received and sent, of each interface.

    >>> parse_net_dev("h\\nh\\n  lo: 9 1 0 2 0 0 0 0 8 3 0 4 0 0 0 0")
    {('nic', 'lo'): (1.0, 2.0, 3.0, 4.0, 9.0, 8.0)}
    """
    found: Counters = {}
    for line in text.splitlines()[2:]:
        name, _, values = line.partition(":")
        columns = values.split()
        found["nic", name.strip()] = tuple(float(columns[column]) for column in (1, 3, 9, 11, 0, 8))
    return found


def parse_vmstat(text: str) -> Counters:
    """Pages swapped in and out."""
    values = dict(line.split() for line in text.splitlines())
    return {("vmstat",): (float(values.get("pswpin", 0)), float(values.get("pswpout", 0)))}


def parse_softnet(text: str) -> Counters:
    """Dropped packets and squeezes of each line, one for each CPU; the columns are hexadecimal.

    >>> parse_softnet("00000a 000002 000003\\n00000b 000001 000000")
    {('softnet', '0'): (2.0, 3.0), ('softnet', '1'): (1.0, 0.0)}
    """
    rows = [line.split() for line in text.splitlines()]
    if not rows:
        raise ValueError("it has no line")
    return {("softnet", str(line)): (float(int(row[1], 16)), float(int(row[2], 16))) for line, row in enumerate(rows)}


def parse_device_interrupts(text: str) -> Counters:
    """How many interrupts of devices each CPU took: the numbered lines, without the old timer's.

    >>> parse_device_interrupts("     CPU0   CPU1\\n 24:  5  7  PCI-MSI 1-edge  eth0\\nLOC:  9  9  Local timer")
    {('interrupts', '0'): (5.0,), ('interrupts', '1'): (7.0,)}
    """
    cpus, rows = parse_interrupts(text)
    sums = [0] * len(cpus)
    for row in rows:
        if row.label.isdecimal() and row.name != "timer":
            sums = [have + int(one) for have, one in zip(sums, row.counts.split(), strict=True)]
    return {("interrupts", str(cpu)): (float(count),) for cpu, count in zip(cpus, sums, strict=True)}


def parse_conntrack(text: str) -> Counters:
    """Packets that were lost because the table of connections was full."""
    return {("conntrack",): (float(parse_conntrack_drops(text)[0]),)}


_SOURCES: Mapping[str, Callable[[str], Counters]] = {
    "proc/stat": parse_stat,
    "proc/diskstats": parse_diskstats,
    "proc/net/dev": parse_net_dev,
    "proc/vmstat": parse_vmstat,
    "proc/net/softnet_stat": parse_softnet,
    "proc/net/stat/nf_conntrack": parse_conntrack,
    "proc/interrupts": parse_device_interrupts,
}
# Not there where the module is not loaded.
_OPTIONAL = frozenset({"proc/net/stat/nf_conntrack"})


def _lost(files: Files) -> Counters:
    """What devices lost for want of a buffer or a place; of NICs with a device behind them."""
    found: Counters = {}
    try:
        names = files.names("sys/class/net")
    except OSError:
        return found
    for name in names:
        folder = f"sys/class/net/{name}"
        try:
            if files.exists(f"{folder}/device"):
                lost = [int(files.read(f"{folder}/statistics/{one}")) for one in _LOST]
                found["lost", name] = (float(sum(lost)),)
        except (OSError, ValueError):
            continue
    return found


def _sleeps(files: Files) -> Counters:
    """How often each CPU entered each of its idle states."""
    found: Counters = {}
    root = "sys/devices/system/cpu"
    for cpu in _names(files, root):
        if re.fullmatch(r"cpu\d+", cpu):
            for state in _names(files, f"{root}/{cpu}/cpuidle"):
                folder = f"{root}/{cpu}/cpuidle/{state}"
                try:
                    found["idle", cpu[3:], files.read(f"{folder}/name")] = (float(int(files.read(f"{folder}/usage"))),)
                except (OSError, ValueError):
                    continue
    return found


def _names(files: Files, folder: str) -> list[str]:
    try:
        return list(files.names(folder))
    except OSError:
        return []


def _guest_counters(files: Files) -> Counters:
    """Run time and run delay of the threads of every guest, in seconds; one that ends meanwhile is left out."""
    found: Counters = {}
    if not files.exists("proc"):
        return found
    processes = guest_processes(files)
    for process in processes.qemus:
        try:
            for thread in threads(files, process):
                kind = "vhost" if thread.name.startswith("vhost-") else _KINDS.get(thread.kind) if thread.kind else None
                if kind is not None:
                    number = thread.tid if kind == "vhost" else thread.number
                    _schedstat(files, f"proc/{process.pid}/task/{thread.tid}", process, kind, number, found)
        except (OSError, ValueError):
            continue
        for label, folder in groups_with_quota(files, process.pid).items():
            try:
                account = told(files.read(f"{folder}/cpu.stat"))
                found["quota", process.uuid, label] = (float(account["nr_periods"]), float(account["nr_throttled"]))
            except (OSError, ValueError, KeyError):
                continue
        for tid in processes.vhosts.get(process.pid, ()):
            _schedstat(files, f"proc/{tid}", process, "vhost", tid, found)
    return found


def _schedstat(files: Files, folder: str, process: Qemu, kind: str, number: int, into: Counters) -> None:
    try:
        run, delay = (int(one) / 1e9 for one in files.read(f"{folder}/schedstat").split()[:2])
    except (OSError, ValueError):
        return
    into[kind, process.uuid, process.name, str(number)] = (run, delay)


def _disks(hypervisor: Hypervisor | None) -> Counters:
    """Reads, bytes read, writes and bytes written of each disk of each running guest, as libvirt counts them."""
    if hypervisor is None:
        return {}
    return {("disk", uuid, target): told for (uuid, target), told in hypervisor.disk_counters().items()}


def _told_of_guests(hypervisor: Hypervisor | None) -> Counters:
    """CPU time and polling in vain, and what balloons report, of each running guest, as libvirt tells it."""
    found: Counters = {}
    for uuid, values in (hypervisor.guest_counters() if hypervisor is not None else {}).items():
        for kind, names in _OF_LIBVIRT.items():
            if all(name in values for name in names):
                found[kind, uuid] = tuple(values[name] for name in names)
    return found


_OF_LIBVIRT = {
    "polling": ("cpu.time", "cpu.haltpoll.fail.time"),
    "swap": ("balloon.swap_in",),
    "usable": ("balloon.usable", "balloon.available"),
}
