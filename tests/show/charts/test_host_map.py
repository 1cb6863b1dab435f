"""The host map draws every CPU once and every guest where it may run."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest

from kvmnb.core.cpuset import CpuSet
from kvmnb.facts.domain import Domain
from kvmnb.facts.gap import changed
from kvmnb.facts.host import Host
from kvmnb.show.charts.figure import INK, MIME, THEME, bundle, text
from kvmnb.show.charts.grid import grid
from kvmnb.show.charts.host_map import TITLE, HostMap
from kvmnb.show.charts.sitting import sittings
from kvmnb.show.colours import colours
from kvmnb.verbs import Here
from tests.builders import a_host


def traces(figure: dict[str, Any], kind: str = "bar") -> dict[str, dict[str, Any]]:
    return {trace.get("name", ""): trace for trace in figure["data"] if trace["type"] == kind}


def named(pictured: Here, *names: str) -> tuple[Domain, ...]:
    return tuple(domain for domain in pictured.domains if domain.name in names)


@pytest.mark.parametrize(
    "host",
    [
        a_host(cores=2),
        a_host(nodes=2, cores=16, threads=2),
        a_host(nodes=8, cores=32, threads=2),
        a_host(nodes=1, cores=64, threads=2, offline="3,67", isolated="8-11"),
        a_host(nodes=4, cores=24, threads=4),
    ],
    ids=["2 CPUs", "64 CPUs", "512 CPUs", "one wide node", "four threads a core"],
)
def test_every_cpu_has_a_cell_of_its_own(host: Host) -> None:
    drawn = grid(host)
    assert sorted(cell.cpu.id for cell in drawn.cells) == [cpu.id for cpu in host.cpus]
    places = {(cell.x, round(cell.y, 3)) for cell in drawn.cells}
    assert len(places) == len(drawn.cells)
    assert all(0 <= cell.x < drawn.width and -drawn.height <= cell.y < 0 for cell in drawn.cells)


def test_threads_of_one_core_stand_one_below_the_other() -> None:
    places = {cell.cpu.id: cell for cell in grid(a_host(nodes=2, cores=16, threads=2)).cells}
    assert places[0].x == places[32].x
    assert places[0].y - places[32].y == 1


def test_a_large_host_stays_readable_in_width_and_height() -> None:
    figure = HostMap(a_host(nodes=8, cores=32, threads=2), ()).figure()
    assert figure["layout"]["xaxis"]["range"][1] < 33
    assert figure["layout"]["height"] < 1100
    assert len(json.dumps(figure)) < 120_000


def test_the_title_is_the_question_and_the_ground_is_the_pages(pictured: Here) -> None:
    layout = pictured.map().figure()["layout"]
    assert layout["title"]["text"] == TITLE
    assert layout["paper_bgcolor"] == layout["plot_bgcolor"] == "rgba(0,0,0,0)"
    assert INK not in ("#000000", "#ffffff")
    assert "--jp-content-font-color1" in THEME


def test_plotly_takes_the_figure(pictured: Here) -> None:
    import plotly.graph_objects

    figure = pictured.map().figure()
    taken = plotly.graph_objects.Figure({"data": figure["data"], "layout": figure["layout"]})
    assert len(taken.data) == len(figure["data"])


def test_two_guests_on_a_cpu_stand_side_by_side(pictured: Here) -> None:
    seated = sittings(named(pictured, "db01", "router01"), pictured.host.online)
    drawn = traces(HostMap(pictured.host, named(pictured, "db01", "router01")).figure())
    cell = next(cell for cell in grid(pictured.host).cells if cell.cpu.id == 5)
    boxes = []
    for sitting in seated:
        trace = drawn[f"{sitting.name} ({sitting.vcpus} vCPUs)"]
        at = [cpu for cpu, _ in sitting.by_cpu].index(5)
        boxes.append((trace["x"][at] - trace["width"][at] / 2, trace["x"][at] + trace["width"][at] / 2))
    (left, middle), (other, right) = boxes
    assert cell.x <= left < middle <= other < right <= cell.x + 1


def test_a_guest_has_its_colour_and_its_vcpus_are_named(pictured: Here) -> None:
    drawn = traces(pictured.map().figure())["cache01 (4 vCPUs)"]
    assert drawn["text"] == ["0", "1", "2", "3"]
    assert drawn["marker"]["color"] == colours(domain.name for domain in pictured.domains)["cache01"]
    assert drawn["hovertext"][0] == "cache01 (running)<br>vCPU 0 may run on CPU 18"


def test_floating_guests_and_guests_on_absent_cpus_are_listed_beside(pictured: Here) -> None:
    beside = {
        trace["name"]: trace["legendgroup"]
        for trace in pictured.map().figure()["data"]
        if trace["type"] == "scatter" and "name" in trace
    }
    assert beside == {
        "build01 (40 vCPUs)": "Floating: on any CPU",
        "mail01 (2 vCPUs)": "Floating: on any CPU",
        "win10 (6 vCPUs)": "Floating: on any CPU",
        "dwh01 (8 vCPUs, shut off)": "Pinned to CPUs not online",
    }


def test_housekeeping_isolated_and_offline_cpus_are_told_by_more_than_a_colour() -> None:
    host = a_host(nodes=1, cores=8, offline="7", isolated="4-5")
    drawn = traces(HostMap(host, (), CpuSet.of(0)).figure())
    assert {name: (len(trace["x"]), trace["marker"]["pattern"]["shape"]) for name, trace in drawn.items()} == {
        "CPU": (4, ""),
        "CPU kept for the host when kvmnb pins": (1, ""),
        "isolated CPU": (2, "x"),
        "offline CPU": (1, "/"),
    }


def test_the_map_in_words_names_the_conflicts(pictured: Here) -> None:
    assert pictured.map().sentence() == (
        "64 CPUs on 2 NUMA nodes: 5 guests pinned to some of them, 3 floating over all. More than one guest is "
        "pinned to CPUs 5,37. Pinned to CPUs that this host does not have online: dwh01 (CPUs 64-71)."
    )


def test_a_vcpu_pinned_to_every_cpu_floats(pictured: Here) -> None:
    (cache,) = named(pictured, "cache01")
    assert cache.live is not None
    wide = tuple(replace(pin, cpus=pictured.host.online) for pin in cache.live.vcpu_pins)
    pinned = changed(cache, live=changed(cache.live, vcpu_pins=wide))
    (sitting,) = sittings([pinned], pictured.host.online)
    assert not sitting.pinned
    assert sitting.floating == CpuSet(range(4))


def test_the_output_is_a_caption_and_the_figure_with_a_table(pictured: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    outputs: list[dict[str, Any]] = []
    monkeypatch.setattr("kvmnb.show.charts.figure.publish", outputs.append)
    pictured.map()._ipython_display_()
    caption, figure = outputs
    assert "The same as a table" in caption["text/html"]
    assert set(figure) == {MIME, "text/html", "text/plain"}
    assert figure["text/html"].count('<th scope="row">') == 8


def test_a_host_that_was_not_seen_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    from kvmnb.machine.sources import live
    from kvmnb.probe.survey import probe

    machine = live("test:///default")
    survey = probe(machine)
    outputs: list[dict[str, Any]] = []
    monkeypatch.setattr("kvmnb.show.charts.figure.publish", outputs.append)
    HostMap(survey.host, survey.domains)._ipython_display_()
    assert "there is no map" in outputs[0]["text/plain"]
    machine.close()


def test_text_of_a_figure_keeps_no_tag() -> None:
    assert text("<b>&lt;") == "&lt;b&gt;&amp;lt;"
    assert bundle({}, "f", "s") == {MIME: {}, "text/html": "f", "text/plain": "s"}


def test_drawing_the_map_imports_no_plotly() -> None:
    code = (
        "import sys, kvmnb.show.charts.host_map, kvmnb.show.display, kvmnb.show.template;"
        "print(*sorted({'plotly', 'ipywidgets', 'jinja2', 'IPython', 'pandas'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
