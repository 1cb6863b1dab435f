"""The preflight asks a real libvirt: QEMU's command line before and after, and what would not start."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from kvmnb.advise.intent_file import read_intent
from kvmnb.core.errors import Refused
from kvmnb.plan.check import Outcome
from kvmnb.plan.preflight import refuse_stopped
from kvmnb.tunable.domain_xml import DomainXml
from kvmnb.tunable.tunable import Want
from kvmnb.verbs import Here, open_machine
from tests.findings import a_finding
from tests.lab.daemon import Lab
from tests.lab.domain import disk_xml
from tests.lab.guest import Guest

pytestmark = pytest.mark.lab

Start = Callable[..., Guest]


def test_the_command_line_differs_in_just_the_cache_mode(lab: Lab, guest: Start) -> None:
    image = lab.disk("preflight")
    one = guest(system=False, devices=(disk_xml(image),))
    with_cache = DomainXml(one.name, one.uuid, "devices/disk[vda]/driver/@cache")
    here = Here(open_machine(uri=lab.uri), read_intent())
    try:
        plan = here.plan(a_finding(Want(with_cache, "none")))
    finally:
        here.machine.close()
    changed = [
        line
        for line in plan.command_lines[one.name].splitlines()
        if line[:1] in "+-" and line[:3] not in ("+++", "---")
    ]
    assert {line[1:].split()[0] for line in changed} <= {"-blockdev", "-device"}, changed
    assert [line for line in changed if line.startswith("+") and '"direct":true' in line], changed
    assert {check.question: check.outcome for check in plan.checks}["command-line"] is Outcome.PASSED
    refuse_stopped(plan)


def test_a_guest_that_asks_for_pages_that_are_not_there_is_refused_before_anything_is_written(
    lab: Lab, guest: Start
) -> None:
    one = guest(system=False)
    before = one.xml()
    here = Here(open_machine(uri=lab.uri), read_intent())
    wanted = Want(
        DomainXml(one.name, one.uuid, "memoryBacking/hugepages"),
        "<hugepages><page size='1048576' unit='KiB'/></hugepages>",
    )
    try:
        plan = here.plan(a_finding(wanted))
        stops = [check for check in plan.checks if check.outcome is Outcome.STOPS]
        assert "hugepages" in [check.question for check in stops], plan.checks
        with pytest.raises(Refused, match="nothing was changed"):
            here.apply(plan, accept_disruptive=True)
    finally:
        here.machine.close()
    assert one.xml() == before
    assert here.journals() == ()
