"""What holds for a host's CPUs together: switches, idle driver and the cpusets in force."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kvmnb.core.cpuset import CpuSet
from kvmnb.facts.cpu_system import Cpuset, CpuSystem
from kvmnb.probe.cpu import ROOT
from kvmnb.probe.cpu_clock import switch
from kvmnb.probe.reader import Reader, gap, seen

_CGROUP = "sys/fs/cgroup"
_FACT = "host.cpu_system"
# A guest's group lies at most in machine.slice/<tenant>.slice/<guest>.scope; what is below are single threads.
_DEPTH = 3


def probe_cpu_system(read: Reader, online: CpuSet) -> CpuSystem:
    """The CPUs as one system; ``online`` is what ``online_cpus`` gave, a gap included."""
    present = read.parse(f"{ROOT}/present", f"{_FACT}.present", _some, None)
    return CpuSystem(
        possible=read.parse(f"{ROOT}/possible", f"{_FACT}.possible", _some, None),
        present=present,
        offline=_offline(read, present, online),
        nohz_full=read.parse(f"{ROOT}/nohz_full", f"{_FACT}.nohz_full", _list_or_null, CpuSet()),
        smt_control=read.word(f"{ROOT}/smt/control", f"{_FACT}.smt_control", None),
        smt_active=read.parse(f"{ROOT}/smt/active", f"{_FACT}.smt_active", switch, None),
        pstate=_first(read, f"{_FACT}.pstate", f"{ROOT}/intel_pstate/status", f"{ROOT}/amd_pstate/status"),
        turbo=_turbo(read),
        max_perf_percent=read.integer(f"{ROOT}/intel_pstate/max_perf_pct", f"{_FACT}.max_perf_percent", None),
        min_perf_percent=read.integer(f"{ROOT}/intel_pstate/min_perf_pct", f"{_FACT}.min_perf_percent", None),
        idle_driver=read.word(f"{ROOT}/cpuidle/current_driver", f"{_FACT}.idle_driver", None),
        idle_governor=_first(
            read,
            f"{_FACT}.idle_governor",
            f"{ROOT}/cpuidle/current_governor",
            f"{ROOT}/cpuidle/current_governor_ro",
        ),
        allowed=_allowed(read),
        cpusets=_cpusets(read),
    )


def _offline(read: Reader, present: CpuSet | None, online: CpuSet) -> CpuSet:
    if present is None:
        names = read.folder(ROOT, f"{_FACT}.offline")
        if not seen(names):
            return names  # type: ignore[return-value]
        present = CpuSet(int(name[3:]) for name in names if re.fullmatch(r"cpu\d{1,5}", name))
    if not seen(present):
        return gap(f"{_FACT}.offline", present.reason)  # type: ignore[no-any-return, attr-defined]
    if not seen(online):
        return gap(f"{_FACT}.offline", online.reason)  # type: ignore[no-any-return, attr-defined]
    return present - online


def _turbo(read: Reader) -> bool | None:
    fact = f"{_FACT}.turbo"
    forbidden = read.parse(f"{ROOT}/intel_pstate/no_turbo", fact, switch, None)
    if forbidden is None:
        return read.parse(f"{ROOT}/cpufreq/boost", fact, switch, None)
    return not forbidden if seen(forbidden) else forbidden


def _first(read: Reader, fact: str, *paths: str) -> str | None:
    """The text of the first file that is there."""
    found = (read.word(path, fact, None) for path in paths)
    return next((text for text in found if text is not None), None)


def _allowed(read: Reader) -> CpuSet | None:
    fact = f"{_FACT}.allowed"
    told = read.parse("proc/self/status", fact, _cpus_allowed, None)
    if told is not None:
        return told
    group = read.text("proc/self/cpuset", fact, None)
    if group is None or not seen(group) or not re.fullmatch(r"/[\w.@:\\/-]*", group) or ".." in group:
        return group if group is not None and not seen(group) else None  # type: ignore[return-value]
    mounts = read.parse("proc/mounts", fact, lambda text: tuple(_cpuset_mounts(text)), ())
    for mount in mounts if seen(mounts) else ():
        for name in ("cpuset.cpus.effective", "cpuset.cpus", "cpus"):
            cpus = read.parse(f"{mount}{group.rstrip('/')}/{name}", fact, _some, None)
            if cpus is not None:
                return cpus
    return None


def _cpus_allowed(text: str) -> CpuSet | None:
    """The CPUs that a process may use, from its ``status``; None on a kernel that tells none.

    >>> str(_cpus_allowed("Name:\\tx\\nCpus_allowed_list:\\t0-3"))
    '0-3'
    """
    match = re.search(r"^Cpus_allowed_list:\s*(\S+)$", text, re.MULTILINE)
    return CpuSet.parse(match[1]) if match else None


def _cpuset_mounts(text: str) -> Iterator[str]:
    """Where the cpuset controller is mounted, without the leading slash, from ``/proc/mounts``.

    >>> list(_cpuset_mounts("none /dev/cpuset cgroup rw,cpuset,noprefix 0 0"))
    ['dev/cpuset']
    """
    for line in text.splitlines():
        words = line.split()
        if len(words) < 4 or not re.fullmatch(r"/[\w./-]+", words[1]) or ".." in words[1]:
            continue
        if words[2] in ("cpuset", "cgroup2") or (words[2] == "cgroup" and "cpuset" in words[3].split(",")):
            yield words[1].strip("/")


def _some(text: str) -> CpuSet:
    found = CpuSet.parse(text)
    if not found:
        raise ValueError("the list is empty")
    return found


def _list_or_null(text: str) -> CpuSet:
    """A CPU list; kernels without nohz_full print a null pointer in its place.

    >>> str(_list_or_null("  (null)")), str(_list_or_null("2-5"))
    ('', '2-5')
    """
    return CpuSet() if text.strip() == "(null)" else CpuSet.parse(text)


def _cpusets(read: Reader) -> tuple[Cpuset, ...]:
    fact = f"{_FACT}.cpusets"
    for root in (f"{_CGROUP}/cpuset", _CGROUP):
        names = read.folder(root, fact)
        if not seen(names):
            return names  # type: ignore[return-value]
        found = tuple(_groups(read, root, "", names, 1))
        if found:
            return found
    return ()


def _groups(read: Reader, root: str, parent: str, names: list[str], depth: int) -> Iterator[Cpuset]:
    for name in names:
        if not name.endswith((".slice", ".scope", ".libvirt-qemu")) and (depth > 1 or name != "machine"):
            continue
        group = f"{parent}/{name}".lstrip("/")
        path, fact = f"{root}/{group}", f"{_FACT}.cpusets[{group}]"
        for suffix in (".effective", ""):
            # What is in force is never nothing; a group's own list is empty while it takes its parent's.
            parser = _some if suffix else CpuSet.parse
            cpus = read.parse(f"{path}/cpuset.cpus{suffix}", f"{fact}.cpus", parser, None)
            if cpus is not None and (cpus or suffix):
                yield Cpuset(
                    path=group,
                    cpus=cpus,
                    nodes=read.parse(f"{path}/cpuset.mems{suffix}", f"{fact}.nodes", parser),
                    partition=read.word(f"{path}/cpuset.cpus.partition", f"{fact}.partition", None),
                )
                break
        if depth < _DEPTH and group.startswith("machine"):
            yield from _groups(read, root, group, read.names(path), depth + 1)
