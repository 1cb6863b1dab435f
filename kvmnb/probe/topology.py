"""What CPUs share: packages, cores and caches, each group read once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import cast

from kvmnb.core.cpuset import CpuSet, union
from kvmnb.facts.cpu import Cache
from kvmnb.probe.cpu_clock import Kind
from kvmnb.probe.reader import Reader, gap, seen, whole

ROOT = "sys/devices/system/cpu"
_TYPE = {"Data": "data", "Instruction": "instruction", "Unified": "unified"}
# Younger than the rest of the topology, or only where cores differ: all CPUs of a kernel have them or none.
_OPTIONAL = ("topology/die_id", "topology/cluster_id", "cpu_capacity")
# Stands for a file that is not there; no topology number is below -1.
_ABSENT = -2


class Topology:
    """Reads what CPUs share, each group once."""

    def __init__(self, read: Reader, online: CpuSet) -> None:
        self._read = read
        self._online = online
        self._packages: dict[int, CpuSet] = {}
        self._siblings: dict[int, CpuSet] = {}
        self._caches: dict[int, dict[str, Cache]] = {}
        self._indexes: dict[tuple[str, ...], tuple[int, str]] = {}
        self._unknown: set[str] = set()
        self._known: set[str] = set()

    def number(self, cpu: int, name: str, fact: str) -> int | None:
        """One number of one CPU; an optional file that the first CPU does not have is none of this kernel's."""
        if name in self._unknown:
            return None
        found = self._read.parse(f"{ROOT}/cpu{cpu}/{name}", fact, whole, _ABSENT)
        if found is not _ABSENT:
            self._known.add(name)
            # The kernel's -1 is "not known".
            return None if found == -1 else found
        if name in _OPTIONAL and name not in self._known:
            self._unknown.add(name)
        return None

    def cluster(self, cpu: int, fact: str) -> int | None:
        """The cluster's number; x86 without L2 sharing groups answers 65535 ("not known")."""
        found = self.number(cpu, "topology/cluster_id", fact)
        return None if found == 65535 else found

    def package_number(self, cpu: int) -> int | None:
        """The kernel's number of a CPU's package: -1 where it has none, None where it does not tell."""
        path, fact = f"{ROOT}/cpu{cpu}/topology/physical_package_id", f"host.cpus[{cpu}].package"
        return self._read.parse(path, fact, whole, None)

    def packages(self, told: Mapping[int, int | None]) -> dict[int, CpuSet | None]:
        """The CPUs of each CPU's package: those that its file lists and that have its number, where these are told."""
        alike: dict[int, CpuSet] = {}
        for cpu, number in told.items():
            if number is not None and seen(number) and number != -1:
                alike[number] = alike.get(number, CpuSet()) | CpuSet.of(cpu)
        numbered = union(alike.values())
        untold = CpuSet(told) - numbered
        found: dict[int, CpuSet | None] = {}
        for cpu, number in told.items():
            names = ("core_siblings", "package_cpus")
            fact = f"host.cpus[{cpu}].package_cpus"
            listed = self._shared(cpu, fact, self._packages, names)
            same = alike.get(number) if number is not None and seen(number) else None
            if listed is None:
                found[cpu] = same if not untold or same is None else gap(fact, f"CPUs {untold} tell no package")
            else:
                found[cpu] = listed - (numbered - same) if same is not None and seen(listed) else listed
        return found

    def siblings(self, cpu: int, fact: str) -> CpuSet:
        """The CPUs of a CPU's core."""
        found = self._shared(cpu, fact, self._siblings, ("thread_siblings", "core_cpus"))
        if found is not None:
            return found
        if self._read.names(f"{ROOT}/cpu{cpu}/topology"):
            return gap(fact, f"/{ROOT}/cpu{cpu}/topology has no thread_siblings_list")  # type: ignore[no-any-return]
        # A kernel built without topology knows no threads: every CPU is a core.
        return CpuSet.of(cpu)

    def caches(self, cpu: int, of_kind: Kind, fact: str) -> tuple[Cache, ...]:
        """The caches of a CPU, lowest level first."""
        folder = f"{ROOT}/cpu{cpu}/cache"
        names = self._read.folder(folder, fact)
        if not seen(names):
            return cast(tuple[Cache, ...], names)
        known = self._caches.setdefault(cpu, {})
        for name in names:
            if re.fullmatch(r"index\d{1,2}", name) and name not in known:
                known[name] = self._cache(cpu, folder, name, of_kind, f"{fact}.{name}")
        return tuple(known[name] for name in sorted(known, key=lambda name: int(name[5:])))

    def _cache(self, cpu: int, folder: str, name: str, of_kind: Kind, fact: str) -> Cache:
        path = f"{folder}/{name}"
        lists, masks = (f"{path}/shared_cpu_list",), (f"{path}/shared_cpu_map",)
        cpus = self._read.sharing(cpu, f"{fact}.cpus", lists, masks)
        if cpus is None:
            cpus = gap(f"{fact}.cpus", f"/{path} has no shared_cpu_list")
        # The index says level and type alike for all CPUs of one kind; sizes are read of every cache.
        level, kind = self._indexes.get((name, *of_kind), (None, None))
        if level is None or kind is None:
            level = self._read.integer(f"{path}/level", f"{fact}.level")
            kind = self._read.parse(f"{path}/type", f"{fact}.type", _cache_type)
            if seen(level) and seen(kind):
                self._indexes[name, *of_kind] = level, kind
        cache = Cache(
            level=level,
            type=kind,
            size_bytes=self._read.size(f"{path}/size", f"{fact}.size_bytes", None),
            cpus=self._of_online(cpus, f"{fact}.cpus"),
        )
        if cache.gap_of("cpus") is None:
            for one in cache.cpus:
                self._caches.setdefault(one, {})[name] = cache
        return cache

    def _shared(self, cpu: int, fact: str, known: dict[int, CpuSet], names: tuple[str, ...]) -> CpuSet | None:
        if cpu in known:
            return known[cpu]
        folder = f"{ROOT}/cpu{cpu}/topology"
        lists = [f"{folder}/{name}_list" for name in names]
        found = self._read.sharing(cpu, fact, lists, [f"{folder}/{name}" for name in names])
        if found is None or not seen(found):
            return found
        found = self._of_online(found, fact)
        if not seen(found):
            return found
        known.update(dict.fromkeys(found, found))
        return found

    def _of_online(self, cpus: CpuSet, fact: str) -> CpuSet:
        if not seen(cpus):
            return cpus
        return cpus & self._online if seen(self._online) else gap(fact, self._online.reason)  # type: ignore[attr-defined]


