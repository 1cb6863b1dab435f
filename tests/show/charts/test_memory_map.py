"""The memory map gives every byte of a node to something, and every guest its colour."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from kvmnb.core.units import GIB, MIB
from kvmnb.facts.gap import Gap, changed
from kvmnb.facts.memory import HugepagePool
from kvmnb.facts.running import NodeMemory, ProcessMemory
from kvmnb.show.charts.figure import MIME
from kvmnb.show.charts.lying import NodeShare, guest_shares, node_shares
from kvmnb.show.charts.memory_map import TITLE, MemoryMap
from kvmnb.show.colours import colours
from kvmnb.verbs import Here
from tests.builders import a_domain, a_fact, a_host


def in_memory(name: str, sizes: dict[int, float], *, pool_gib: float = 0, **words: Any) -> Any:
    """A running guest with so many GiB on each node, some of them in pages of 2 MiB."""
    whole = sum(sizes.values())
    pages = ((4096, int((whole - pool_gib) * GIB)), (2 * MIB, int(pool_gib * GIB)))
    placed = a_fact(
        ProcessMemory,
        nodes=tuple(NodeMemory(node=node, bytes=int(gib * GIB)) for node, gib in sizes.items()),
        page_sizes=tuple((size, count) for size, count in pages if count),
    )
    return changed(a_domain(name, **words), memory=placed)


def with_pool(host: Any, node: int, total: int, free: int) -> Any:
    pool = a_fact(HugepagePool, size_bytes=2 * MIB, total=total, free=free)
    nodes = tuple(replace(one, hugepages=(pool,)) if one.id == node else one for one in host.numa_nodes)
    return changed(host, numa_nodes=nodes)


@pytest.fixture(scope="module")
def mapped(pictured: Here) -> MemoryMap:
    return pictured.memory_map()


def test_the_parts_of_a_node_are_all_of_it(mapped: MemoryMap) -> None:
    for node in mapped.nodes:
        parts = node.guests + node.pool_in_use + node.pool_free + (node.cache or 0) + node.free + node.others
        assert parts == node.total
    drawn = mapped.figure()["data"]
    on_first = sum(trace["x"][trace["y"].index("node 0")] for trace in drawn if "node 0" in trace["y"])
    assert on_first == pytest.approx(mapped.nodes[0].total / GIB, abs=0.02)


def test_the_title_asks_and_the_axis_has_a_unit(mapped: MemoryMap) -> None:
    layout = mapped.figure()["layout"]
    assert (layout["title"]["text"], layout["xaxis"]["title"]["text"]) == (TITLE, "memory, GiB")
    assert layout["yaxis"]["categoryarray"] == ["node 1", "node 0"], "the first is on top"


def test_plotly_takes_the_figure(mapped: MemoryMap) -> None:
    import plotly.graph_objects

    figure = mapped.figure()
    taken = plotly.graph_objects.Figure({"data": figure["data"], "layout": figure["layout"]})
    assert len(taken.data) == len(figure["data"])


def test_a_guest_has_the_colour_that_it_has_on_the_map_of_cpus(pictured: Here, mapped: MemoryMap) -> None:
    drawn = {trace["name"]: trace["marker"]["color"] for trace in mapped.figure()["data"]}
    known = colours(domain.name for domain in pictured.domains)
    assert {name: drawn[name] for name in ("db01", "win10")} == {name: known[name] for name in ("db01", "win10")}


def test_what_lies_off_the_vcpus_is_told(mapped: MemoryMap) -> None:
    assert "On other nodes than their vCPUs lie 21 % of router01 and 13 % of db01." in mapped.sentence()
    (trace,) = (trace for trace in mapped.figure()["data"] if trace["name"] == "db01")
    assert trace["hovertext"][1] == "db01<br>4.209 GiB on node 1, 13 % of its memory<br>its vCPUs run on node 0"


def test_pages_of_a_pool_are_counted_once() -> None:
    host = with_pool(a_host(nodes=2, memory_gib=64), 1, total=8192, free=2048)
    guests = guest_shares(host, [in_memory("a", {1: 8}, pool_gib=8)])
    assert [guest.pool_ratio for guest in guests] == [1.0]
    assert node_shares(host, guests)[1] == NodeShare(
        node=1,
        total=64 * GIB,
        guests=8 * GIB,
        pool_in_use=4 * GIB,
        pool_free=4 * GIB,
        cache=None,
        free=32 * GIB,
        others=16 * GIB,
    )


def test_numbers_of_two_moments_leave_nothing_below_zero() -> None:
    host = a_host(memory_gib=8)
    (node,) = node_shares(host, guest_shares(host, [in_memory("a", {0: 7})]))
    assert (node.free, node.others) == (4 * GIB, 0)


def test_a_guest_that_was_not_seen_is_named_with_the_reason() -> None:
    unseen = Gap("domains[a].memory", "only root may read it")
    domains = [changed(a_domain(name), memory=unseen) for name in "abcdef"]
    mapped = MemoryMap(a_host(), domains)
    assert mapped.sentence().endswith(
        "Where the memory of a, b, c, d and 2 more lies was not seen: only root may read it."
    )
    assert mapped.table().count("not seen: only root may read it") == 6


def test_the_output_is_a_caption_and_the_figure_with_tables(mapped: MemoryMap, monkeypatch: pytest.MonkeyPatch) -> None:
    outputs: list[dict[str, Any]] = []
    monkeypatch.setattr("kvmnb.show.charts.figure.publish", outputs.append)
    mapped._ipython_display_()
    caption, figure = outputs
    assert "The same as a table" in caption["text/html"]
    assert set(figure) == {MIME, "text/html", "text/plain"}
    assert figure["text/html"].count('<th scope="row">') == 2 + 7


def test_memory_that_was_not_seen_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    outputs: list[dict[str, Any]] = []
    monkeypatch.setattr("kvmnb.show.charts.figure.publish", outputs.append)
    host = changed(a_host(), numa_nodes=Gap("host.numa_nodes", "no such folder"))
    MemoryMap(host, ())._ipython_display_()
    assert outputs[0]["text/plain"] == ("The host's memory was not seen (no such folder), so there is no map of it.")


def test_a_host_without_running_guests_says_so() -> None:
    assert "No guest is running" in MemoryMap(a_host(), [a_domain("a", running=False)]).table()
