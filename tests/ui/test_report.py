"""A report in a real browser: opened from a file, without a network."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from kvmnb.advise.intent_file import read_intent
from kvmnb.machine import sources
from kvmnb.share.report import Wishes, report
from tests.small_host import write_guest, write_host

pytestmark = pytest.mark.browser

HOSTILE = "&lt;img src=x onerror=alert(1)&gt;"


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of a small host with a guest whose name is HTML, and with names kept."""
    folder = tmp_path_factory.mktemp("report")
    host = write_host(folder / "host")
    pins = "<cputune><vcpupin vcpu='0' cpuset='1'/><vcpupin vcpu='1' cpuset='2'/></cputune>\n"
    write_guest(host, HOSTILE, cputune=pins)
    return report(sources.recorded(host), read_intent(), (), folder / "out.html", Wishes(names=True)).path


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_its_figures_are_drawn_without_a_request_and_its_names_are_text(
    chromium: Any, written: Path, scheme: str
) -> None:
    context = chromium.new_context(viewport={"width": 1280, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    said: list[str] = []
    page.on("dialog", lambda dialog: dialog.dismiss())
    page.on("dialog", lambda dialog: said.append(dialog.message))
    page.on("pageerror", lambda problem: said.append(str(problem)))
    page.on("request", lambda one: said.append(one.url))
    page.goto(written.as_uri())
    page.wait_for_selector("html[data-drawn]", state="attached", timeout=30_000)
    page.wait_for_timeout(300)
    assert page.locator(".js-plotly-plot .main-svg").count() >= 1
    assert page.locator("img[src=x]").count() == 0
    assert "<img src=x onerr" in "".join(page.locator(".js-plotly-plot .legendtext").all_text_contents())
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, "it is too wide"
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == ("rgb(255, 255, 255)" if scheme == "light" else "rgb(26, 26, 26)")
    assert [one for one in said if not re.match("(?:file|blob|data):", one)] == []
    context.close()
