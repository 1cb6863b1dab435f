"""A host's block devices as one table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kvmnb.core.units import format_bytes
from kvmnb.facts.storage import BlockDevice
from kvmnb.show import template, words
from kvmnb.show.cards.disk_path import medium

_SOURCES = "/sys/block/*/queue"


@dataclass(frozen=True, slots=True)
class BlockRow:
    """One device in words."""

    name: str
    kind: str
    size: str
    below: str
    scheduler: str
    others: str
    queues: str
    cache: str
    discard: str


def table(blocks: Sequence[BlockDevice]) -> str:
    """The table, as one output."""
    return template.page("blocks", rows=[_row(one) for one in blocks], source=_SOURCES)


def table_text(blocks: Sequence[BlockDevice]) -> str:
    """The table as lines."""
    return "\n".join(f"{one.name}: {one.kind}, {one.size}, scheduler {one.scheduler}" for one in map(_row, blocks))


def _row(one: BlockDevice) -> BlockRow:
    return BlockRow(
        name=one.name,
        kind=words.or_gap(lambda: _kind(one)),
        size=words.or_gap(lambda: format_bytes(one.size_bytes)),
        below=words.or_gap(lambda: ", ".join(one.slaves)),
        scheduler=words.or_gap(lambda: one.scheduler or "none to choose"),
        others=words.or_gap(lambda: ", ".join(name for name in one.schedulers if name != one.scheduler)),
        queues=words.or_gap(lambda: "" if one.hardware_queues is None else str(one.hardware_queues)),
        cache=words.or_gap(lambda: one.write_cache or "not told"),
        discard=words.or_gap(lambda: "yes" if one.discard_max_bytes else "no"),
    )


def _kind(one: BlockDevice) -> str:
    if one.slaves:
        return f"{one.dm_name or one.type} ({one.type})"
    return f"{medium(one)}, {one.model}" if one.model else medium(one)
