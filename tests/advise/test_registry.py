"""The audit asks each rule of what it is about, and tells apart what was found, not checked, in order, and muted."""

from __future__ import annotations

from datetime import date

import pytest

from kvmnb.advise.folklore import myths
from kvmnb.advise.intent import Goal, GuestIntent, Intent
from kvmnb.advise.mute import Mute
from kvmnb.advise.registry import audit, rule, rule_or_myth, rules, threshold, thresholds
from kvmnb.core.errors import KvmnbError
from kvmnb.facts.gap import Gap, changed
from tests.advise.disk.builders import a_disk, storage_host
from tests.advise.parts import a_host_with, parameters
from tests.builders import a_domain, a_host

QUOTA = a_domain("web", cpu="")
HOST, GUEST = "kvm.halt_poll", "cpu.mode"
POLLING = a_host_with(parameters=parameters(kvm__halt_poll_ns="900000"))


def test_rules_and_myths_are_found_by_their_ids() -> None:
    ids = [one.id for one in rules()]
    assert ids == sorted(ids)
    assert rule("cpu.mode").id == "cpu.mode"
    assert rule_or_myth("cpu.mode") is rule("cpu.mode")
    assert rule_or_myth(f"myth.{myths()[0].name}") is myths()[0]
    with pytest.raises(KvmnbError, match=r"no rule 'cpu.mdoe'; did you mean cpu.mode"):
        rule("cpu.mdoe")
    with pytest.raises(KvmnbError, match="`kvmnb rules` lists them") as told:
        rule("z" * 61)
    assert f"'{'z' * 60}'" in str(told.value)


def test_thresholds_of_rules_and_myths_are_found_by_their_names() -> None:
    name = "kvm.halt_poll.dense"
    assert threshold(name) is thresholds()[name]
    assert any(one.startswith("myth.") for one in thresholds())
    with pytest.raises(KvmnbError, match=rf"no threshold '{name}r'; did you mean {name}"):
        threshold(f"{name}r")
    with pytest.raises(KvmnbError, match="`docs/rules` lists them") as told:
        threshold("z" * 61)
    assert f"'{'z' * 60}'" in str(told.value)


def test_a_rule_is_asked_of_the_host_or_of_each_domain() -> None:
    other = a_domain("db")
    found = audit(POLLING, [QUOTA, other], Intent(), only=[HOST, GUEST])
    assert [(one.id, one.subject) for one in found.findings] == [(GUEST, "domain/web"), (HOST, "host/halt_poll_ns")]
    assert (found.checked, found.not_checked) == (((GUEST, "domain/db"),), ())
    assert found.aim == Intent().aim


def test_of_domains_that_are_named_these_alone_are_judged_and_not_the_host() -> None:
    found = audit(POLLING, [QUOTA, a_domain("db", cpu="")], Intent(), only=[HOST, GUEST], judged=["db"])
    assert [one.subject for one in found.findings] == ["domain/db"]
    assert found.checked == ()


def test_all_rules_and_myths_are_asked_where_none_is_named() -> None:
    found = audit(a_host(), [QUOTA], Intent(goal=Goal.LATENCY))
    asked = (
        {one.id for one in found.findings} | {one for one, _ in found.checked} | {one.id for one in found.not_checked}
    )
    aim = Intent(goal=Goal.LATENCY).aim
    assert asked == {one.id for one in (*rules(), *myths()) if one.speaks(aim)}


def test_a_goal_that_a_rule_is_not_for_is_not_judged_by_it() -> None:
    intent = Intent(goal=Goal.THROUGHPUT, guest={"web": GuestIntent(goal=Goal.DENSITY)})
    for name, speaks in (("mem.balloon.fpr", ["domain/web"]), ("cpu.pin.siblings", ["domain/db"])):
        found = audit(a_host(), [QUOTA, a_domain("db")], intent, only=[name])
        subjects = {one.subject for one in found.findings} | {one.subject for one in found.not_checked}
        subjects |= {where for _, where in found.checked}
        assert sorted(subjects) == speaks


def test_what_was_found_before_a_gap_stands_and_the_rest_is_not_checked() -> None:
    disks = a_disk(kind="block", driver="cache='none'") + a_disk("vdb", format="raw", driver="cache='none'")
    found = audit(storage_host(), [a_domain("a b", devices=disks)], Intent(goal=Goal.LATENCY), only=["disk.io"])
    assert [one.subject for one in found.findings] == ["domain/a%20b/disk/vda"]
    (gap,) = found.not_checked
    assert (gap.id, gap.subject) == ("disk.io", "domain/a%20b")
    assert "was not asked for" in gap.reason
    assert found.checked == ()


def test_a_host_without_its_facts_is_not_checked() -> None:
    host = changed(POLLING, kernel=Gap("host.kernel", "gone"))
    found = audit(host, [], Intent(), only=[HOST])
    assert [(one.id, one.subject, one.reason) for one in found.not_checked] == [(HOST, "host", "host.kernel: gone")]
    assert (found.findings, found.checked) == ((), ())


def test_a_mute_holds_until_its_day_and_not_for_rules_that_are_named() -> None:
    intent = Intent(mutes=(Mute(id=GUEST, reason="known", until=date(2026, 1, 31)),))

    def heard(day: int, *only: str) -> tuple[list[str], list[str]]:
        found = audit(a_host(), [QUOTA], intent, only=only or None, today=date(2026, 1, day))
        mine = [one.id for one in found.findings if one.id == GUEST]
        return mine, [one.finding.id for one in found.muted]

    assert heard(30) == ([], [GUEST])
    assert heard(30, GUEST) == ([GUEST], [])
    assert audit(a_host(), [QUOTA], intent, today=date(2026, 2, 1)).muted == ()


def test_what_waits_and_what_is_a_myth_is_not_followed() -> None:
    found = audit(a_host(), [a_domain("web", devices="", memory_gib=8)], Intent(goal=Goal.LATENCY))
    followed = {one.id for one in found.followed}
    assert followed
    assert not [one for one in followed if one.startswith("myth.")]
    assert {one.waits.id for one in found.conflicts}.isdisjoint(followed)
    assert followed <= {one.id for one in found.findings}


def test_no_finding_rests_on_what_was_asked_for_another_rule() -> None:
    intent = Intent(aim_by="asked for")
    both = audit(POLLING, [QUOTA], intent, only=[HOST, GUEST]).findings
    assert {one.id: one.rests_on for one in both} == {GUEST: (), HOST: ("goal balanced (asked for)",)}
