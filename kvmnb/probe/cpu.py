"""A host's CPUs, from ``/sys/devices/system/cpu``."""

from __future__ import annotations

import re
from collections.abc import Mapping

from kvmnb.core.cpuset import CpuSet
from kvmnb.facts.cpu import Cache, Cpu, Frequency
from kvmnb.probe.reader import Reader, seen

ROOT = "sys/devices/system/cpu"
_TYPE = {"Data": "data", "Instruction": "instruction", "Unified": "unified"}


def probe_cpus(read: Reader, node_of: Mapping[int, int]) -> tuple[Cpu, ...]:
    """Every CPU that is present, by number; ``node_of`` tells each one's NUMA node.

    Caches and core siblings are read once for each group that shares them: on a host with 512 CPUs
    this halves the files that are opened.
    """
    names = read.names(ROOT)
    numbers = sorted(int(name[3:]) for name in names if re.fullmatch(r"cpu\d{1,5}", name))
    # Before there was an "online" file, every CPU with a folder and a topology was online.
    online_list = read.cpus(f"{ROOT}/online", "host.cpus.online", absent=None)
    policies = _policies(read)
    core_types = _core_types(read)
    shared: dict[tuple[str, int], Cache] = {}
    cpus = []
    for number in numbers:
        folder = f"{ROOT}/cpu{number}"
        fact = f"host.cpus[{number}]"
        online = online_list if not seen(online_list) else _is_online(read, number, online_list)
        up = online is True
        package = read.integer(f"{folder}/topology/physical_package_id", f"{fact}.package", None) if up else None
        siblings = (
            read.cpus(f"{folder}/topology/thread_siblings_list", f"{fact}.siblings", CpuSet.of(number)) if up else None
        )
        cpus.append(
            Cpu(
                id=number,
                online=online,  # type: ignore[arg-type]  # a gap where the list could not be read
                package=package,
                die=read.integer(f"{folder}/topology/die_id", f"{fact}.die", None) if up else None,
                cluster=_cluster(read, folder, fact) if up else None,
                core=read.integer(f"{folder}/topology/core_id", f"{fact}.core", None) if up else None,
                node=node_of.get(number),
                siblings=CpuSet.of(number) if siblings is None else siblings,
                core_type=core_types.get(number),
                capacity=read.integer(f"{folder}/cpu_capacity", f"{fact}.capacity", None),
                caches=_caches(read, folder, number, shared) if up else (),
                frequency=policies.get(number),
            )
        )
    return tuple(cpus)


def _is_online(read: Reader, number: int, online: CpuSet | None) -> bool:
    if online is not None:
        return number in online
    return read.text(f"{ROOT}/cpu{number}/online", "", "1") != "0"


def _cluster(read: Reader, folder: str, fact: str) -> int | None:
    # x86 without L2 sharing groups answers 65535 ("not known").
    cluster = read.integer(f"{folder}/topology/cluster_id", f"{fact}.cluster", None)
    return None if cluster == 65535 else cluster


def _caches(read: Reader, folder: str, number: int, shared: dict[tuple[str, int], Cache]) -> tuple[Cache, ...]:
    found = []
    for name in read.names(f"{folder}/cache"):
        if not re.fullmatch(r"index\d{1,2}", name):
            continue
        known = shared.get((name, number))
        if known is None:
            path, fact = f"{folder}/cache/{name}", f"host.cpus[{number}].caches.{name}"
            cpus = read.cpus(f"{path}/shared_cpu_list", f"{fact}.cpus", CpuSet.of(number))
            known = Cache(
                level=read.integer(f"{path}/level", f"{fact}.level"),
                type=read.parse(f"{path}/type", f"{fact}.type", lambda text: _TYPE.get(text, text.lower())),
                size_bytes=read.size(f"{path}/size", f"{fact}.size_bytes", None),
                cpus=cpus,
            )
            if seen(cpus) and number in cpus:
                shared.update({(name, cpu): known for cpu in cpus})
        found.append(known)
    return tuple(found)


def _policies(read: Reader) -> dict[int, Frequency]:
    """Each CPU's frequency policy; a policy names its CPUs itself."""
    found: dict[int, Frequency] = {}
    for name in read.names(f"{ROOT}/cpufreq"):
        if not re.fullmatch(r"policy\d{1,5}", name):
            continue
        path, fact = f"{ROOT}/cpufreq/{name}", f"host.cpus[{name[6:]}].frequency"
        policy = Frequency(
            policy=int(name[6:]),
            driver=read.text(f"{path}/scaling_driver", f"{fact}.driver"),
            governor=read.text(f"{path}/scaling_governor", f"{fact}.governor"),
            governors=read.words(f"{path}/scaling_available_governors", f"{fact}.governors", ()),
            epp=read.text(f"{path}/energy_performance_preference", f"{fact}.epp", None),
            epps=read.words(f"{path}/energy_performance_available_preferences", f"{fact}.epps", ()),
            scaling_max_khz=read.integer(f"{path}/scaling_max_freq", f"{fact}.scaling_max_khz"),
            hardware_max_khz=read.integer(f"{path}/cpuinfo_max_freq", f"{fact}.hardware_max_khz"),
        )
        cpus = read.parse(f"{path}/affected_cpus", fact, lambda text: CpuSet(map(int, text.split())), None)
        if cpus is None or not seen(cpus):
            cpus = CpuSet.of(int(name[6:]))
        found.update(dict.fromkeys(cpus, policy))
    return found


def _core_types(read: Reader) -> dict[int, str]:
    """Performance and efficiency cores of a hybrid x86 package, by its two PMU devices."""
    found: dict[int, str] = {}
    for device, word in (("cpu_core", "performance"), ("cpu_atom", "efficiency")):
        cpus = read.cpus(f"sys/devices/{device}/cpus", "host.cpus.core_type", CpuSet())
        if seen(cpus):
            found.update(dict.fromkeys(cpus, word))
    return found
