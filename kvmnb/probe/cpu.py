"""A host's CPUs, from ``/sys/devices/system/cpu``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import cast

from kvmnb.core.cpuset import CpuSet
from kvmnb.facts.cpu import Cpu
from kvmnb.facts.gap import Gap
from kvmnb.probe.cpu_clock import IdleReader, probe_policies
from kvmnb.probe.reader import Reader, gap, seen
from kvmnb.probe.topology import ROOT as ROOT
from kvmnb.probe.topology import Topology, package_numbers

# The PMU devices of a hybrid x86 package; the low-power island holds cores of the efficient kind.
_CORE_TYPE = (("cpu_core", "performance"), ("cpu_atom", "efficiency"), ("cpu_lowpower", "efficiency"))


def online_cpus(read: Reader) -> CpuSet:
    """The CPUs that the kernel schedules on and shows a folder of; a gap where that cannot be told."""
    fact = "host.cpus.online"
    numbers = _numbers(read)
    if not seen(numbers):
        return cast(CpuSet, numbers)
    listed = read.cpus(f"{ROOT}/online", fact, None)
    if listed is None:
        listed = _switched_on(read, numbers)
    if not seen(listed):
        return listed
    # A kernel always runs on some CPU, so an empty list is a broken one.
    return listed & CpuSet(numbers) or gap(fact, f"/{ROOT}/online: {str(listed)[:40]!r} names no CPU that has a folder")


def probe_cpus(read: Reader, node_of: Mapping[int, int]) -> tuple[Cpu, ...]:
    """Every CPU that is present, by number; ``node_of`` tells each one's NUMA node.

    Caches, packages and core siblings are read once for each group that shares them: on a host with
    512 CPUs this halves the files that are opened.
    """
    numbers = _numbers(read)
    if not seen(numbers):
        return cast(tuple[Cpu, ...], numbers)
    online = online_cpus(read)
    policies = probe_policies(read, ROOT, online if seen(online) else CpuSet(numbers))
    core_types = _core_types(read)
    topology = Topology(read, online)
    idle = IdleReader(read, ROOT)
    # Where it cannot be told whether a CPU is online, its folder is read as if it were.
    running = numbers if not seen(online) else [number for number in numbers if number in online]
    told = {number: topology.package_number(number) for number in running}
    packages = topology.packages(told)
    package_of = package_numbers(packages, told)
    cpus = []
    for number in numbers:
        fact = f"host.cpus[{number}]"
        up = number in packages
        core_type = core_types if isinstance(core_types, Gap) else core_types.get(number)
        capacity = topology.number(number, "cpu_capacity", f"{fact}.capacity") if up else None
        kind = (str(core_type), str(capacity))
        cpus.append(
            Cpu(
                id=number,
                online=up if seen(online) else cast(bool, online),
                package=package_of.get(number),
                package_cpus=packages.get(number),
                die=topology.number(number, "topology/die_id", f"{fact}.die") if up else None,
                cluster=topology.cluster(number, f"{fact}.cluster") if up else None,
                core=topology.number(number, "topology/core_id", f"{fact}.core") if up else None,
                node=node_of.get(number),
                siblings=topology.siblings(number, f"{fact}.siblings") if up else CpuSet.of(number),
                core_type=cast(str, core_type),
                capacity=capacity,
                caches=topology.caches(number, kind, f"{fact}.caches") if up else (),
                frequency=policies.get(number),
                idle_states=idle.states(number, kind, f"{fact}.idle_states") if up else (),
            )
        )
    return tuple(cpus)


def _numbers(read: Reader) -> list[int]:
    """The CPUs that have a folder; a gap where there is none."""
    names = read.folder(ROOT, "host.cpus")
    if not seen(names):
        return cast(list[int], names)
    numbers = sorted(int(name[3:]) for name in names if re.fullmatch(r"cpu\d{1,5}", name))
    return numbers or gap("host.cpus", f"/{ROOT} holds no CPU's folder")


def _switched_on(read: Reader, numbers: list[int]) -> CpuSet:
    """The CPUs online on a kernel before 2.6.26, which has no list of them.

    Each CPU has a switch, except where it cannot be switched off; a CPU that is off has no topology.
    """
    switches = {number: read.integer(f"{ROOT}/cpu{number}/online", "host.cpus.online", None) for number in numbers}
    broken = next((switch for switch in switches.values() if not seen(switch)), None)
    if broken is not None:
        return cast(CpuSet, broken)
    unsure = [number for number, switch in switches.items() if switch is None]
    with_topology = [number for number in unsure if read.names(f"{ROOT}/cpu{number}/topology")]
    return CpuSet([*(number for number, switch in switches.items() if switch), *(with_topology or unsure)])


def _core_types(read: Reader) -> dict[int, str]:
    """Performance and efficiency cores of a hybrid x86 package; a gap where one list cannot be read."""
    found: dict[int, str] = {}
    for device, word in _CORE_TYPE:
        fact, path = "host.cpus.core_type", f"sys/devices/{device}/cpus"
        cpus = read.cpus(path, fact, None)
        if cpus is None:
            continue
        if not seen(cpus):
            return cast(dict[int, str], cpus)
        if not cpus:
            # The device exists only where its CPUs do, so an empty list is a broken one.
            return gap(fact, f"/{path}: the file is empty")  # type: ignore[no-any-return]
        found.update(dict.fromkeys(cpus, word))
    return found
