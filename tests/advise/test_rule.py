"""A rule knows its area, its thresholds, and under which aims it speaks."""

from __future__ import annotations

from dataclasses import fields

import pytest

from kvmnb.advise.aim import Aim, Goal, Overlay
from kvmnb.advise.finding import Effect, Severity
from kvmnb.advise.registry import rule
from kvmnb.advise.rule import Rule
from kvmnb.advise.voice import Tone, Voice

SILENT, SPEAKS = (Voice(tone=tone, why="a reason") for tone in (Tone.SILENT, Tone.SPEAKS))
SECURE = frozenset([Overlay.SECURITY])


def a_rule(**voices: Voice) -> Rule:
    """A rule for the goal latency with these voices."""
    named = {goal.value: goal for goal in (*Goal, *Overlay)}
    return Rule(
        id="a.b.c",
        severity=Severity.LOW,
        goals=(Goal.LATENCY,),
        basis="heuristic",
        effect=Effect.SMALL,
        effect_basis="heuristic: none",
        voices={named[name]: voice for name, voice in voices.items()},
    )


def test_the_area_is_the_first_part_of_the_id() -> None:
    assert a_rule().area == "a"


def test_thresholds_are_those_of_its_own_name_in_order() -> None:
    found = [one.name for one in rule("cpu.freq.cstates").thresholds]
    assert found == ["cpu.freq.cstates.longest", "cpu.freq.cstates.often"]


@pytest.mark.parametrize(
    ("voices", "aim", "speaks"),
    [
        ({}, Aim(Goal.LATENCY), True),
        ({}, Aim(Goal.DENSITY), False),
        ({}, Aim(None), False),
        ({"security": SPEAKS}, Aim(None, SECURE), True),
        ({"security": SPEAKS}, Aim(Goal.DENSITY, SECURE), True),
        ({"security": SPEAKS}, Aim(Goal.DENSITY), False),
        ({"security": SILENT}, Aim(Goal.LATENCY, SECURE), False),
        ({"latency": SILENT}, Aim(Goal.LATENCY), False),
        ({"latency": SILENT, "security": SPEAKS}, Aim(Goal.LATENCY, SECURE), False),
        ({"density": SPEAKS}, Aim(Goal.DENSITY), True),
        ({"windows": SPEAKS}, Aim(Goal.DENSITY, SECURE), False),
    ],
)
def test_a_rule_speaks_for_its_goals_and_where_a_voice_says_so(
    voices: dict[str, Voice], aim: Aim, speaks: bool
) -> None:
    assert a_rule(**voices).speaks(aim) is speaks


def test_the_goals_voice_is_heard_before_the_overlays() -> None:
    both = a_rule(security=SPEAKS, latency=SILENT)
    assert list(both.heard(Aim(Goal.LATENCY, SECURE)).items()) == [(Goal.LATENCY, SILENT), (Overlay.SECURITY, SPEAKS)]
    assert both.heard(Aim(None)) == {}


def test_what_came_later_is_given_by_name() -> None:
    assert {one.name for one in fields(Rule) if one.kw_only} == {"effect", "effect_basis", "seen_by"}


def test_its_text_is_its_files_docstring() -> None:
    one = rule("cpu.mode")
    title, found = one.text
    assert (one.title, f"{one.title}.") == (title[:-1], title)
    assert list(one.sources) == [line.removeprefix("* ") for line in found["Sources"].splitlines() if line]
    assert one.sources
