from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kvmnb.machine.files import ReadOnlyFiles
from kvmnb.machine.machine import Machine
from kvmnb.machine.sources import recorded
from kvmnb.measure.sources import sampler_of
from kvmnb.show.live import TopTable, close_all, owner
from kvmnb.show.live.chart import WIDGET_MIME

REPO = Path(__file__).resolve().parents[3]


@pytest.fixture(autouse=True)
def quick_and_clean(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("KVMNB_TICK", "0.02")
    yield
    close_all()
    for _, live in tuple(owner._live):
        live.close()


@pytest.fixture
def machine() -> Machine:
    return recorded(REPO / "kvmnb/demo/host")


def wait(table: TopTable, ticks: int) -> None:
    deadline = time.monotonic() + 10
    while table.n < ticks or not table.rows():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def shown(table: TopTable) -> list[dict[str, Any]]:
    """From now on, what the table sends to the page is gathered here and not sent."""
    messages: list[dict[str, Any]] = []
    table._repr_mimebundle_()
    assert table.widget is not None
    table.widget.send = messages.append
    return messages


def press(table: TopTable, **message: object) -> None:
    assert table.widget is not None
    table.widget._handle_custom_msg(message, [])


def test_each_tick_sends_all_guests_with_their_colours_and_numbers(machine: Machine) -> None:
    table = TopTable(machine)
    messages = shown(table)
    wait(table, table.n + 3)
    rows = messages[-1]["rows"]
    assert {row[1] for row in rows} == {"build01", "cache01", "db01", "mail01", "router01", "web01", "win10"}
    assert all(row[2].startswith("#") and row[4] is not None for row in rows)


def test_a_click_on_a_name_shows_the_guests_card_and_chart_and_another_takes_their_place(machine: Machine) -> None:
    table = TopTable(machine)
    shown(table)
    wait(table, 2)
    by_name = {one.name: one.uuid for one in table.rows()}
    press(table, kind="open", guest=by_name["web01"])
    assert table.chart is not None
    first = table.chart
    _, card, chart = table._box.children
    assert "Guest web01" in card.value
    assert chart is first.widget
    press(table, kind="open", guest=by_name["db01"])
    assert "Guest db01" in table._box.children[1].value
    assert first.widget is None
    assert sampler_of(machine).subscribers == 2
    table.close()
    assert sampler_of(machine).subscribers == 0


def test_a_message_about_a_guest_that_is_not_there_opens_nothing(machine: Machine) -> None:
    table = TopTable(machine)
    shown(table)
    wait(table, 2)
    for odd in ("nobody", None, ["a"], {"uuid": 1}):
        press(table, kind="open", guest=odd)
    assert table.chart is None


def test_running_its_cell_again_leaves_one_table(machine: Machine) -> None:
    for _ in range(5):
        table = TopTable(machine)
        shown(table)
    wait(table, 2)
    assert sampler_of(machine).subscribers == 1


def test_what_stands_beside_the_view_is_the_same_on_every_run_and_escaped(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundles = []
    for _ in range(2):
        table = TopTable(machine)
        table._names = {uuid: f"<b>{name}</b>" for uuid, name in table._names.items()}
        bundle = table._repr_mimebundle_()
        assert bundle.pop(WIDGET_MIME)["model_id"]
        bundles.append(bundle)
        table.close()
    assert bundles[0] == bundles[1]
    assert "<th scope='row'>&lt;b&gt;db01&lt;/b&gt;</th>" in bundles[0]["text/html"]
    assert "<b>" not in bundles[0]["text/html"]


def test_where_there_are_no_series_a_sentence_stands_in_its_place(machine: Machine, tmp_path: Path) -> None:
    quiet = Machine("recorded", "a quiet host", str(tmp_path), machine.hypervisor, ReadOnlyFiles(tmp_path))
    bundle = TopTable(quiet)._repr_mimebundle_()
    assert WIDGET_MIME not in bundle
    assert bundle["text/plain"].startswith("There are no series of a quiet host")


def test_the_page_builds_no_html_from_names() -> None:
    code = (REPO / "kvmnb/show/live/page/top.js").read_text()
    _, template = code.split("innerHTML")
    assert "${" not in template.split("`")[1]
