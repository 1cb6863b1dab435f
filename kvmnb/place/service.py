"""CPUs for a guest's emulator threads and iothreads, beside all pinned vCPUs."""

from __future__ import annotations

from collections.abc import Mapping

from kvmnb.core.cpuset import CpuSet
from kvmnb.place.asks import Ask
from kvmnb.place.layout import Layout


def service_threads(
    ask: Ask, pins: Mapping[int, int], nodes: CpuSet, layout: Layout, dedicated: CpuSet
) -> tuple[CpuSet, dict[int, CpuSet]]:
    """The CPUs of the emulator threads and of each iothread: present ones that are good, else the host's own.

    QEMU allocates the guest's memory from its emulator thread, so that this thread must reach every node of the guest.
    """
    # A guest that is pinned but gets no CPUs here keeps its vCPUs where they are.
    vcpus = CpuSet(pins.values()) if pins else ask.wanted.pinned
    barred = dedicated | vcpus
    open_cpus = _housekeeping(nodes, layout) - barred or layout.housekeeping - barred
    present = ask.wanted.emulator_pin
    good = present is not None and _is_good(present, barred, layout) and nodes.issubset(layout.nodes_of(present))
    emulator = present if good and present is not None else open_cpus
    present_of = {pin.iothread: pin.cpus for pin in ask.wanted.iothread_pins}
    iothreads = {}
    # From the end: the kernel's own work gathers on the first CPU.
    own = list(open_cpus)[::-1]
    for number in range(1, ask.wanted.iothreads + 1):
        cpus = present_of.get(number)
        if cpus is not None and _is_good(cpus, barred, layout) and layout.nodes_of(cpus).issubset(nodes):
            iothreads[number] = cpus
        elif own:
            iothreads[number] = CpuSet.of(own[(number - 1) % len(own)])
    return emulator, iothreads


def _is_good(cpus: CpuSet, barred: CpuSet, layout: Layout) -> bool:
    return bool(cpus) and cpus.isdisjoint(barred) and all(cpu in layout.core_of for cpu in cpus)


def _housekeeping(nodes: CpuSet, layout: Layout) -> CpuSet:
    return (
        CpuSet(cpu for cpu in layout.housekeeping if layout.core_of[cpu].node in nodes)
        if nodes
        else layout.housekeeping
    )
