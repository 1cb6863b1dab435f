"""The card of a kernel: how it treats the memory of the host and its guests."""

from __future__ import annotations

from collections.abc import Callable

from kvmnb.core.units import format_bytes
from kvmnb.facts.gap import Gap
from kvmnb.facts.kernel import Kernel, Ksm, Swap, Thp
from kvmnb.show import template, words
from kvmnb.show.cards.rows import Row, row

# A page of the kernels that KVM is used on; the counts of KSM are in pages.
_PAGE_BYTES = 4096
_THP = "/sys/kernel/mm/transparent_hugepage"
_KSM = "/sys/kernel/mm/ksm"
_MEANINGS: dict[str, dict[str, str]] = {
    "vm.zone_reclaim_mode": {
        "0": "memory is taken from the next one",
        "1": "it drops its own page cache first, and guests wait for that",
    },
    "kernel.numa_balancing": {"0": "pages stay where they are", "1": "pages follow the threads that use them"},
    "vm.overcommit_memory": {
        "0": "more may be promised than there is, within reason",
        "1": "anything may be promised",
        "2": "no more is promised than vm.overcommit_ratio allows",
    },
}


def html(kernel: Kernel) -> str:
    """The card."""
    return template.page("kernel", rows=rows(kernel), release=words.or_gap(lambda: kernel.release), gaps=kernel.gaps())


def text(kernel: Kernel) -> str:
    """The card as one line."""
    return f"Memory under {words.or_gap(lambda: kernel.release)}: " + "; ".join(
        f"{one.label.lower()} {one.text}" for one in rows(kernel)[1:3]
    )


def rows(kernel: Kernel) -> list[Row]:
    """What the kernel does with memory, in words, with where each was read."""
    return [
        row("Available", lambda: _available(kernel), "/proc/meminfo, MemAvailable"),
        row("Transparent hugepages", lambda: _thp(kernel.thp), f"{_THP}/enabled, defrag, shmem_enabled"),
        row("Merging of equal pages (KSM)", lambda: _ksm(kernel.ksm), f"{_KSM}/run, pages_sharing, pages_shared"),
        row("Swap", lambda: _swaps(kernel.swaps, zswap=kernel.zswap), "/proc/swaps"),
        *(
            row(label, _setting(kernel, key), "/proc/sys/" + key.replace(".", "/"))
            for label, key in (
                ("Readiness to swap (0 to 200)", "vm.swappiness"),
                ("When a node is full", "vm.zone_reclaim_mode"),
                ("Automatic NUMA balancing", "kernel.numa_balancing"),
                ("Promising more than there is", "vm.overcommit_memory"),
                ("Written data in the page cache at most, %", "vm.dirty_ratio"),
            )
        ),
        row("Tasks that waited for memory", lambda: _pressure(kernel), "/proc/pressure/memory"),
    ]


def _available(kernel: Kernel) -> str:
    whole = format_bytes(kernel.memory_bytes)
    if kernel.available_bytes is None:
        return f"not told, of {whole}"
    return f"{format_bytes(kernel.available_bytes)} of {whole}, page cache that can be given back counted in"


def _thp(thp: Thp | None) -> str:
    if thp is None:
        return "the kernel is built without them"
    meaning = {
        "always": "for every program",
        "madvise": "for programs that ask, as QEMU does",
        "never": "for nobody",
    }
    said = f"{thp.enabled} ({meaning.get(thp.enabled, 'no word that is known here')}), defrag {thp.defrag}"
    return said if thp.shmem is None else f"{said}, of shared memory {thp.shmem}"


def _ksm(ksm: Ksm | None) -> str:
    if ksm is None:
        return "the kernel is built without it"
    state = {0: "stopped", 1: "merging", 2: "stopped, and what was merged is taken apart"}.get(ksm.run, str(ksm.run))
    return f"{state}; it saves {format_bytes(ksm.pages_sharing * _PAGE_BYTES)} ({ksm.pages_sharing} pages)"


def _swaps(swaps: tuple[Swap, ...], *, zswap: bool) -> str:
    told = [
        f"{one.device}{' (compressed memory)' if one.zram else ''}: "
        f"{format_bytes(one.used_bytes)} of {format_bytes(one.size_bytes)} in use"
        for one in swaps
    ]
    return "; ".join([*(told or ["none"]), *(["zswap compresses first"] if zswap else [])])


def _setting(kernel: Kernel, key: str) -> Callable[[], str]:
    def read() -> str:
        value = kernel.sysctl(key)
        if value is None:
            return "this kernel has no such setting"
        one = next((one for one in kernel.sysctls if one.key == key), None)
        meaning = _MEANINGS.get(key, {}).get(value)
        said = f"{value} ({meaning})" if meaning else value
        return f"{said}, set by /{one.set_by}" if one is not None and one.set_by else said

    return read


def _pressure(kernel: Kernel) -> str:
    found = words.seen(lambda: kernel.pressures)
    if isinstance(found, Gap):
        return f"not seen: {found.reason}"
    for one in found:
        if one.resource == "memory":
            return f"{one.some_avg10:g} % of the last 10 s, {one.some_avg60:g} % of the last minute"
    return "this kernel does not count it"
