"""Live charts in a browser: what they send, what they leave behind, and what a reader's hands do with them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.ui.charts_page import MANY, ChartsPage, variables
from tests.ui.jupyter import Server, jupyterlab

pytestmark = [pytest.mark.browser, pytest.mark.slow]

MOST_AT_OPEN = 3_000_000
MOST_A_TICK = 12_000
RERUNS = 15
# A page keeps a little of each model that it ever saw; 15 runs of 12 charts may leave so much.
MOST_HEAP_LEFT = 6_000_000
TICK = "document.querySelector('.kvmnb-live .js-line').getAttribute('d')"
RANGES = "[...document.querySelectorAll('.js-plotly-plot')].map((one) => one._fullLayout.xaxis.range.join())"
HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def chart_server() -> Iterator[Server]:
    with jupyterlab(**variables(), KVMNB_TICK="1") as server:
        yield server


def test_twelve_charts_send_little_and_running_their_cell_again_leaves_nothing(page: Any, chart_server: Server) -> None:
    charts = ChartsPage(page, chart_server, name="twelve.ipynb")
    before = charts.received
    charts.draw(12)
    assert charts.received - before < MOST_AT_OPEN
    charts.wait_rows(12)
    rows, before = charts.rows, charts.received
    charts.wait_rows(12 * 4)
    assert (charts.received - before) / ((charts.rows - rows) / 12) < MOST_A_TICK
    charts.draw(12)
    kernel, heap = charts.kernel(), charts.heap()
    for _ in range(RERUNS):
        charts.draw(12)
    after = charts.kernel()
    assert {name: after[name] for name in ("threads", "tasks", "widgets")} == {
        name: kernel[name] for name in ("threads", "tasks", "widgets")
    }
    assert after["fds"] <= kernel["fds"] + 4
    assert charts.heap() - heap < MOST_HEAP_LEFT
    assert charts.notebook.complaints() == []


def test_a_zoom_is_kept_and_shared_and_a_hidden_tab_draws_nothing(page: Any, chart_server: Server) -> None:
    charts = ChartsPage(
        page, chart_server, "charts = [here.watch('db01'), here.watch('web01')]\ndisplay(*charts)", "zoom.ipynb"
    )
    charts.draw(2)
    charts.wait_rows(8)
    first = page.locator(".kvmnb-plot").first
    box = first.locator(".nsewdrag").first.bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.7, box["y"] + 40, steps=5)
    page.mouse.up()
    page.wait_for_function(f"new Set({RANGES}).size === 1")
    zoomed = page.evaluate(RANGES)
    charts.wait_rows(4)
    assert page.evaluate(RANGES) == zoomed
    first.locator(".nsewdrag").first.dblclick()
    page.wait_for_function(f"(zoomed) => {RANGES}.every((one) => one !== zoomed)", arg=zoomed[0])

    page.evaluate("Object.defineProperty(document, 'hidden', { configurable: true, get: () => true })")
    page.wait_for_timeout(300)
    still = page.evaluate(TICK)
    charts.wait_rows(6)
    page.wait_for_timeout(300)
    assert page.evaluate(TICK) == still
    page.evaluate("delete document.hidden; document.dispatchEvent(new Event('visibilitychange'))")
    page.wait_for_function(f"(still) => {TICK} !== still", arg=still)


def test_many_lines_are_drawn_on_a_canvas_and_saved_in_every_form(
    page: Any, chart_server: Server, tmp_path: Any
) -> None:
    charts = ChartsPage(page, chart_server, MANY, "many.ipynb")
    charts.draw(1)
    charts.wait_rows(3)
    page.wait_for_selector(".kvmnb-plot .uplot canvas")
    begins = {"png": b"\x89PNG", "svg": b"<svg", "csv": b"time,guest0: runs [%]", "html": b"<!doctype html>"}
    saved = {}
    for form, begin in begins.items():
        with page.expect_download(timeout=60_000) as waited:
            page.locator(".kvmnb-save select").select_option(form)
        saved[form] = tmp_path / waited.value.suggested_filename
        waited.value.save_as(saved[form])
        assert saved[form].name == f"all-guests-guests.{form}"
        assert saved[form].read_bytes().startswith(begin)
    alone = page.context.new_page()
    asked: list[str] = []
    alone.on("request", lambda request: asked.append(request.url))
    alone.goto(saved["html"].as_uri())
    alone.wait_for_selector(".kvmnb-plot canvas")
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []


def test_the_table_of_guests_is_sorted_and_opened_by_the_keyboard(page: Any, chart_server: Server) -> None:
    charts = ChartsPage(page, chart_server, "table = here.top()\ntable", "top.ipynb")
    charts.notebook.run_cell("draw")
    table = page.locator(".kvmnb-top")
    table.get_by_role("button", name="db01", exact=True).wait_for(timeout=30_000)
    title = table.get_by_role("button", name="guest", exact=True)
    title.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector(".kvmnb-top th[aria-sort=ascending]")
    names = table.locator("tbody button").all_inner_texts()
    assert names == sorted(names) and len(names) == 7
    table.get_by_role("button", name="web01", exact=True).focus()
    page.wait_for_timeout(2500)
    assert page.evaluate("document.activeElement.textContent") == "web01"
    page.keyboard.press("Enter")
    page.get_by_text("Guest web01", exact=True).wait_for(timeout=30_000)
    page.wait_for_selector(".kvmnb-live .js-line", timeout=30_000)
    assert charts.notebook.complaints() == []


def test_hostile_names_are_text_in_charts_and_tables(page: Any, chart_server: Server) -> None:
    draw = f"""from kvmnb.measure.sampler import Sampler
from kvmnb.show.live.chart import LiveChart
from kvmnb.show.live.questions import GUESTS
from tests.ui.made import Made
names = {{"0": {HOSTILE!r}, "1": "<b>bold</b>"}}
charts = [LiveChart({HOSTILE!r}, GUESTS, "", Sampler(Made(2)), names=names)]
display(charts[0])
table = here.top()
table._usages._names = {{one: {HOSTILE!r} for one in table._names}}
table"""
    charts = ChartsPage(page, chart_server, draw, "hostile.ipynb")
    charts.draw(1)
    page.wait_for_selector(".kvmnb-live .legendtext")
    assert page.locator(".kvmnb-live .legendtext").all_text_contents() == [HOSTILE, "<b>bold</b>"]
    assert page.locator(".kvmnb-subject").first.inner_text().startswith(HOSTILE)
    page.locator(".kvmnb-top tbody button").first.wait_for(timeout=30_000)
    assert set(page.locator(".kvmnb-top tbody button").all_text_contents()) == {HOSTILE}
    assert page.locator(".kvmnb-live img, .kvmnb-top img").count() == 0
