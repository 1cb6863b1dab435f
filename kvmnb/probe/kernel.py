"""The running kernel, from ``/proc`` and ``/sys``."""

from __future__ import annotations

import re
from typing import cast

from kvmnb.core.units import parse_kernel_size
from kvmnb.facts.gap import Gap
from kvmnb.facts.kernel import Kernel, Ksm, Parameter, Pressure, Swap, Thp, Vulnerability
from kvmnb.probe.owners import probe_owners
from kvmnb.probe.reader import Reader, seen
from kvmnb.probe.sysctl import probe_sysctls

MODULES = ("kvm", "kvm_intel", "kvm_amd", "intel_idle", "haltpoll", "vhost_net", "zswap")
CLOCK = "sys/devices/system/clocksource/clocksource0"
THP = "sys/kernel/mm/transparent_hugepage"
KSM = "sys/kernel/mm/ksm"


def probe_kernel(read: Reader) -> Kernel:
    """The kernel's facts."""
    cpu = read.parse("proc/cpuinfo", "host.kernel.cpu_flags", _first_cpu)
    meminfo = read.parse("proc/meminfo", "host.kernel.memory_bytes", _sizes)
    return Kernel(
        release=read.text("proc/sys/kernel/osrelease", "host.kernel.release"),
        command_line=read.words("proc/cmdline", "host.kernel.command_line"),
        boot_id=read.text("proc/sys/kernel/random/boot_id", "host.kernel.boot_id", None),
        clocksource=read.text(f"{CLOCK}/current_clocksource", "host.kernel.clocksource", None),
        clocksources=read.words(f"{CLOCK}/available_clocksource", "host.kernel.clocksources", ()),
        microcode=_of(cpu, "microcode", "host.kernel.microcode"),
        cpu_vendor=_of(cpu, "vendor_id", "host.kernel.cpu_vendor"),
        cpu_model=_of(cpu, "model name", "host.kernel.cpu_model"),
        cpu_flags=cast(frozenset[str], cpu)
        if isinstance(cpu, Gap)
        else frozenset((cpu.get("flags") or cpu.get("Features") or "").split()),
        vulnerabilities=_vulnerabilities(read),
        parameters=_parameters(read),
        sysctls=probe_sysctls(read),
        thp=_thp(read),
        ksm=_ksm(read),
        memory_bytes=_size(meminfo, "MemTotal", "host.kernel.memory_bytes"),
        available_bytes=_size(meminfo, "MemAvailable", "host.kernel.available_bytes", absent=True),
        swaps=read.parse("proc/swaps", "host.kernel.swaps", _swaps, ()),
        zswap=read.text("sys/module/zswap/parameters/enabled", "host.kernel.zswap", "N") in ("Y", "1"),
        pressures=tuple(one for resource in ("cpu", "memory", "io") for one in _pressure(read, resource)),
        kvm_device=read.files.exists("dev/kvm"),
        cgroup_version=_cgroup_version(read),
        owners=probe_owners(read),
    )


def _first_cpu(text: str) -> dict[str, str]:
    """The lines of the first CPU of ``/proc/cpuinfo``.

    >>> _first_cpu("processor\\t: 0\\nflags\\t\\t: fpu vme\\n\\nprocessor\\t: 1")
    {'processor': '0', 'flags': 'fpu vme'}
    """
    lines = (line.partition(":") for line in text.split("\n\n", 1)[0].splitlines())
    return {name.strip(): value.strip() for name, _, value in lines}


def _of(cpu: dict[str, str] | Gap, name: str, fact: str) -> str | None:
    if isinstance(cpu, Gap):
        return cast(None, Gap(fact, cpu.reason))
    return cpu.get(name)


def _sizes(text: str) -> dict[str, int]:
    lines = (line.partition(":") for line in text.splitlines())
    return {name: parse_kernel_size(value) for name, _, value in lines if value.strip().endswith("kB")}


def _size(meminfo: dict[str, int] | Gap, name: str, fact: str, *, absent: bool = False) -> int:
    if isinstance(meminfo, Gap):
        return cast(int, Gap(fact, meminfo.reason))
    if name not in meminfo:
        return cast(int, None if absent else Gap(fact, f"/proc/meminfo has no {name}"))
    return meminfo[name]


def _vulnerabilities(read: Reader) -> tuple[Vulnerability, ...]:
    folder = "sys/devices/system/cpu/vulnerabilities"
    return tuple(
        Vulnerability(name=name, state=read.text(f"{folder}/{name}", f"host.kernel.vulnerabilities[{name}]"))
        for name in read.names(folder)
    )


