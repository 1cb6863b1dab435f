"""The notebooks as a reader meets them: JupyterLab in a browser."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import pytest
from playwright.sync_api import expect

from tests.small_host import write_guest, write_host
from tests.ui.jupyter import Notebook, Server, jupyterlab, write_notebook

pytestmark = [pytest.mark.browser, pytest.mark.slow]

HOSTILE = "<img src=x onerror=alert(1)>"
CARD = """\
import kvmnb
here = kvmnb.open()
next(one for one in here.domains if one.name == "described")"""


@pytest.mark.parametrize("name", ["00-start", "10-cpu"])
def test_a_notebook_runs_whole_and_its_pictures_are_taken(
    page: Any, demo_server: Server, artefacts: Path, name: str
) -> None:
    notebook = Notebook(page, demo_server, f"{name}.ipynb")
    notebook.run_all()
    assert notebook.complaints() == []
    said = notebook.text()
    assert "Demo host: 2 × Xeon Gold 6326" in said
    assert "<div" not in said
    assert "Error displaying widget" not in said
    for dark in (False, True):
        for width in (1280, 1920):
            # A resize must not lose a figure.
            page.set_viewport_size({"width": width, "height": 9000})
            notebook.wait_still()
            figures = page.locator(".jp-RenderedPlotly").evaluate_all("all => all.map((one) => one.clientHeight)")
            assert all(height > 150 for height in figures)
            assert notebook.shoot(artefacts, name, width, dark=dark).stat().st_size > 50_000
            assert notebook.cut_off() == []


def test_the_map_is_drawn_and_can_be_read_in_both_themes(page: Any, demo_server: Server) -> None:
    notebook = Notebook(page, demo_server, "10-cpu.ipynb")
    notebook.run_all()
    page.wait_for_selector(".js-plotly-plot .barlayer path", state="attached")
    seen = set()
    for dark in (False, True):
        notebook.theme(dark)
        title = page.locator(".js-plotly-plot .gtitle").first
        assert title.text_content() == "Which guest's vCPU sits on which CPU?"
        seen.add((title.evaluate("one => getComputedStyle(one).fill"), page.evaluate(BACKGROUND)))
    for ink, ground in seen:
        assert contrast(ink, ground) > 4.5, (ink, ground)
    assert len(seen) == 2


def test_apply_is_pressed_the_tick_is_seen_and_undo_takes_it_back(
    page: Any, demo_server: Server, artefacts: Path
) -> None:
    notebook = Notebook(page, demo_server, "10-cpu.ipynb")
    notebook.run_all()
    area = page.locator(".jp-OutputArea-output")
    apply, undo = area.get_by_role("button", name="Apply"), area.get_by_role("button", name="Undo", exact=True)
    chosen = area.get_by_label("Guest", exact=True).evaluate("one => one.selectedOptions[0].text")
    assert chosen.startswith("router01")
    assert apply.is_enabled()
    assert undo.is_disabled()

    costly = area.get_by_label("The vCPUs are held to some nodes, the memory is not (it costs something)")
    costly.check()
    expect(apply).to_be_disabled()
    area.get_by_label("I have read what this costs").check()
    apply.click(timeout=10_000)

    page.get_by_text("✔ Done.").wait_for(timeout=30_000)
    assert page.get_by_text("✔ holds").count() >= 2
    page.get_by_text("✔ Done.").scroll_into_view_if_needed()
    artefacts.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=artefacts / "form-applied.png")
    undo.click(timeout=10_000)
    page.get_by_text("taken back and read back").wait_for(timeout=30_000)
    assert notebook.complaints() == []


def test_a_typed_value_is_judged_beside_its_box_and_a_guarded_plan_is_counted_down_and_kept(
    page: Any, demo_server: Server, artefacts: Path
) -> None:
    notebook = Notebook(page, demo_server, "10-cpu.ipynb")
    notebook.run_all()
    area = page.locator(".jp-OutputArea-output")
    apply = area.get_by_role("button", name="Apply")
    area.get_by_label("Type other values than the wanted ones").check()
    box = area.get_by_role("textbox").first
    wanted = box.input_value()
    box.fill("999")
    page.get_by_text("this host has no CPU 999 online").wait_for(timeout=10_000)
    expect(apply).to_be_disabled()
    box.fill(wanted)
    expect(apply).to_be_enabled(timeout=20_000)
    area.get_by_label("Keep only if confirmed within").select_option(label="120 s")
    apply.click(timeout=10_000)
    timer = area.get_by_role("timer")
    timer.wait_for(timeout=30_000)
    first = timer.inner_text()
    expect(timer).not_to_have_text(first, timeout=10_000)
    notebook.shoot(artefacts, "form-guarded", 1280, dark=True)
    area.get_by_role("button", name="Keep it", exact=True).click(timeout=10_000)
    page.get_by_text("The plan is kept").wait_for(timeout=30_000)
    expect(timer).to_have_count(0)
    area.get_by_role("button", name="Undo 20").first.click(timeout=10_000)
    page.get_by_text("taken back and read back").wait_for(timeout=30_000)
    assert notebook.complaints() == []
    assert notebook.cut_off() == []


def test_the_form_is_worked_by_the_keyboard_alone(page: Any, demo_server: Server) -> None:
    notebook = Notebook(page, demo_server, "10-cpu.ipynb")
    notebook.run_all()
    area = page.locator(".jp-OutputArea-output")
    guest = area.get_by_label("Guest", exact=True)
    guest.focus()
    page.keyboard.press("Tab")
    first = page.evaluate("document.activeElement.type")
    assert first == "checkbox"
    before = page.evaluate("document.activeElement.checked")
    page.keyboard.press("Space")
    assert page.evaluate("document.activeElement.checked") is not before
    page.keyboard.press("Space")
    # Each press makes a preview, and the button is off until the last one is shown.
    apply = area.get_by_role("button", name="Apply")
    for _try in range(40):
        expect(apply).to_be_enabled()
        apply.focus()
        page.wait_for_timeout(500)
        focused = page.evaluate("document.activeElement.innerText")
        if focused == "Apply":
            break
    assert focused == "Apply"


def test_a_guest_named_or_described_as_html_is_text_in_cards_form_map_and_hover(page: Any, tmp_path: Path) -> None:
    source = write_host(tmp_path / "recorded")
    pins = "  <cputune><vcpupin vcpu='0' cpuset='1'/><vcpupin vcpu='1' cpuset='2'/></cputune>\n"
    write_guest(source, escape(HOSTILE), 0, cputune=pins)
    # The guest's card shows it, and it is read for the guest's owner, which is shown.
    described = f"  <description>Source: {escape(HOSTILE)}/Vagrantfile</description>\n"
    write_guest(source, "described", 1, cputune=described)
    with jupyterlab(KVMNB_HOST=str(source), KVMNB_TICK="0.2") as server:
        write_notebook(server.root / "card.ipynb", CARD)
        for name in ("card", "00-start", "10-cpu"):
            notebook = Notebook(page, server, f"{name}.ipynb")
            notebook.run_all()
            assert notebook.complaints() == []
            assert HOSTILE in notebook.text()
            assert page.locator(".jp-OutputArea-output img[src=x]").count() == 0
        area = page.locator(".jp-OutputArea-output")
        guest = area.get_by_label("Guest", exact=True)
        guests = guest.locator("option").evaluate_all("all => all.map((one) => one.value)")
        assert sum(one.startswith(HOSTILE) for one in guests) == 1
        for one in guests:
            guest.select_option(one)
            page.wait_for_timeout(500)
            assert page.locator("img[src=x]").count() == 0
        legend = "".join(page.locator(".js-plotly-plot .legendtext").all_text_contents())
        assert "<img src=x onerr" in legend
        assert any("<img src=x" in said for said in hovers(page, page.locator(".js-plotly-plot").first))
        assert page.locator("img[src=x]").count() == 0


def hovers(page: Any, plot: Any) -> list[str]:
    """What a chart says of each of its bars when the mouse rests there."""
    plot.scroll_into_view_if_needed()
    said = []
    for bar in plot.locator(".barlayer .point path").all():
        place = bar.bounding_box()
        page.mouse.move(place["x"] + place["width"] / 2, place["y"] + place["height"] / 2)
        page.wait_for_timeout(100)
        said += plot.locator(".hoverlayer .hovertext").all_text_contents()
    return said


BACKGROUND = "getComputedStyle(document.querySelector('.jp-Notebook')).backgroundColor"


def contrast(one: str, other: str) -> float:
    """WCAG's contrast of two CSS colours ``rgb(r, g, b)``."""
    lights = []
    for colour in (one, other):
        parts = [int(part) / 255 for part in colour[colour.index("(") + 1 : -1].split(",")[:3]]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        lights.append(0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2] + 0.05)
    return max(lights) / min(lights)
