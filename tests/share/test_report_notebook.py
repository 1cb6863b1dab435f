"""A notebook that ran on the scrubbed host, as a notebook and as a page."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest

from kvmnb.advise.aim import Goal, Overlay
from kvmnb.advise.intent import GuestIntent, Intent, Policy
from kvmnb.advise.intent_file import read_intent
from kvmnb.advise.mute import Mute
from kvmnb.core.errors import KvmnbError, Refused
from kvmnb.machine import sources
from kvmnb.share.notebooks import _as_toml, shipped_notebooks
from kvmnb.share.report import Wishes, report
from kvmnb.show.exporter import document_of
from tests.share.planting import STEM, planted_in
from tests.share.test_report import Page, without_library
from tests.small_host import write_guest, write_host

NBFORMAT: Any = nbformat


def notebook(path: Path, *cells: str) -> Path:
    made = NBFORMAT.v4.new_notebook(cells=[NBFORMAT.v4.new_code_cell(cell) for cell in cells])
    made.cells.insert(0, NBFORMAT.v4.new_markdown_cell("# A host\n\n<script>alert(1)</script>"))
    NBFORMAT.write(made, path)
    return path


@pytest.mark.parametrize("name", sorted(path.name for path in shipped_notebooks().glob("*.ipynb")))
def test_each_shipped_notebook_is_a_page_that_needs_nothing_from_elsewhere(name: str) -> None:
    ran = NBFORMAT.read(shipped_notebooks() / name, as_version=4)
    text = document_of(ran)
    page = Page(text)
    assert not [one for one in page.fetched if not one.endswith(".ipynb") and not one.startswith(("#", "https://"))]
    assert not {"img", "iframe", "link", "object"} & page.tags
    assert len(page.scripts) == 1 and len(text.encode()) < 2_000_000
    figures = [output for cell in ran.cells for output in cell.get("outputs", ()) if _is_figure(output)]
    assert text.count('class="drawing"') == len(figures)
    assert text.count("<style>") <= 2 + len(figures), "the style of each output is taken out"


def _is_figure(output: Any) -> bool:
    return "application/vnd.plotly.v1+json" in output.get("data", {})


@pytest.mark.slow
def test_it_runs_on_the_scrubbed_host_and_tells_what_was_done_on_the_real_one(tmp_path: Path) -> None:
    host = write_host(tmp_path / "host")
    write_guest(host, f"{STEM}1w")
    machine = sources.recorded(host)
    intent = Intent(goal=Goal.LATENCY, guest={f"{STEM}1w": GuestIntent(policy=Policy.DEDICATED)})
    written = report(machine, intent, (), tmp_path / "out.ipynb", Wishes())
    assert "What was found" in written.sections
    text = written.path.read_text()
    ran = json.loads(text)
    outputs = "".join(json.dumps(cell.get("outputs", [])) for cell in ran["cells"])
    assert re.search(r"Pinned guests|x[0-9a-f]{10}", outputs) and "goal latency" in outputs
    assert "there is no journal of it" in outputs
    assert "widget-view" not in text and "kvmnb-report-" not in text
    assert not planted_in(text)


@pytest.mark.slow
def test_another_notebook_becomes_a_page_in_which_only_the_loader_may_run(tmp_path: Path) -> None:
    host = write_host(tmp_path / "host")
    write_guest(host, f"{STEM}1w")
    mine = notebook(tmp_path / "mine.ipynb", "import kvmnb\nhere = kvmnb.open()\nhere.guests()", "here.map()")
    report(sources.recorded(host), read_intent(), (), tmp_path / "out.html", Wishes(notebook=mine))
    text = (tmp_path / "out.html").read_text()
    assert text.count('class="drawing"') == 1
    assert "script-src 'sha256-" in text and "unsafe-inline" not in text.partition("script-src")[2].partition('"')[0]
    assert not planted_in(without_library(text))


@pytest.mark.slow
def test_a_name_that_a_notebook_tells_writes_nothing(tmp_path: Path) -> None:
    host = write_host(tmp_path / "host")
    write_guest(host, "payroll-db")
    mine = notebook(tmp_path / "mine.ipynb", "print('see payroll' + '-db')")
    with pytest.raises(Refused, match="domain/name"):
        report(sources.recorded(host), read_intent(), (), tmp_path / "out.html", Wishes(notebook=mine))
    bad = notebook(tmp_path / "bad.ipynb", "1 / 0")
    with pytest.raises(KvmnbError, match="does not run on this host: ZeroDivisionError"):
        report(sources.recorded(host), read_intent(), (), tmp_path / "out.html", Wishes(notebook=bad))
    assert not (tmp_path / "out.html").exists()


def test_what_is_no_notebook_is_one_sentence(tmp_path: Path) -> None:
    host = write_host(tmp_path / "host")
    (tmp_path / "no.ipynb").write_text("{")
    for name, said in (("no.ipynb", "is no notebook"), ("gone.ipynb", "cannot be read")):
        with pytest.raises(KvmnbError, match=said):
            report(sources.recorded(host), read_intent(), (), tmp_path / "o.html", Wishes(notebook=tmp_path / name))


def test_the_intent_comes_through_as_the_file_would_have_it(tmp_path: Path) -> None:
    intent = Intent(
        goal=Goal.LATENCY,
        overlays=frozenset({Overlay.WINDOWS}),
        guest={"x1": GuestIntent(goal=Goal.DENSITY, policy=Policy.SHARED), 'q"x': GuestIntent(os="linux")},
        threshold={"net.queues.max": 4.0},
        mutes=(Mute(id="net.mtu", reason="known", subject="domain/x1"),),
    )
    (tmp_path / "kvmnb.toml").write_text(_as_toml(intent))
    read = read_intent(config=tmp_path / "kvmnb.toml")
    assert (read.aim, read.guest, read.threshold, read.mutes) == (
        intent.aim, intent.guest, intent.threshold, intent.mutes
    )  # fmt: skip
