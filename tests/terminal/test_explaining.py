"""Rules and myths are explained from the one text of their files, whatever the form."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kvmnb.advise.folklore import myths
from kvmnb.advise.opposites import OPPOSITES
from kvmnb.advise.registry import rules
from kvmnb.advise.rule import Rule
from kvmnb.cli import main
from kvmnb.show.cards import rule as card
from kvmnb.terminal import pages
from tools.rules_index import rules_index

EACH = [(verb, one) for verb, one in (("rule", rules()[0]), ("myth", myths()[0]))]


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(arguments) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize(("verb", "one"), EACH, ids=["rule", "myth"])
def test_every_form_holds_the_whole_text(verb: str, one: Rule, capsys: pytest.CaptureFixture[str]) -> None:
    text, markdown, html = (printed(capsys, verb, one.id, "--format", form) for form in ("text", "md", "html"))
    document: dict[str, Any] = json.loads(printed(capsys, verb, one.id, "--json"))
    drawn = card.html(one)
    assert document["text"] == one.text[1]
    for heading, said in one.text[1].items():
        first = said.replace("``", "").split()[0]
        assert f"\n{heading}\n" in text
        assert f"## {heading}\n\n{said}" in markdown
        assert f"<h2>{heading}</h2>" in html
        assert f"<h4>{heading}</h4>" in drawn
        assert first.strip("*") in html
    assert one.title in drawn


def test_the_list_of_myths_names_each(capsys: pytest.CaptureFixture[str]) -> None:
    listed = printed(capsys, "myths")
    assert [line.split()[0] for line in listed.splitlines()] == [one.name for one in myths()]
    document = json.loads(printed(capsys, "myths", "--json"))
    assert [one["id"] for one in document["myths"]] == [one.name for one in myths()]


def test_html_escapes_and_marks_code_and_lists() -> None:
    html = pages.as_html("A <b>", "a.b", "x & y", [("Sources", "* one\n* two\n  more"), ("Cost", "``a < b``\nc\n\nd")])
    assert html == (
        "<h1>A &lt;b&gt;</h1>\n<p><code>a.b</code>. x &amp; y</p>\n"
        "<h2>Sources</h2><ul><li>one</li><li>two more</li></ul>\n"
        "<h2>Cost</h2><p><code>a &lt; b</code> c</p><p>d</p>"
    )


def test_the_index_names_every_rule_by_area_and_by_goal() -> None:
    by_area, _, rest = rules_index().partition("## By goal")
    by_goal, _, opposites = rest.partition("## What is not followed together")
    assert all(f"`{pair.first.rule}`" in opposites and pair.reason in opposites for pair in OPPOSITES)
    for one in rules():
        row = f"| [`{one.id}`]({one.id}.md) |"
        assert by_area.count(row) == 1
        assert by_goal.count(row) == 1
        (line,) = (line for line in by_goal.splitlines() if line.startswith(row))
        assert line.count("speaks") == len(one.goals)
