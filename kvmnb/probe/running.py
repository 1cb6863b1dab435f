"""A running guest's process, threads and memory, from ``/proc``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import cast

from kvmnb.core.cpuset import CpuSet
from kvmnb.core.errors import KvmnbError, NotAnswered
from kvmnb.core.units import KIB, parse_kernel_size
from kvmnb.facts.gap import Gap
from kvmnb.facts.running import GuestSystem, GuestThread, NodeMemory, ProcessMemory, Running
from kvmnb.machine.hypervisor import Hypervisor, Thread
from kvmnb.machine.processes import Processes, Qemu, QemuThread, threads
from kvmnb.probe.reader import Reader, gap, seen

AGENT_SECONDS = 3.0

_KINDS = {Thread.VCPU: "vcpu", Thread.EMULATOR: "emulator", Thread.IOTHREAD: "iothread"}
# Where programs and their libraries lie, and so none of the guest's memory.
_PROGRAMS = re.compile(r" file=/(?:usr|lib\w*|s?bin|opt|nix|snap)/")


def process_of(uuid: str, name: str, processes: Processes) -> Qemu | None:
    """The one QEMU process whose arguments name this guest; None where there is none, or two."""
    found = [one for one in processes.qemus if one.uuid == uuid and one.name == name]
    return found[0] if len(found) == 1 else None


def probe_running(read: Reader, processes: Processes, uuid: str, name: str, fact: str) -> Running:
    """The process of one running guest; a gap where none can be told to be its."""
    process = process_of(uuid, name, processes)
    if process is None:
        return cast(Running, Gap(fact, "no QEMU process of this guest is seen in /proc"))
    folder = f"proc/{process.pid}"
    status = read.parse(f"{folder}/status", fact, _status)
    if not seen(status):
        return cast(Running, status)
    opened = _opened(read, folder)
    return Running(
        pid=process.pid,
        start_ticks=process.start_ticks,
        accel=accel_of(process.arguments),
        machine=machine_of(process.arguments),
        kvm=gap(f"{fact}.kvm", opened) if isinstance(opened, str) else "anon_inode:kvm-vm" in opened,
        vhost_net=gap(f"{fact}.vhost_net", opened) if isinstance(opened, str) else opened.count("/dev/vhost-net"),
        threads=_all_threads(read, process, processes.vhosts.get(process.pid, ()), f"{fact}.threads"),
        resident_bytes=_of(status, "VmRSS", f"{fact}.resident_bytes"),
        swapped_bytes=_of(status, "VmSwap", f"{fact}.swapped_bytes"),
        locked_bytes=_of(status, "VmLck", f"{fact}.locked_bytes"),
        pool_bytes=status.get("HugetlbPages"),
        locked_limit_bytes=cast(int, read.parse(f"{folder}/limits", f"{fact}.locked_limit_bytes", _locked_limit)),
    )


def memory_of(read: Reader, pid: int, fact: str = "memory") -> ProcessMemory:
    """Where the memory of a guest's process lies; needs root or the process's own user.

    The kernel walks all page tables of the process for each of the two files and holds its memory map
    meanwhile: about a second for 256 GiB of small pages. So no probe reads this by itself.
    """
    mapped = read.parse(f"proc/{pid}/numa_maps", f"{fact}.nodes", mapped_memory)
    rollup = read.parse(f"proc/{pid}/smaps_rollup", f"{fact}.transparent_bytes", _status)
    told: Mapping[str, int] | Gap = rollup
    maps = mapped if isinstance(mapped, Mapped) else None
    why = mapped.reason if isinstance(mapped, Gap) else ""
    return ProcessMemory(
        nodes=_nodes(maps.nodes) if maps is not None else gap(f"{fact}.nodes", why),
        page_sizes=tuple(sorted(maps.sizes.items())) if maps is not None else gap(f"{fact}.page_sizes", why),
        policies=maps.policies if maps is not None else gap(f"{fact}.policies", why),
        transparent_bytes=_of(told, "AnonHugePages", f"{fact}.transparent_bytes"),
        shared_transparent_bytes=_of(told, "ShmemPmdMapped", f"{fact}.shared_transparent_bytes"),
        swapped_bytes=_of(told, "Swap", f"{fact}.swapped_bytes"),
    )


def guest_system(source: Hypervisor, uuid: str, fact: str = "guest", seconds: float = AGENT_SECONDS) -> GuestSystem:
    """What the guest agent tells; NotAnswered where none answers in time.

    Ask only where the agent's channel is connected: an agent that is asleep costs five seconds in libvirt,
    and one that hangs leaves a question behind (see ``kvmnb.machine.agent``). No probe asks by itself.
    """
    told = source.guest_system(uuid, seconds)
    if not told:
        raise NotAnswered(f"{fact}: the guest agent told nothing")
    return system_of(told)


def system_of(told: Mapping[str, object]) -> GuestSystem:
    """The facts in libvirt's answer, whose fields are ``os.id``, ``fs.count``, ``if.0.name``, ``online`` and so on.

    >>> system_of({"os.id": "debian", "if.count": 1, "if.0.name": "eth0", "online": "0-1"}).interfaces
    ('eth0',)
    """
    count = told.get("if.count")
    online = told.get("online")
    return GuestSystem(
        os_id=_word(told, "os.id"),
        os_name=_word(told, "os.pretty-name"),
        kernel=_word(told, "os.kernel-release"),
        filesystems=_number(told, "fs.count"),
        interfaces=tuple(_word(told, f"if.{number}.name") or "" for number in range(min(count, 10_000)))
        if isinstance(count, int)
        else None,
        vcpus_online=_cpus(online) if isinstance(online, str) else None,
    )


def accel_of(arguments: Iterable[str]) -> str | None:
    """What runs the guest's code, from QEMU's arguments: ``kvm``, ``tcg``, ...; the first that QEMU may choose.

    >>> accel_of(["qemu", "-machine", "pc,accel=kvm:tcg"]), accel_of(["qemu", "-accel", "tcg,thread=multi"])
    ('kvm', 'tcg')
    """
    words = list(arguments)
    for option, value in pairwise(words):
        if option == "-accel":
            return value.partition(",")[0].removeprefix("accel=") or None
        if option in ("-machine", "-M") and (found := re.search(r"(?:^|,)accel=([^:,]+)", value)):
            return found[1]
    return "kvm" if "-enable-kvm" in words else None


def machine_of(arguments: Iterable[str]) -> str | None:
    """The machine type in QEMU's arguments.

    >>> machine_of(["qemu", "-machine", "pc-q35-7.2,usb=off"])
    'pc-q35-7.2'
    """
    words = list(arguments)
    for option, value in pairwise(words):
        if option in ("-machine", "-M"):
            return value.partition(",")[0].removeprefix("type=") or None
    return None


@dataclass(frozen=True, slots=True)
class Mapped:
    """Bytes by node, bytes by page size, and the policies other than the default."""

    nodes: Mapping[int, int]
    sizes: Mapping[int, int]
    policies: tuple[str, ...]


def mapped_memory(text: str) -> Mapped:
    """What ``numa_maps`` tells, without programs and libraries.

    >>> mapped_memory("7f00 bind:1 anon=3 dirty=3 N0=1 N1=2 kernelpagesize_kB=2048")
    Mapped(nodes={0: 2097152, 1: 4194304}, sizes={2097152: 6291456}, policies=('bind:1',))
    """
    nodes: dict[int, int] = {}
    sizes: dict[int, int] = {}
    policies: set[str] = set()
    for line in text.splitlines():
        found = re.search(r" kernelpagesize_kB=(\d{1,12})", line)
        if found is None or _PROGRAMS.search(line):
            continue
        page = int(found[1]) * KIB
        for node, count in re.findall(r" N(\d{1,6})=(\d{1,18})", line):
            nodes[int(node)] = nodes.get(int(node), 0) + int(count) * page
            sizes[page] = sizes.get(page, 0) + int(count) * page
        policy = line.split(None, 2)[1]
        if policy != "default":
            policies.add(policy)
    return Mapped(nodes, sizes, tuple(sorted(policies)))


def _all_threads(read: Reader, process: Qemu, vhosts: Iterable[int], fact: str) -> tuple[GuestThread, ...]:
    folder = f"proc/{process.pid}/task"
    try:
        own = threads(read.files, process)
    except (OSError, ValueError, KvmnbError) as problem:
        return cast(tuple[GuestThread, ...], Gap(fact, f"/{folder}: {problem}"))
    if not own:
        return cast(tuple[GuestThread, ...], Gap(fact, f"/{folder} is empty"))
    kernels = [thread for tid in vhosts for thread in _kernel_thread(read, tid)]
    found = (*_threads(read, own, folder, fact), *_threads(read, kernels, "proc", fact))
    return tuple(sorted(found, key=lambda thread: thread.tid))


def _threads(read: Reader, found: Iterable[QemuThread], folder: str, fact: str) -> Iterator[GuestThread]:
    for one in found:
        last = read.parse(f"{folder}/{one.tid}/stat", f"{fact}[{one.tid}].last_cpu", _last_cpu, None)
        if last is None:
            # It ended meanwhile; QEMU's workers come and go.
            continue
        kind = "vhost" if one.name.startswith("vhost-") else _KINDS.get(one.kind, "worker") if one.kind else "worker"
        yield GuestThread(tid=one.tid, name=one.name, kind=kind, number=one.number, allowed=one.allowed, last_cpu=last)


def _kernel_thread(read: Reader, tid: int) -> Iterator[QemuThread]:
    """A vhost thread that is a process of its own, on kernels before 6.4."""
    status = read.text(f"proc/{tid}/status", "", None)
    found = re.search(r"^Cpus_allowed_list:\s*(\S+)", status, re.MULTILINE) if isinstance(status, str) else None
    name = read.text(f"proc/{tid}/comm", "", None)
    if found and isinstance(name, str):
        yield QemuThread(tid, name, None, 0, CpuSet.parse(found[1]))


def _opened(read: Reader, folder: str) -> list[str] | str:
    """What the process's descriptors lead to; a reason where that cannot be read."""
    numbers = read.folder(f"{folder}/fd", "fd")
    if isinstance(numbers, Gap):
        return numbers.reason
    found = []
    for number in numbers:
        try:
            found.append(read.files.link(f"{folder}/fd/{number}"))
        except PermissionError:
            return f"/{folder}/fd needs root"
        except (OSError, ValueError, KvmnbError):
            # Closed meanwhile.
            continue
    return found or f"/{folder}/fd is empty"