def package_numbers(packages: Mapping[int, CpuSet | None], told: Mapping[int, int | None]) -> dict[int, int | None]:
    """Each CPU's package number: the kernel's, or the packages' order where its numbers do not tell them apart.

    >>> package_numbers({0: CpuSet.of(0), 1: CpuSet.of(1)}, {0: -1, 1: -1})
    {0: 0, 1: 1}
    """
    groups = sorted({cpus for cpus in packages.values() if cpus is not None and seen(cpus)})
    order = {cpus: place for place, cpus in enumerate(groups)}
    home: dict[int, set[CpuSet]] = {}
    for cpu, number in told.items():
        cpus = packages[cpu]
        if number is not None and seen(number) and cpus in order:
            home.setdefault(number, set()).add(cpus)
    if -1 not in home and all(len(sets) == 1 for sets in home.values()):
        return {cpu: None if number == -1 else number for cpu, number in told.items()}
    return {
        cpu: order.get(cpus) if number is not None and seen(number) and (cpus := packages[cpu]) is not None else number
        for cpu, number in told.items()
    }


def _cache_type(text: str) -> str:
    """The word for a cache's contents.

    >>> _cache_type("Unified")
    'unified'
    """
    if text not in _TYPE:
        raise ValueError(f"{text[:40]!r} is none of {', '.join(_TYPE)}")
    return _TYPE[text]
