"""A report tells all of a host and nothing of whose it is."""

from __future__ import annotations

import base64
import gzip
import json
import os
import re
from html.parser import HTMLParser
from pathlib import Path

import plotly
import pytest

from kvmnb import demo
from kvmnb.advise.finding import Safety
from kvmnb.advise.intent import Goal, GuestIntent, Intent
from kvmnb.advise.intent_file import read_intent
from kvmnb.advise.mute import Mute
from kvmnb.core.errors import Refused
from kvmnb.machine import sources
from kvmnb.machine.machine import Machine
from kvmnb.share.report import Wishes, report
from kvmnb.show import drawing
from kvmnb.verbs import Here
from tests.share.planting import IDENTIFIERS, STEM, Planter, planted_guest, planted_host, planted_in
from tests.small_host import write_guest, write_host

SIZE_LIMIT = 2_000_000
HOSTILE = "&lt;img src=x onerror=alert(1)&gt;"


class Page(HTMLParser):
    """What a browser would fetch or run of a page, and what it shows."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.scripts: list[str] = []
        self.tags: set[str] = set()
        self.titles: list[str] = []
        self._inside = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self._inside = tag
        given = dict(attrs)
        assert not [name for name in given if name.startswith("on")]
        self.fetched += [value or "" for name, value in attrs if name in ("src", "href", "action", "data")]
        if tag == "script" and "type" not in given:
            self._inside = "a script that runs"

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside == "a script that runs":
            self.scripts.append(data)
        if self._inside == "h2":
            self.titles.append(data)


def made(machine: Machine, out: Path, wishes: Wishes | None = None, intent: Intent | None = None) -> str:
    report(machine, intent or read_intent(), (), out, wishes or Wishes())
    return out.read_text()


def without_library(text: str) -> str:
    return text.replace(drawing.packed_plotly(), "")


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> str:
    return made(sources.recorded(demo.path()), tmp_path_factory.mktemp("report") / "out.html")


def test_it_has_every_section_and_fits_below_two_megabytes(shipped: str) -> None:
    assert Page(shipped).titles == [
        "The host",
        "Topology",
        "The guests",
        "Findings",
        "What could be done at no cost",
        "What was changed",
        "How it ran",
        "Facts to look up",
    ]
    assert len(shipped.encode()) < SIZE_LIMIT


def test_nothing_of_it_is_fetched_and_only_its_loader_may_run(shipped: str) -> None:
    page = Page(shipped)
    assert all(one.startswith("#") for one in page.fetched)
    assert page.scripts == [drawing.loader()]
    assert f"script-src '{drawing.loader_hash()}' blob:" in shipped
    assert "default-src 'none'" in shipped


def test_the_demo_hosts_names_are_not_in_it(shipped: str) -> None:
    text = without_library(shipped).lower()
    for name in ("db01", "web01", "mail01", "build01", "dwh01", "router01", "vg_fast", "52:54:00", "not-real"):
        assert name not in text, name
    assert "kvmnb-report-" not in text, "the folder that it was drawn from"


def test_its_plotly_is_the_one_that_the_notebooks_draw_with() -> None:
    library = gzip.decompress(base64.b64decode(drawing.packed_plotly())).decode()
    installed = (Path(plotly.__file__).parent / "package_data/plotly.min.js").read_text("utf-8")[:400]
    version = re.search(r"plotly\.js v([\d.]+)", installed)
    assert version and f"v{version[1]}" in library[:400]


def test_every_kind_of_trace_that_is_drawn_is_in_its_plotly(shipped: str) -> None:
    texts = re.findall(r'<script type="application/json">(.*?)</script>', shipped, re.DOTALL)
    kinds = {trace["type"] for text in texts for trace in json.loads(text)["data"]}
    assert len(texts) == 2 and kinds == {"bar", "scatter"}


def test_originals_planted_in_every_field_do_not_survive(tmp_path: Path) -> None:
    plant = Planter()
    host = planted_host(tmp_path / "planted", plant)
    assert plant.planted > 4000
    intent = Intent(
        guest={f"{STEM}2w": GuestIntent(goal=Goal.LATENCY, os=f"{STEM}3w")},
        mutes=(Mute(id="net.mtu", reason=f"{STEM}4w said so", subject=f"domain/{STEM}5w/interface/{STEM}6w"),),
    )
    text = without_library(made(sources.recorded(host), tmp_path / "out.html", intent=intent))
    assert not planted_in(text)
    assert not [one for one in IDENTIFIERS if one in text.lower()]


def test_with_names_those_are_kept_and_nothing_else(tmp_path: Path) -> None:
    host = write_host(tmp_path / "host")
    guest = host / "libvirt/domains" / IDENTIFIERS[2]
    guest.mkdir(parents=True)
    words = (
        "guest-a title text owner sn boot kernel word folder image disk-sn user usage pool volume ceph br-shop tap-shop"
    )
    field = iter(f"{words} shopnet group arg".split())
    xml = planted_guest(lambda: f"{STEM}{next(field)}")
    for name in ("inactive.xml", "live.xml"):
        (guest / name).write_text(xml)
    text = without_library(made(sources.recorded(host), tmp_path / "out.html", Wishes(names=True)))
    left = set(re.findall(rf"{STEM}([a-z-]+)", text))
    assert left == {"guest-a", "folder", "image", "br-shop", "tap-shop", "shopnet"}
    assert not [one for one in IDENTIFIERS if one in text.lower()]


def test_what_was_done_is_told_without_names(tmp_path: Path) -> None:
    source = write_host(tmp_path / "host")
    write_guest(source, f"{STEM}7w")
    here = Here(sources.scratch(source, tmp_path / "copy"), read_intent("latency"))
    plan = here.plan([one for one in here.audit().findings if one.safety is Safety.SAFE])
    journal = here.apply(plan)
    assert any(f":{STEM}7w:" in one.tunable for one in journal.announced())
    here.report(tmp_path / "out.html")
    text = (tmp_path / "out.html").read_text()
    assert f"journal <code>{journal.id}</code>" in text
    assert re.search(r"domain_xml:x[0-9a-f]{10}:cputune/vcpupin\[0\]", text)
    assert not planted_in(without_library(text))


@pytest.mark.parametrize(
    "form", ["payroll-db", "%70ayroll-db", "cGF5cm9sbC1kYg==", "&#112;ayroll-db", "\\u0070ayroll-db"]
)
def test_a_name_that_is_left_anywhere_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    host = write_host(tmp_path / "host")
    write_guest(host, "payroll-db")
    monkeypatch.setattr("kvmnb.show.cards.facts_table.fragment", lambda facts: f"<p>{form}</p>")
    with pytest.raises(Refused, match="domain/name") as told:
        made(sources.recorded(host), tmp_path / "out.html")
    assert "payroll" not in str(told.value)
    assert os.listdir(tmp_path) == ["host"]


def test_a_name_in_a_figure_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    host = write_host(tmp_path / "host")
    write_guest(host, "payroll-db")
    figure = {"data": [{"type": "bar", "hovertext": ["<payroll-db>"]}], "layout": {}}
    monkeypatch.setattr("kvmnb.show.charts.host_map.HostMap.figure", lambda self: figure)
    with pytest.raises(Refused, match="domain/name"):
        made(sources.recorded(host), tmp_path / "out.html")
    assert not (tmp_path / "out.html").exists()


def test_names_that_are_asked_for_are_kept_and_passwords_are_not(tmp_path: Path) -> None:
    host = write_host(tmp_path / "host")
    write_guest(host, HOSTILE, password="opensesame")
    text = made(sources.recorded(host), tmp_path / "out.html", Wishes(names=True))
    assert HOSTILE in text
    assert "img" not in Page(text).tags
    assert "opensesame" not in text
    assert "\\u0026lt;img src=x onerr" in text, "plotly reads a few tags in any text, so none is left in it"


def test_what_differs_since_a_recording_is_told_under_the_same_stand_ins(tmp_path: Path) -> None:
    host = write_host(tmp_path / "host")
    write_guest(host, "payroll-db")
    write_guest(host, "gone-soon", 1)
    here = Here(sources.recorded(host), read_intent())
    from kvmnb.share.record import record

    record(here.machine, tmp_path / "then")
    for name in ("inactive.xml", "live.xml"):
        path = host / f"libvirt/domains/00000000-0000-4000-8000-000000000001/{name}"
        path.write_text(path.read_text().replace("<vcpu placement='static'>2<", "<vcpu placement='static'>3<"))
    (host / "libvirt/domains/00000000-0000-4000-8000-000000000002").rename(tmp_path / "away")
    for wishes, name in ((Wishes(since=tmp_path / "then"), r"x[0-9a-f]{10}"), (Wishes(since=host, names=True), "same")):
        text = made(sources.recorded(host), tmp_path / "out.html", wishes)
        if name == "same":
            assert "No difference in facts, guests and findings." in text
            continue
        assert re.search(rf"Guests that are gone: {name}\.", text)
        assert re.search(rf"domains\[{name}\]\.inactive\.vcpus</code></th><td>2</td><td>3</td>", text)
    text = made(sources.recorded(host), tmp_path / "out.html", Wishes(since=tmp_path / "then", names=True))
    assert re.search(r"domains\[payroll-db\]\.inactive\.vcpus</code></th><td>2</td><td>3</td>", text)


def test_only_an_older_report_is_written_over(tmp_path: Path) -> None:
    host = write_host(tmp_path / "host")
    out = tmp_path / "out.html"
    out.write_text("<!DOCTYPE html>\n<html><p>mine</p></html>")
    with pytest.raises(Refused, match="no report of kvmnb"):
        made(sources.recorded(host), out)
    assert "mine" in out.read_text()
    out.unlink()
    made(sources.recorded(host), out)
    assert "The host" in made(sources.recorded(host), out)
    assert sorted(os.listdir(tmp_path)) == ["host", "out.html"]
