"""The memory map, which shows what the memory of each NUMA node is used for, and by which guest."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from kvmnb.core.units import format_bytes
from kvmnb.facts.domain import Domain
from kvmnb.facts.gap import NotSeen
from kvmnb.facts.host import Host
from kvmnb.show import template, words
from kvmnb.show.charts import bars
from kvmnb.show.charts import figure as figures
from kvmnb.show.charts.lying import GuestShare, NodeShare, guest_shares, node_shares
from kvmnb.show.colours import colours

TITLE = "Whose memory lies on which NUMA node?"

# More guests than this are told in the sentence by their number alone.
_NAMED = 4
# A part that no page of figures shows as a percentage is no reason for a word.
_TOLD_RATIO = 0.01

_KINDS: tuple[tuple[str, str, tuple[str, str]], ...] = (
    ("hugepages in use, by whom not seen", "pool_in_use", bars.POOL),
    ("hugepages that nobody uses", "pool_free", ("rgba(128,128,128,0.16)", "+")),
    ("page cache (files)", "cache", bars.CACHE),
    ("other programs and the kernel", "others", bars.OTHERS),
    ("free", "free", bars.FREE),
)


class MemoryMap:
    """Each node as a bar: its guests, its hugepages, its page cache, and what is free."""

    def __init__(self, host: Host, domains: Sequence[Domain]) -> None:
        self.host = host
        self.domains = tuple(domains)

    @cached_property
    def guests(self) -> tuple[GuestShare, ...]:
        """Where each running guest's memory lies."""
        return guest_shares(self.host, self.domains)

    @cached_property
    def nodes(self) -> tuple[NodeShare, ...]:
        """What each node's memory is used for."""
        return node_shares(self.host, self.guests)

    def figure(self) -> dict[str, Any]:
        """The plotly figure; NotSeen where the host's memory was not seen."""
        colour = colours(domain.name for domain in self.domains)
        rows = [_row(node) for node in self.nodes]
        parts = [_guest_part(guest, self.nodes, colour[guest.name]) for guest in self.guests if guest.by_node]
        parts += [_part(name, kind, look, self.nodes) for name, kind, look in _KINDS]
        return bars.figure(TITLE, rows, [part for part in parts if part.sizes])

    def sentence(self) -> str:
        """What the map shows, for a reader who does not see it."""
        try:
            told = [_told(node) for node in self.nodes]
            told += [_far(self.guests), _unseen(self.guests)]
        except NotSeen as unseen:
            return f"The host's memory was not seen ({unseen.gap.reason}), so there is no map of it."
        return " ".join(part for part in told if part)

    def table(self) -> str:
        """The same as tables, without the style."""
        return template.fragment(
            "memory_map", guests=self.guests, nodes=self.nodes, size=format_bytes, percent=bars.percent
        )

    def _ipython_display_(self) -> None:
        try:
            drawn = self.figure()
        except NotSeen:
            said = self.sentence()
            figures.publish({"text/html": template.page("note", text=said), "text/plain": said})
            return
        caption = template.fragment("chart_caption", sentence=self.sentence(), table=self.table())
        figures.show(drawn, caption, template.enclose(self.table()), self.sentence())


def _row(node: NodeShare) -> str:
    return f"node {node.node}"


def _guest_part(guest: GuestShare, nodes: Sequence[NodeShare], colour: str) -> bars.Part:
    there = {_row(node): guest.by_node[node.node] for node in nodes if guest.by_node.get(node.node)}
    hovers = {
        _row(node): _guest_hover(guest, node.node, guest.by_node[node.node])
        for node in nodes
        if guest.by_node.get(node.node)
    }
    return bars.Part(guest.name, "Guests", (colour, ""), there, hovers)


def _guest_hover(guest: GuestShare, node: int, size: int) -> tuple[str, ...]:
    whole = sum(guest.by_node.values())
    lines = [
        bars.short(guest.name),
        f"{format_bytes(size)} on node {node}, {bars.percent(size / whole)} of its memory",
        f"its vCPUs may run on nodes {guest.home}" if len(guest.home) > 1 else f"its vCPUs run on node {guest.home}",
    ]
    if guest.pool_ratio:
        lines.append(f"{bars.percent(guest.pool_ratio)} of its memory is in hugepages of a pool")
    return tuple(lines)


def _part(name: str, kind: str, look: tuple[str, str], nodes: Sequence[NodeShare]) -> bars.Part:
    there = {_row(node): size for node in nodes if (size := getattr(node, kind))}
    hovers = {row: (name, f"{format_bytes(size)} on {row}") for row, size in there.items()}
    return bars.Part(name, "The rest of the node", look, there, hovers)


def _told(node: NodeShare) -> str:
    cache = "" if node.cache is None else f", {format_bytes(node.cache)} cache files"
    pool = f", {format_bytes(node.pool_free)} are hugepages that nobody uses" if node.pool_free else ""
    return (
        f"Of the {format_bytes(node.total)} of node {node.node}, guests have {format_bytes(node.guests)}"
        f"{cache}{pool}, and {format_bytes(node.free)} are free."
    )


def _far(guests: Sequence[GuestShare]) -> str:
    far = sorted((guest for guest in guests if guest.far_ratio >= _TOLD_RATIO), key=lambda one: -one.far_ratio)
    if not far:
        return ""
    named = [f"{bars.percent(guest.far_ratio)} of {guest.name}" for guest in far[:_NAMED]]
    more = [f"a part of {words.plural(len(far) - _NAMED, 'more guest')}"] if len(far) > _NAMED else []
    return f"On other nodes than their vCPUs lie {words.listed([*named, *more])}."


def _unseen(guests: Sequence[GuestShare]) -> str:
    unseen = [guest for guest in guests if guest.why_unseen is not None]
    if not unseen:
        return ""
    names = [guest.name for guest in unseen[:_NAMED]]
    names += [f"{len(unseen) - _NAMED} more"] if len(unseen) > _NAMED else []
    return f"Where the memory of {words.listed(names)} lies was not seen: {unseen[0].why_unseen}."
