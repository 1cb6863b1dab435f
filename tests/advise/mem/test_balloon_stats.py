"""mem.balloon.stats: the guest does not report how it uses its memory."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kvmnb.advise.finding import Safety, Severity
from kvmnb.advise.registry import audit
from kvmnb.tunable.tunable import When
from tests.advise.mem.builders import a_memory_guest, a_memory_host
from tests.advise.test_contract import agreeing
from tests.builders import an_intent, found, silent, values

RULE = "mem.balloon.stats"
HOST = a_memory_host()
ELEMENT = "<memballoon model='virtio'><stats period='5'/></memballoon>"


@pytest.mark.parametrize("goal", ["balanced", "density"])
@pytest.mark.parametrize(
    "balloon",
    [
        "<memballoon model='virtio'/>",
        "<memballoon model='virtio'><stats period='0'/></memballoon>",
        "<memballoon model='virtio-non-transitional'/>",
    ],
)
def test_a_balloon_without_reports_is_found(goal: str, balloon: str) -> None:
    host = a_memory_host(enabled="never")
    finding = found(RULE, host, a_memory_guest(balloon=balloon).domain, goal=goal)
    assert values(finding) == {"domain_xml:devices/memballoon/stats/@period": "5"}
    assert (finding.severity, finding.safety) == (Severity.LOW, Safety.DISRUPTIVE)
    assert "virsh dommemstat guest --period 5 --live" in (finding.note or "")


def test_where_libvirt_adds_the_balloon_it_is_made_whole() -> None:
    assert values(found(RULE, HOST, a_memory_guest(balloon=None).domain)) == {"domain_xml:devices/memballoon": ELEMENT}


def test_a_balloon_that_is_made_holds_what_both_rules_want() -> None:
    guest = a_memory_guest(balloon=None).domain
    result = audit(HOST, [guest], an_intent("density"))
    agreeing(result)
    wanted = values(next(one for one in result.findings if one.id == RULE))
    assert "freePageReporting='on'" in str(wanted["domain_xml:devices/memballoon"])
    assert wanted == values(next(one for one in result.findings if one.id == "mem.balloon.fpr"))


@pytest.mark.parametrize(
    "balloon", ["<memballoon model='none'/>", "<memballoon model='xen'/>", ELEMENT.replace("5", "60")]
)
def test_no_balloon_or_one_that_reports_is_right(balloon: str) -> None:
    assert silent(RULE, HOST, a_memory_guest(balloon=balloon).domain)


def test_other_hypervisors_and_goals_are_not_judged() -> None:
    assert silent(RULE, HOST, a_memory_guest(balloon=None, virt_type="xen").domain)
    for goal in ("latency", "throughput"):
        assert silent(RULE, HOST, a_memory_guest(balloon=None).domain, goal=goal)


def test_for_a_guest_that_is_off_it_is_safe() -> None:
    finding = found(RULE, HOST, a_memory_guest(balloon=None, running=False).domain)
    assert (finding.safety, finding.note) == (Safety.SAFE, None)


def test_a_guest_that_exists_only_while_it_runs_gets_it_live() -> None:
    transient = replace(a_memory_guest("a b", balloon=None).domain, persistent=False, inactive=None)
    finding = found(RULE, HOST, transient)
    assert values(finding) == {"live_setting:devices/memballoon/stats/@period": "5"}
    assert (finding.safety, finding.when) == (Safety.SAFE, When.NOW)
    assert finding.wants[0].tunable.command("5") == "virsh dommemstat 'a b' --period 5 --live"
