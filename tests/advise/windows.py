"""Rates over a window of ten seconds, for tests of rules that read them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kvmnb.facts.load import CpuLoad, DiskLoad, GuestLoad, Load, NicLoad, ThreadLoad, VcpuLoad
from tests.builders import a_fact, uuid_of


def a_window(*guests: GuestLoad, **rates: Any) -> Load:
    """A window in which nothing happened, unless told otherwise."""
    return a_fact(Load, **{"seconds": 10.0, "guests": guests, **rates})


def a_guest_load(
    vcpus: Sequence[tuple[float, float]] = (),
    *,
    name: str = "guest",
    threads: Sequence[tuple[str, int, float]] = (),
    disks: Sequence[DiskLoad] = (),
    **told: Any,
) -> GuestLoad:
    """A guest: run and delay of each vCPU; kind, number and run of each other thread; ``told`` is what else is."""
    return GuestLoad(
        uuid=uuid_of(name),
        name=name,
        vcpus=tuple(VcpuLoad(vcpu=n, run_ratio=run, delay_ratio=wait) for n, (run, wait) in enumerate(vcpus)),
        threads=tuple(ThreadLoad(kind=kind, number=n, run_ratio=run, delay_ratio=0.0) for kind, n, run in threads),
        disks=tuple(disks),
        **told,
    )


def a_disk_load(target: str = "vda", /, **rates: float) -> DiskLoad:
    """A disk that rests, unless told otherwise."""
    return a_fact(DiskLoad, target=target, **rates)


def a_nic_load(name: str, **rates: float) -> NicLoad:
    """An interface that rests, unless told otherwise."""
    return a_fact(NicLoad, name=name, **rates)


def a_cpu_load(cpu: int, softirq: float = 0.0, **rates: Any) -> CpuLoad:
    """A CPU with this share of soft interrupts, that rests unless told otherwise."""
    return a_fact(CpuLoad, cpu=cpu, softirq_ratio=softirq, **rates)