def _status(text: str) -> dict[str, int]:
    """The sizes in a text of lines such as ``VmRSS:   12 kB``, in bytes."""
    found = re.findall(r"^(\w+):\s+(\d{1,15}) kB$", text, re.MULTILINE)
    return {name: parse_kernel_size(f"{size} kB") for name, size in found}


def _of(sizes: Mapping[str, int] | Gap, name: str, fact: str) -> int:
    found = None if isinstance(sizes, Gap) else sizes.get(name)
    if found is None:
        return cast(int, gap(fact, sizes.reason if isinstance(sizes, Gap) else f"the kernel tells no {name}"))
    return found


def _locked_limit(text: str) -> int | None:
    """The soft limit of ``Max locked memory``, in bytes.

    >>> _locked_limit("Max locked memory         67108864             67108864             bytes")
    67108864
    """
    found = re.search(r"^Max locked memory\s+(\d{1,20}|unlimited)\s", text, re.MULTILINE)
    if found is None:
        raise ValueError("there is no line 'Max locked memory'")
    return None if found[1] == "unlimited" else int(found[1])


def _last_cpu(text: str) -> int:
    """The field ``processor``, which is the 39th; the name before it may hold spaces and brackets."""
    words = text.rpartition(")")[2].split()
    if len(words) < 37 or not words[36].isdecimal():
        raise ValueError("it has no field 'processor'")
    return int(words[36])


def _nodes(sizes: Mapping[int, int]) -> tuple[NodeMemory, ...]:
    return tuple(NodeMemory(node=node, bytes=size) for node, size in sorted(sizes.items()))


def _word(told: Mapping[str, object], name: str) -> str | None:
    found = told.get(name)
    return found if isinstance(found, str) else None


def _number(told: Mapping[str, object], name: str) -> int | None:
    found = told.get(name)
    return found if isinstance(found, int) else None


def _cpus(text: str) -> CpuSet | None:
    try:
        return CpuSet.parse(text)
    except (ValueError, KvmnbError):
        return None
