"""Rates over one window: counters read twice, and what grew between."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, cast

from kvmnb.core import codec
from kvmnb.core.errors import KvmnbError, NotAnswered
from kvmnb.core.units import KIB
from kvmnb.facts.gap import Gap
from kvmnb.facts.load import BlockLoad, CpuLoad, DiskLoad, GuestLoad, IdleLoad, Load, NicLoad, ThreadLoad, VcpuLoad
from kvmnb.machine.machine import Machine
from kvmnb.probe.counters import Counters, Reading, read_counters
from kvmnb.probe.window import PATH, Window, window_of

MOST_SECONDS = 3600.0


def probe_load(machine: Machine, seconds: float, wait: Callable[[float], None] = time.sleep) -> Load:
    """The rates of this machine over a window that begins now; of a recording, over the window that it holds.

    Raises NotAnswered for a recording without one, since its counters stand still, and where host files are not ours
    to read.
    """
    _bounded(seconds)
    kept = recorded_load(machine)
    if kept is not None:
        return kept
    return load_between(*read_window(machine, seconds, wait))


def read_window(
    machine: Machine, seconds: float, wait: Callable[[float], None] = time.sleep
) -> tuple[Reading, Reading]:
    """The counters at both ends of a window that begins now."""
    _bounded(seconds)
    if machine.kind != "live" and not (machine.kind == "root" and machine.origin == "/"):
        raise NotAnswered(f"{machine.title} is recorded, so its counters stand still; a window needs a live machine")
    if machine.files is None:
        raise NotAnswered(f"no window can be measured: {machine.files_gap}")
    before = read_counters(machine.files, machine.hypervisor)
    wait(seconds)
    return before, read_counters(machine.files, machine.hypervisor)


def _bounded(seconds: float) -> None:
    if not 0 < seconds <= MOST_SECONDS:
        raise KvmnbError(f"a window of {seconds:g} s cannot be measured; choose up to {MOST_SECONDS:.0f} s")


def recorded_load(machine: Machine) -> Load | None:
    """The rates over the window that a recording holds; None where it holds none, and for other machines."""
    kept = recorded_window(machine)
    return load_between(*kept) if kept is not None else None


def recorded_window(machine: Machine) -> tuple[Reading, Reading] | None:
    """Both readings of the window that a recording holds."""
    if machine.kind not in ("recorded", "scratch", "demo") or machine.files is None or not machine.files.exists(PATH):
        return None
    try:
        return window_of(codec.from_json(machine.files.read_bytes(PATH), Window, f"/{PATH}"))
    except (OSError, ValueError, KvmnbError) as problem:
        raise NotAnswered(f"the window of {machine.title} cannot be read: {problem}") from problem


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
    lines = [rates for key, rates in grown.items() if key[0] == "softnet"]
    dropped, squeezed = ([line[column] for line in lines] for column in (0, 1))
    summed = (sum(dropped), sum(squeezed), max(squeezed, default=0.0))
    softnet = _or_gap(summed if lines else None, 3, "load.softnet", unread.get("proc/net/softnet_stat"))
    return Load(
        seconds=seconds,
        cpus=_cpus(grown, unread),
        guests=_guests(grown, after.counters, unread),
        blocks=cast(tuple[BlockLoad, ...], _many(grown, "block", _block, unread.get("proc/diskstats"))),
        nics=cast(tuple[NicLoad, ...], _nics(grown, unread.get("proc/net/dev"))),
        swapped_in_pages_per_second=swap[0],
        swapped_out_pages_per_second=swap[1],
        softnet_dropped_per_second=softnet[0],
        softnet_squeezed_per_second=softnet[1],
        softnet_most_squeezed_per_second=softnet[2],
        conntrack_dropped_per_second=_conntrack(grown, unread.get("proc/net/stat/nf_conntrack")),
    )


def _many(
    grown: Counters, kind: str, make: Callable[[str, tuple[float, ...]], object], unread: str | None
) -> tuple[object, ...] | Gap:
    if unread is not None:
        return Gap(f"load.{kind}s", unread)
    named = sorted((key[1], values) for key, values in grown.items() if key[0] == kind)
    if kind == "cpu":
        named.sort(key=lambda one: int(one[0]))
    return tuple(make(name, values) for name, values in named)


def _cpus(grown: Counters, unread: Mapping[str, str]) -> tuple[CpuLoad, ...]:
    idle: dict[str, list[IdleLoad]] = {}
    for key, rates in sorted(grown.items()):
        if key[0] == "idle":
            idle.setdefault(key[1], []).append(IdleLoad(name=key[2], entered_per_second=rates[0]))
    why = unread.get("proc/interrupts")

    def made(name: str, rates: tuple[float, ...]) -> CpuLoad:
        user, nice, system, idling, iowait, irq, softirq, steal = rates
        # The counters of a CPU are ticks of a clock of its own; their sum is its time.
        time_passed = sum(rates) or 1.0
        return CpuLoad(
            cpu=int(name),
            busy_ratio=(user + nice + system + irq + softirq) / time_passed if idling < time_passed else 0.0,
            system_ratio=system / time_passed,
            softirq_ratio=softirq / time_passed,
            iowait_ratio=iowait / time_passed,
            steal_ratio=steal / time_passed,
            interrupts_per_second=_or_gap(grown.get(("interrupts", name)), 1, "load.cpus.interrupts", why)[0],
            idle=tuple(idle.get(name, ())),
        )

    return cast(tuple[CpuLoad, ...], _many(grown, "cpu", made, unread.get("proc/stat")))


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


def _nics(grown: Counters, unread: str | None) -> tuple[object, ...] | Gap:
    def made(name: str, rates: tuple[float, ...]) -> NicLoad:
        lost = grown.get(("lost", name))
        return NicLoad(
            name=name,
            rx_packets_per_second=rates[0],
            rx_dropped_per_second=rates[1],
            tx_packets_per_second=rates[2],
            tx_dropped_per_second=rates[3],
            rx_bytes_per_second=rates[4],
            tx_bytes_per_second=rates[5],
            rx_lost_per_second=lost[0] if lost else None,
        )

    return _many(grown, "nic", made, unread)


def _guests(grown: Counters, now: Counters, unread: Mapping[str, str]) -> tuple[GuestLoad, ...]:
    """The guests that have a vCPU in the window."""
    named = {key[1]: key[2] for key in grown if key[0] == "vcpu"}
    disks_unread, untold = unread.get("disks"), unread.get("guests")
    return tuple(
        GuestLoad(
            uuid=uuid,
            name=name,
            vcpus=tuple(
                VcpuLoad(vcpu=int(key[3]), run_ratio=rates[0], delay_ratio=rates[1])
                for key, rates in _of_guest(grown, "vcpu", uuid)
            ),
            threads=tuple(
                ThreadLoad(kind=kind, number=int(key[3]), run_ratio=rates[0], delay_ratio=rates[1])
                for kind in ("emulator", "iothread", "vhost")
                for key, rates in _of_guest(grown, kind, uuid)
            ),
            disks=cast(tuple[DiskLoad, ...], Gap(f"load.guests[{name}].disks", disks_unread))
            if disks_unread is not None
            else tuple(
                DiskLoad(
                    target=key[2],
                    reads_per_second=rates[0],
                    read_bytes_per_second=rates[1],
                    writes_per_second=rates[2],
                    write_bytes_per_second=rates[3],
                )
                for key, rates in sorted(grown.items())
                if key[:2] == ("disk", uuid)
            ),
            throttled_ratio=max((_share(cut, periods) for periods, cut in _quotas(grown, uuid)), default=None),
            **_told(grown, now, uuid, name, untold),
        )
        for uuid, name in sorted(named.items(), key=lambda one: (one[1], one[0]))
    )


def _quotas(grown: Counters, uuid: str) -> list[tuple[float, ...]]:
    return [rates for key, rates in grown.items() if key[:2] == ("quota", uuid)]


def _share(part: float, whole: float) -> float:
    """0 where nothing of the whole grew."""
    return part / whole if whole > 0 else 0.0


def _told(grown: Counters, now: Counters, uuid: str, name: str, untold: str | None) -> dict[str, Any]:
    """What libvirt counts of a guest, by the name of the fact; None for what it does not count of this one."""
    fields = ("polled_in_vain_ratio", "memory_usable_ratio", "swapped_in_bytes_per_second")
    if untold is not None:
        return {field: Gap(f"load.guests[{name}].{field}", untold) for field in fields}
    polling, swap, usable = (
        of.get((kind, uuid)) for of, kind in ((grown, "polling"), (grown, "swap"), (now, "usable"))
    )
    return {
        "polled_in_vain_ratio": _share(polling[1], polling[0]) if polling else None,
        "memory_usable_ratio": _share(usable[0], usable[1]) if usable and usable[1] else None,
        # libvirt counts it in KiB.
        "swapped_in_bytes_per_second": swap[0] * KIB if swap else None,
    }


def _of_guest(grown: Counters, kind: str, uuid: str) -> list[tuple[tuple[str, ...], tuple[float, ...]]]:
    """One kind of a guest's counters, by number."""
    found = [(key, rates) for key, rates in grown.items() if key[:2] == (kind, uuid)]
    return sorted(found, key=lambda one: int(one[0][3]))


def _conntrack(grown: Counters, unread: str | None) -> float | None:
    lost = grown.get(("conntrack",))
    return cast(float, Gap("load.conntrack", unread)) if unread else lost[0] if lost else None


def _or_gap(values: tuple[float, ...] | None, count: int, fact: str, why: str | None) -> tuple[float, ...]:
    if values is not None:
        return values
    return (cast(float, Gap(fact, why or "it was not there at both ends of the window")),) * count