def _parameters(read: Reader) -> tuple[Parameter, ...]:
    return tuple(
        Parameter(
            module=module,
            name=name,
            value=read.text(f"sys/module/{module}/parameters/{name}", f"host.kernel.parameters[{module}.{name}]"),
        )
        for module in MODULES
        for name in read.names(f"sys/module/{module}/parameters")
    )


def _chosen(text: str) -> str:
    """The word in brackets.

    >>> _chosen("always [madvise] never")
    'madvise'
    """
    match = re.search(r"\[([\w+-]+)\]", text)
    if match is None:
        raise ValueError(f"{text[:60]!r} has no chosen word")
    return match[1]


def _thp(read: Reader) -> Thp | None:
    if not read.names(THP):
        return None
    return Thp(
        enabled=read.parse(f"{THP}/enabled", "host.kernel.thp.enabled", _chosen),
        defrag=read.parse(f"{THP}/defrag", "host.kernel.thp.defrag", _chosen),
        shmem=read.parse(f"{THP}/shmem_enabled", "host.kernel.thp.shmem", _chosen, cast(str, None)),
    )


def _ksm(read: Reader) -> Ksm | None:
    if not read.names(KSM):
        return None
    fact = "host.kernel.ksm"
    return Ksm(
        run=read.integer(f"{KSM}/run", f"{fact}.run"),
        merge_across_nodes=read.integer(f"{KSM}/merge_across_nodes", f"{fact}.merge_across_nodes", None),
        pages_shared=read.integer(f"{KSM}/pages_shared", f"{fact}.pages_shared"),
        pages_sharing=read.integer(f"{KSM}/pages_sharing", f"{fact}.pages_sharing"),
        pages_unshared=read.integer(f"{KSM}/pages_unshared", f"{fact}.pages_unshared"),
        pages_volatile=read.integer(f"{KSM}/pages_volatile", f"{fact}.pages_volatile"),
        general_profit=read.parse(f"{KSM}/general_profit", f"{fact}.general_profit", int, cast(int, None)),
        advisor_mode=read.parse(f"{KSM}/advisor_mode", f"{fact}.advisor_mode", _chosen, cast(str, None)),
    )


def _swaps(text: str) -> tuple[Swap, ...]:
    """The areas of ``/proc/swaps``.

    >>> [(one.device, one.zram) for one in _swaps("Filename Type Size Used Priority\\n/dev/zram0 partition 8 4 100")]
    [('/dev/zram0', True)]
    """
    found = []
    for line in text.splitlines()[1:]:
        device, kind, size, used = line.rsplit(maxsplit=4)[:4]
        found.append(
            Swap(
                device=device,
                kind=kind,
                size_bytes=int(size) * 1024,
                used_bytes=int(used) * 1024,
                zram=device.startswith("/dev/zram"),
            )
        )
    return tuple(found)


def _pressure(read: Reader, resource: str) -> tuple[Pressure, ...]:
    fact = f"host.kernel.pressures[{resource}]"
    lines = read.parse(f"proc/pressure/{resource}", fact, _averages, cast(dict[str, dict[str, float]], None))
    if lines is None:
        return ()
    if isinstance(lines, Gap):
        # A kernel started with psi=0 has the files and answers EOPNOTSUPP.
        gap = cast(float, lines)
        return (Pressure(resource=resource, some_avg10=gap, some_avg60=gap, full_avg10=gap, full_avg60=gap),)
    full = lines.get("full", {})
    return (
        Pressure(
            resource=resource,
            some_avg10=lines["some"]["avg10"],
            some_avg60=lines["some"]["avg60"],
            full_avg10=full.get("avg10"),
            full_avg60=full.get("avg60"),
        ),
    )


def _averages(text: str) -> dict[str, dict[str, float]]:
    """The lines of a pressure file.

    >>> _averages("some avg10=0.12 avg60=0.05 avg300=0.01 total=99")["some"]["avg60"]
    0.05
    """
    found = {}
    for line in text.splitlines():
        kind, *fields = line.split()
        found[kind] = {name: float(value) for name, _, value in (field.partition("=") for field in fields)}
    if not {"avg10", "avg60"} <= found.get("some", {}).keys():
        raise ValueError(f"{text[:60]!r} is no pressure")
    return found


def _cgroup_version(read: Reader) -> int | None:
    if read.files.exists("sys/fs/cgroup/cgroup.controllers"):
        return 2
    return 1 if seen(names := read.names("sys/fs/cgroup")) and names else None
