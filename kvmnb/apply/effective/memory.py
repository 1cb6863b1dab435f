"""A guest's pages and the nodes they lie on, from the maps of its QEMU process."""

from __future__ import annotations

import re

from kvmnb.apply.effective.look import Look, Seen
from kvmnb.core.cpuset import CpuSet
from kvmnb.core.units import KIB, format_bytes, parse_size
from kvmnb.facts.gap import NotSeen
from kvmnb.facts.running import ProcessMemory
from kvmnb.probe.reader import Reader
from kvmnb.probe.running import memory_of

PATHS = re.compile(r"memoryBacking/hugepages(?:/page\[\d+\](?:/@size)?)?|numatune/memory/@nodeset")

_SMALL = 64 * KIB
"""The largest base page of any kernel; a pool's pages are larger."""


def look_at(look: Look, path: str, value: str) -> Seen | None:
    """Whether the memory lies in hugepages of a pool, or on which nodes."""
    if PATHS.fullmatch(path) is None:
        return None
    memory = memory_of(Reader(look.files), look.process.pid)
    where = f"/proc/{look.process.pid}/numa_maps"
    try:
        return _nodes(memory, value, where) if path.endswith("@nodeset") else _pages(look, memory, value, where)
    except NotSeen as unseen:
        return Seen(None, where, unseen.gap.reason)


def _nodes(memory: ProcessMemory, value: str, where: str) -> Seen:
    found = CpuSet(node.node for node in memory.nodes if node.bytes)
    # What the guest has not touched yet lies nowhere, so fewer nodes than allowed are right too.
    return Seen(value if found.issubset(CpuSet.parse(value)) else str(found), where)


def _pages(look: Look, memory: ProcessMemory, value: str, where: str) -> Seen:
    wanted = _wanted_sizes(look)
    size = parse_size(*_size_of(look))
    there = {page: held for page, held in memory.page_sizes if page > _SMALL and (not wanted or page in wanted)}
    if sum(there.values()) >= size:
        return Seen(value, where)
    held = ", ".join(f"{format_bytes(count)} in pages of {format_bytes(page)}" for page, count in memory.page_sizes)
    return Seen(held or "no memory", where)


def _wanted_sizes(look: Look) -> set[int]:
    pages = look.element("memoryBacking/hugepages")
    return {
        parse_size(child.get("size") or "", child.get("unit") or "KiB")
        for child in (pages.children if pages is not None else ())
        if child.name == "page"
    }


def _size_of(look: Look) -> tuple[str, str]:
    element = look.element("memory")
    return (element.text.strip(), element.get("unit") or "KiB") if element is not None else ("0", "KiB")
