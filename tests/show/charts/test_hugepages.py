"""The chart of hugepages tells before its start whether a guest would find its pages."""

from __future__ import annotations

from typing import Any

import pytest

from kvmnb.facts.gap import Gap, changed
from kvmnb.show.charts.hugepages import TITLE, Hugepages
from kvmnb.verbs import Here
from tests.builders import a_domain, a_host, bound_to
from tests.show.charts.test_memory_map import with_pool

PAGES = "<memoryBacking><hugepages/></memoryBacking>"


def asking(name: str, gib: float, nodes: str = "", *, running: bool = False) -> Any:
    numatune = bound_to(nodes) if nodes else ""
    return a_domain(name, running=running, memory_gib=gib, numatune=PAGES + numatune)


def test_the_demo_host_shows_the_guest_that_would_not_start(pictured: Here) -> None:
    chart = pictured.pools()
    assert chart.sentence() == (
        "8192 pages of 2 MiB (16 GiB) are reserved (8192 on node 1), 0 of them free. No page of 1 GiB is reserved. "
        "Would not start now: dwh01 (48 pages of 1 GiB missing)."
    )
    figure = chart.figure()
    assert figure["layout"]["title"]["text"] == TITLE
    assert figure["layout"]["yaxis"]["categoryarray"][::-1] == [
        "2 MiB reserved, on node 0",
        "2 MiB reserved, on node 1",
        "2 MiB asked for, on node 1",
        "1 GiB reserved, on node 0",
        "1 GiB reserved, on node 1",
        "1 GiB asked for, on any node",
    ]
    assert {trace["name"]: (trace["y"], trace["x"]) for trace in figure["data"]} == {
        "in use": (["2 MiB reserved, on node 1"], [16.0]),
        "cache01": (["2 MiB asked for, on node 1"], [16.0]),
        "dwh01, shut off": (["1 GiB asked for, on any node"], [48.0]),
    }


@pytest.mark.parametrize(
    ("total", "free", "nodes", "running", "verdict"),
    [
        (4096, 4096, "1", False, "yes"),
        (4096, 4095, "1", False, "no: 1 page of 2 MiB missing on node 1"),
        (4096, 4096, "0", False, "no: 4096 pages of 2 MiB missing on node 0"),
        (4096, 4096, "", False, "yes"),
        (4096, 4000, "", False, "no: 96 pages of 2 MiB missing"),
        (4096, 0, "1", True, "it has them now"),
    ],
)
def test_a_guest_finds_its_pages_or_learns_what_is_missing_where(
    total: int, free: int, nodes: str, running: bool, verdict: str
) -> None:
    host = with_pool(a_host(nodes=2), 1, total, free)
    (ask,) = Hugepages(host, [asking("a", 8, nodes, running=running)]).asks
    assert (ask.pages, ask.verdict) == (4096, verdict)


def test_without_pools_and_wishes_there_is_a_sentence_in_place_of_the_chart(monkeypatch: pytest.MonkeyPatch) -> None:
    outputs: list[dict[str, Any]] = []
    monkeypatch.setattr("kvmnb.show.charts.figure.publish", outputs.append)
    Hugepages(a_host(), [a_domain("a")])._ipython_display_()
    assert [one["text/plain"] for one in outputs] == [
        "No hugepages are reserved on this host, and no guest asks for any."
    ]


def test_pools_that_were_not_seen_are_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    outputs: list[dict[str, Any]] = []
    monkeypatch.setattr("kvmnb.show.charts.figure.publish", outputs.append)
    host = changed(a_host(), numa_nodes=Gap("host.numa_nodes", "no such folder"))
    Hugepages(host, ())._ipython_display_()
    assert outputs[0]["text/plain"] == (
        "The host's hugepages were not seen (no such folder), so there is no chart of them."
    )


def test_pages_that_nobody_asks_for_are_drawn_too() -> None:
    chart = Hugepages(with_pool(a_host(nodes=2), 0, 512, 512), ())
    assert chart.sentence() == (
        "512 pages of 2 MiB (1 GiB) are reserved (512 on node 0), 512 of them free. No guest asks for any."
    )
    assert [trace["name"] for trace in chart.figure()["data"]] == ["free"]
