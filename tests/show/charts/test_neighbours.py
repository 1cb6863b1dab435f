"""The heat map of neighbours says what the matrix holds, whatever guests and processes are called."""

from __future__ import annotations

import json
from typing import Any

import plotly.graph_objects as go
import pytest

from kvmnb.facts.gap import Gap
from kvmnb.measure.moment import QUOTA, UNKNOWN, Kind, Party
from kvmnb.measure.neighbours import Matrix
from kvmnb.show.charts.neighbours import SCALE, TITLE, Neighbours

A, B = Party(Kind.GUEST, "a"), Party(Kind.GUEST, "b")
BACKUP = Party(Kind.PROCESS, "backup (pid 7)")
HOSTILE = "<img src=x onerror=alert(1)>\n{{ 1 }}"
FOUND = Matrix(
    5.0,
    {("a", B): 0.5, ("a", BACKUP): 0.25, ("a", UNKNOWN): 0.25, ("b", A): 0.5, ("b", QUOTA): 0.004},
    ("2 processes could not be looked at; what they took is unknown",),
    26,
)
NAMES = {"a": "web01", "b": "db01"}


def heat(shown: Neighbours) -> dict[str, Any]:
    figure = shown.figure()
    assert figure is not None
    go.Figure({key: figure[key] for key in ("data", "layout")})
    trace: dict[str, Any] = figure["data"][0]
    return trace | figure["layout"]


def test_the_heat_map_shows_victims_by_culprits_with_its_unit_and_what_is_unknown_last() -> None:
    drawn = heat(Neighbours(FOUND, NAMES))
    assert drawn["z"] == [[None, 0.5, 0.25, None, 0.25], [0.5, None, None, 0.004, None]]
    assert drawn["text"] == [["", "0.50", "0.25", "", "0.25"], ["0.50", "", "", "&lt;0.01", ""]]
    assert drawn["yaxis"]["ticktext"] == ["web01", "db01"]
    assert drawn["xaxis"]["ticktext"] == ["guest web01", "guest db01", "process backup (pid 7)", "own quota", "unknown"]
    assert (drawn["title"]["text"], drawn["colorbar"]["title"]["text"]) == (
        "Who takes whose CPU?",
        "seconds of run delay per second (s/s)",
    )
    assert TITLE.endswith("?")


def test_the_sentence_says_the_same_and_what_was_not_seen() -> None:
    assert Neighbours(FOUND, NAMES).sentence() == (
        "Over 5.0 s (26 looks) web01 waited 1.00 s/s for a CPU: guest db01 0.50, process backup (pid 7) 0.25, unknown "
        "0.25. 1 more guest waited. Of all waits 17% could be given to nobody. Not seen: 2 processes could not be "
        "looked at; what they took is unknown."
    )


def test_many_small_culprits_stand_in_one_column() -> None:
    small = {("a", Party(Kind.PROCESS, f"p{number}")): 0.001 for number in range(40)}
    drawn = heat(Neighbours(Matrix(5.0, {("a", B): 0.5, **small}), NAMES))
    assert drawn["z"] == [[0.5, 0.04]]
    assert drawn["xaxis"]["ticktext"] == ["guest db01", "all others"]


def test_guests_whose_names_are_cut_alike_keep_rows_of_their_own() -> None:
    names = {"a": f"{'x' * 60}-1", "b": f"{'x' * 60}-2"}
    drawn = heat(Neighbours(FOUND, names))
    assert len(set(drawn["yaxis"]["ticktext"])) == 1
    assert drawn["yaxis"]["tickvals"] == [0, 1]


def test_hostile_names_are_text_in_the_figure_and_in_the_table() -> None:
    shown = Neighbours(
        Matrix(5.0, {("a", Party(Kind.PROCESS, HOSTILE)): 0.5, ("a", B): 0.1}), {"a": HOSTILE, "b": HOSTILE}
    )
    assert "<img" not in json.dumps(heat(shown))
    assert "<img" not in shown.table()
    assert "&lt;img" in shown.table()


@pytest.mark.parametrize(
    ("matrix", "said"),
    [
        (Matrix(5.0, {}, (), 26), "Over 5.0 s (26 looks) no guest waited for a CPU."),
        (Gap("who", "nothing was recorded"), "Who takes whose CPU is not known: nothing was recorded."),
    ],
)
def test_where_there_is_nothing_to_draw_a_sentence_says_why(matrix: Matrix | Gap, said: str) -> None:
    shown = Neighbours(matrix, NAMES)
    assert (shown.figure(), shown.sentence()) == (None, said)


def test_the_scale_reads_in_grey_and_on_light_and_dark_grounds() -> None:
    lights = [luminance(colour) for _, colour in SCALE]
    assert lights == sorted(lights, reverse=True)
    for light in lights:
        assert 1.05 / (light + 0.05) >= 1.8
        assert (light + 0.05) / (0.0056 + 0.05) >= 1.8


def luminance(colour: str) -> float:
    red, green, blue = (_linear(int(colour[at : at + 2], 16) / 255) for at in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4
