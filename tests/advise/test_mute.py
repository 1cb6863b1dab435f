"""Findings that a person wants to hear no more of."""

from __future__ import annotations

from datetime import date

from kvmnb.advise.intent import Intent
from kvmnb.advise.mute import Mute
from kvmnb.advise.registry import Audit, audit
from tests.builders import a_domain, a_host

TODAY = date(2027, 3, 14)
GUESTS = [a_domain("db"), a_domain("db2")]


def heard(*mutes: Mute, only: list[str] | None = None) -> Audit:
    return audit(a_host(), GUESTS, Intent(mutes=mutes), only=only, today=TODAY)


def agents(found: Audit) -> list[str]:
    return [one.subject for one in found.findings if one.id == "dev.agent"]


def test_a_mute_takes_a_rule_s_findings_apart_and_loses_none() -> None:
    before, after = heard(), heard(Mute(id="dev.agent", reason="no agents here"))
    assert agents(before) == ["domain/db", "domain/db2"]
    assert agents(after) == []
    assert [(one.finding.subject, one.mute.reason) for one in after.muted] == [
        ("domain/db", "no agents here"),
        ("domain/db2", "no agents here"),
    ]
    assert len(after.findings) + len(after.muted) == len(before.findings)


def test_a_mute_of_a_subject_covers_it_and_what_lies_below_and_no_namesake() -> None:
    assert agents(heard(Mute(id="dev.agent", subject="domain/db", reason="x"))) == ["domain/db2"]
    assert agents(heard(Mute(id="dev.agent", subject="domain", reason="x"))) == []
    assert agents(heard(Mute(id="dev.agent", subject="domain/d", reason="x"))) == ["domain/db", "domain/db2"]


def test_a_mute_holds_on_its_last_day_and_ends_with_it() -> None:
    assert agents(heard(Mute(id="dev.agent", reason="until then", until=TODAY))) == []
    ended = heard(Mute(id="dev.agent", reason="until then", until=date(2027, 3, 13)))
    notes = [one.note or "" for one in ended.findings if one.id == "dev.agent"]
    assert len(notes) == 2
    assert all(note.endswith("its mute (until then) ended on 2027-03-13") for note in notes)
    again = Mute(id="dev.agent", reason="for good")
    assert agents(heard(Mute(id="dev.agent", reason="until then", until=date(2027, 3, 13)), again)) == []


def test_who_names_a_muted_rule_hears_it_with_a_word() -> None:
    found = heard(Mute(id="dev.agent", reason="no agents here"), only=["dev.agent"])
    assert agents(found) == ["domain/db", "domain/db2"]
    assert found.muted == ()
    assert (found.findings[0].note or "").endswith("muted (no agents here), and shown since its rule was named")


def test_no_conflict_is_told_about_a_muted_finding() -> None:
    found = heard(Mute(id="dev.agent", reason="no agents here"))
    assert all("dev.agent" not in (one.followed.id, one.waits.id) for one in found.conflicts)
