"""The hugepages chart, which holds the pools of each node against what guests ask for."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from kvmnb.core.cpuset import CpuSet
from kvmnb.core.units import format_bytes
from kvmnb.facts.domain import Domain
from kvmnb.facts.gap import NotSeen
from kvmnb.facts.host import Host
from kvmnb.show import template, words
from kvmnb.show.charts import bars
from kvmnb.show.charts import figure as figures
from kvmnb.show.charts.asked import Ask, Pool, asks, on, pools
from kvmnb.show.colours import colours

TITLE = "Do the hugepages hold what the guests ask for at their next start?"


class Hugepages:
    """Each pool as a bar, and below it what guests ask of it."""

    def __init__(self, host: Host, domains: Sequence[Domain]) -> None:
        self.host = host
        self.domains = tuple(domains)

    @cached_property
    def pools(self) -> tuple[Pool, ...]:
        """The pools that have pages, and those of a size that a guest asks for."""
        wanted = {one.size for one in self.asks}
        return tuple(one for one in pools(self.host) if one.total or one.size in wanted)

    @cached_property
    def asks(self) -> tuple[Ask, ...]:
        """What guests ask for."""
        return asks(self.host, self.domains)

    def figure(self) -> dict[str, Any]:
        """The plotly figure; NotSeen where the pools were not seen."""
        rows: list[str] = []
        for size in sorted({one.size for one in self.pools} | {one.size for one in self.asks}):
            nodes = [one.node for one in self.pools if one.size == size]
            rows += [_there(size, node) for node in nodes]
            rows += dict.fromkeys(self._asked(one) for one in self.asks if one.size == size)
        colour = colours(domain.name for domain in self.domains)
        parts = [*_pool_parts(self.pools), *self._guest_parts(colour)]
        return bars.figure(TITLE, rows, [part for part in parts if part.sizes])

    def sentence(self) -> str:
        """What the chart shows, for a reader who does not see it."""
        try:
            if not self.pools and not self.asks:
                return "No hugepages are reserved on this host, and no guest asks for any."
            told = [_told(size, self.pools) for size in sorted({one.size for one in self.pools})]
            told += [_wanting(self.asks)]
        except NotSeen as unseen:
            return f"The host's hugepages were not seen ({unseen.gap.reason}), so there is no chart of them."
        return " ".join(part for part in told if part)

    def table(self) -> str:
        """The same as tables, without the style."""
        return template.fragment(
            "hugepages", pools=self.pools, asks=self.asks, size=format_bytes, on=lambda nodes: on(nodes, self._nodes)
        )

    def _ipython_display_(self) -> None:
        said = self.sentence()
        try:
            drawn = self.figure() if self.pools or self.asks else None
        except NotSeen:
            drawn = None
        if drawn is None:
            figures.publish({"text/html": template.page("note", text=said), "text/plain": said})
            return
        caption = template.fragment("chart_caption", sentence=said, table=self.table())
        figures.show(drawn, caption, template.enclose(self.table()), said)

    @property
    def _nodes(self) -> CpuSet:
        return CpuSet(node.id for node in self.host.numa_nodes if node.memory_bytes)

    def _asked(self, one: Ask) -> str:
        return f"{format_bytes(one.size)} asked for, {on(one.nodes, self._nodes)}"

    def _guest_parts(self, colour: dict[str, str]) -> list[bars.Part]:
        parts = []
        for name in dict.fromkeys(one.guest for one in self.asks):
            mine = [one for one in self.asks if one.guest == name]
            there = {self._asked(one): one.pages * one.size for one in mine}
            hovers = {self._asked(one): (bars.short(name), _pages(one.pages, one.size), one.verdict) for one in mine}
            state = "" if mine[0].running else ", shut off"
            parts.append(bars.Part(name + state, "Guests ask for", (colour[name], ""), there, hovers))
        return parts


def _pool_parts(found: Sequence[Pool]) -> list[bars.Part]:
    parts = []
    for name, look, of in (("in use", bars.OTHERS, "in_use"), ("free", bars.FREE, "free")):
        there = {_there(one.size, one.node): getattr(one, of) * one.size for one in found}
        hovers = {
            _there(one.size, one.node): (f"{_pages(getattr(one, of), one.size)} {name} on node {one.node}",)
            for one in found
        }
        kept = {row: size for row, size in there.items() if size}
        parts.append(bars.Part(name, "Reserved hugepages", look, kept, hovers))
    return parts


def _there(size: int, node: int) -> str:
    return f"{format_bytes(size)} reserved, on node {node}"


def _pages(count: int, size: int) -> str:
    return f"{words.plural(count, 'page')} of {format_bytes(size)} ({format_bytes(count * size)})"


def _told(size: int, found: Sequence[Pool]) -> str:
    mine = [one for one in found if one.size == size]
    total, free = sum(one.total for one in mine), sum(one.free for one in mine)
    if not total:
        return f"No page of {format_bytes(size)} is reserved."
    where = words.listed([f"{one.total} on node {one.node}" for one in mine if one.total])
    return f"{_pages(total, size)} are reserved ({where}), {free} of them free."


def _wanting(found: Sequence[Ask]) -> str:
    lacking = list(dict.fromkeys(f"{one.guest} ({one.lacks})" for one in found if one.lacks))
    if lacking:
        return f"Would not start now: {words.listed(lacking)}."
    return "Every guest that asks for hugepages has them or would find them." if found else "No guest asks for any."
