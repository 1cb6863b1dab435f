"""The report of an audit is short, safe to print, and leaves nothing out without saying so."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from kvmnb.advise.aim import Aim, Goal
from kvmnb.advise.conflicts import Conflict, side
from kvmnb.advise.finding import Effect, Finding, NotChecked, Safety, Severity
from kvmnb.advise.registry import Audit
from kvmnb.terminal.audit_report import everything, report
from kvmnb.tunable.spelling import percent_encode
from kvmnb.tunable.sysctl import Sysctl
from kvmnb.tunable.tunable import Want
from tests.findings import a_finding

EVIL = "web\x1b[2J\x1b]0;owned\x07\nroot"


@pytest.fixture(autouse=True)
def eighty_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")


def on(name: str, rule: str = "disk.cache", *wants: Want, **changes: Any) -> Finding:
    words = {"subject": f"domain/{percent_encode(name)}/disk/vda", "domain": name, "title": "A pattern that is told"}
    return replace(a_finding(*wants, rule=rule), **{**words, **changes})


def an_audit(*findings: Finding, **more: Any) -> Audit:
    return replace(
        Audit(Aim(Goal.BALANCED), findings, (), (("cpu.mode", "domain/a"), ("cpu.mode", "domain/b"))), **more
    )


def test_a_report_of_a_small_audit() -> None:
    want = Want(Sysctl("vm.swappiness"), "10")
    grave = [on(name, saw=f"seen on {name}", safety=Safety.MANUAL) for name in ("one", "two")]
    waits = on("one", "mem.balloon.squeezed", severity=Severity.LOW, safety=Safety.MANUAL)
    host = on("", "mem.swappiness", want, subject="host/swappiness", domain=None, severity=Severity.LOW)
    conflict = Conflict(
        followed=side(host), waits=side(waits), about="a thing", resolution="follow it", reason="it is so"
    )
    missing = tuple(NotChecked("mem.swap", f"domain/{one}", f"domains[{one}].x: nothing was seen") for one in "abc")
    found = an_audit(*grave, host, waits, conflicts=(conflict,), not_checked=missing)
    assert report(found).splitlines() == [
        "4 findings of 3 patterns for the goal balanced: 2 high, 2 low.",
        "",
        "          critical      high    medium       low      info",
        "  disk           .         2         .         .         .",
        "  mem            .         .         .         2         .",
        "",
        "high     A pattern that is told [disk.cache]",
        "         on one, two",
        "         for example one: seen on one",
        "         MANUAL; expected effect moderate",
        "",
        "low      A pattern that is told [mem.swappiness]: host (swappiness) (SAFE now)",
        "low      A pattern that is told [mem.balloon.squeezed]: one (MANUAL)",
        "",
        "Conflicts: 1; a plan of all follows the first and leaves the second for now",
        "  mem.swappiness before mem.balloon.squeezed, about a thing: it is so",
        "Healthy: 2 judgements found nothing (cpu 2).",
        "  In order throughout: cpu.mode.",
        "Not checked: 3",
        "  mem.swap (3 times): nothing was seen",
        "",
        "What next:",
        "  kvmnb rule disk.cache  # why the first of these matters, and when to leave it",
        "  kvmnb plan --rule ID  # what one of them would change, with its cost and its undo",
        "  kvmnb plan --all  # all that can be changed from here; 1 cost nothing",
        "  kvmnb audit --all  # every finding, judgement and reason",
    ]


def test_nothing_found_says_so_and_what_was_judged() -> None:
    assert report(an_audit()).splitlines()[:4] == [
        "Nothing found for the goal balanced.",
        "",
        "Healthy: 2 judgements found nothing (cpu 2).",
        "  In order throughout: cpu.mode.",
    ]


def test_a_rule_that_fires_for_many_guests_is_told_once() -> None:
    found = an_audit(*(on(f"guest{number}") for number in range(300)))
    short = report(found)
    assert short.count("A pattern that is told") == 1
    assert "on guest0, guest1, guest2, guest3 and 296 more" in short
    assert everything(found).count("A pattern that is told") == 300


@pytest.mark.parametrize("draw", [report, everything])
@pytest.mark.parametrize("columns", [30, 80, 300])
def test_hostile_names_neither_steer_the_terminal_nor_forge_a_line(
    draw: Any, columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    evil = on(EVIL, saw=f"seen on {EVIL}")
    other = on(EVIL, "mem.thp", severity=Severity.LOW)
    conflict = Conflict(followed=side(evil), waits=side(other), about=EVIL, resolution=EVIL, reason=EVIL)
    missing = (NotChecked("mem.swap", evil.subject, f"x: {EVIL}"),)
    text = draw(an_audit(evil, other, conflicts=(conflict,), not_checked=missing))
    assert not {one for one in text if ord(one) < 32 and one != "\n"}
    assert not [line for line in text.splitlines() if line.startswith("root")]


def test_no_line_of_prose_is_wider_than_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    found = an_audit(*(on(f"guest-{number}", saw="a long word " * 30) for number in range(9)))
    prose = report(found).partition("What next:")[0]
    assert max(len(line) for line in prose.splitlines()) <= 60


def test_a_myth_asks_for_nothing() -> None:
    told = on("web", "myth.noatime", severity=Severity.INFO, safety=Safety.MANUAL, effect=Effect.INDIRECT)
    short = report(an_audit(told))
    assert "[myth.noatime]: web (nothing to do)" in short
    assert "kvmnb myths" in short
    assert "kvmnb plan" not in short


def test_reasons_beyond_the_first_are_counted() -> None:
    missing = tuple(NotChecked("mem.swap", "host", f"x: reason {number} {'y' * 400}; and more") for number in range(9))
    short, whole = report(an_audit(not_checked=missing)), everything(an_audit(not_checked=missing))
    assert "and 3 more reasons, told by --all" in short
    assert "and more" not in short.replace("more reasons", "")
    assert whole.count("and more") == 9
