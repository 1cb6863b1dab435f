"""A rule's goals, overlays and thresholds in words, for its page, its terminal text and the index."""

from __future__ import annotations

from typing import Any

from kvmnb.advise.rule import Rule
from kvmnb.advise.threshold import HEURISTIC, Threshold
from kvmnb.advise.voice import Tone, Voice

_TONES = {Tone.SPEAKS: "speaks", Tone.BY_HAND: "leaves it to a person", Tone.SILENT: "is silent"}


def in_short(rule: Rule) -> str:
    """Its severity and goals, where its thresholds come from, the effect that is expected, and its overlays."""
    goals = ", ".join(goal.value for goal in rule.goals)
    return (
        f"Severity {rule.severity.value}; speaks for {goals}; thresholds: {rule.basis}. "
        f"Seen by {rule.seen_by.value}. "
        f"Expected effect: {rule.effect.value} ({rule.effect_basis})."
        + "".join(f" {sentence}" for sentence in _voices(rule))
    )


def sections(rule: Rule) -> list[tuple[str, str]]:
    """The text below each heading of a rule or of a myth, and its thresholds."""
    parts = [(heading, rule.text[1][heading]) for heading in rule.headings]
    lines = thresholds(rule)
    return [*parts, ("Thresholds", "\n".join(f"* {line}" for line in lines))] if lines else parts


def thresholds(rule: Rule) -> list[str]:
    """A line for each threshold: name, default, unit, basis, range, meaning."""
    return [
        f"``{one.name}`` = {one.said(one.default)} {one.unit} ({_basis(one)}; {_range(one)}): {one.meaning}"
        for one in rule.thresholds
    ]


def threshold_rows(rule: Rule) -> list[str]:
    """The thresholds as rows of the index's Markdown table."""
    return [
        f"| `{one.name}` | {one.said(one.default)} | {one.unit} | {_range(one)} | {one.meaning} | {_basis(one)} |"
        for one in rule.thresholds
    ]


def voice_rows(rule: Rule) -> list[str]:
    """The goals and overlays as rows of the index's Markdown table."""
    return [
        f"| {aim.value} | [`{rule.id}`]({rule.id}.md) | {_manner(voice)} | {voice.why} |"
        for aim, voice in rule.voices.items()
    ]


def _manner(voice: Voice) -> str:
    grave = f", as {voice.severity.value}" if voice.severity is not None else ""
    return f"{_TONES[voice.tone]}{grave}"


def _basis(one: Threshold[Any]) -> str:
    return one.basis if one.basis == HEURISTIC else f"{one.basis}: {one.source}"


def _range(one: Threshold[Any]) -> str:
    return f"{one.said(one.least)} to {one.said(one.most)}"


def _voices(rule: Rule) -> list[str]:
    """A sentence for each goal and overlay for which it speaks otherwise."""
    return [f"With {aim.value} it {_manner(voice)}: {voice.why}." for aim, voice in rule.voices.items()]
