"""What is known of the system in a guest: asked where an agent listens, else why not, and what to run there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from kvmnb.facts.domain import Domain
from kvmnb.facts.gap import Gap, changed
from kvmnb.machine.machine import Machine
from kvmnb.machine.sources import recorded
from kvmnb.probe.inside import QUESTIONS, Ran, beside, inside, run_inside
from kvmnb.probe.running import system_of
from kvmnb.probe.survey import probe
from kvmnb.show.cards.inside import TAINTED, UNASKED, html, text

REPO = Path(__file__).parents[2]
HOSTILE = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def machine() -> Machine:
    return recorded(REPO / "kvmnb/demo/host")


@pytest.fixture(scope="module")
def domains(machine: Machine) -> dict[str, Domain]:
    return {one.name: one for one in probe(machine).domains}


def reason(machine: Machine, domain: Domain) -> str:
    found = inside(machine, domain).system
    assert isinstance(found, Gap)
    return found.reason


def test_where_no_agent_can_be_asked_the_reason_is_told(machine: Machine, domains: dict[str, Domain]) -> None:
    by_state = {
        state: next(
            one
            for one in domains.values()
            if one.live is not None and {each.state for each in one.live.devices.channels if each.name} == states
        )
        for state, states in (("connected", {"connected"}), ("none", set()))
    }
    assert reason(machine, by_state["connected"]) == "a recording has no guest agent to ask"
    assert "it has no channel org.qemu.guest_agent.0" in reason(machine, by_state["none"])
    stopped = next(one for one in domains.values() if not one.running)
    assert reason(machine, stopped) == "the guest does not run"


def test_an_agent_that_does_not_listen_is_not_asked(machine: Machine, domains: dict[str, Domain]) -> None:
    one = next(each for each in domains.values() if each.live is not None and each.live.devices.channels)
    assert one.live is not None
    asleep = tuple(changed(each, state="disconnected") for each in one.live.devices.channels)
    live = changed(one.live, devices=changed(one.live.devices, channels=asleep))
    assert "is qemu-guest-agent installed" in reason(machine, changed(one, live=live))


def test_what_was_not_asked_says_so_with_the_command(machine: Machine, domains: dict[str, Domain]) -> None:
    found = inside(machine, domains["db01"])
    assert [one.what for one in found.not_asked] == [one[0] for one in QUESTIONS]
    shown = text(found)
    assert UNASKED in shown
    assert "steal: vmstat 1 5" in shown
    assert "<code>cat /proc/pressure/memory</code>" in html(found)


def test_a_guest_that_says_it_is_windows_gets_its_commands_and_its_words_are_no_html() -> None:
    answer = {"os.id": "mswindows", "os.pretty-name": HOSTILE, "if.count": 1, "if.0.name": HOSTILE}
    found = beside(HOSTILE, system_of(answer))
    assert {one.command for one in found.not_asked} == {
        "Get-NetAdapterRss",
        "Get-NetAdapterAdvancedProperty",
        "bcdedit /enum '{current}'",
    }
    assert HOSTILE not in html(found)
    assert "&lt;script&gt;" in html(found)


def test_what_programs_told_is_shown_as_text_and_the_rest_stays_unasked(
    machine: Machine, domains: dict[str, Domain]
) -> None:
    known = inside(machine, domains["db01"])
    ran = Ran("steal", "vmstat 1 5", 1, f"{HOSTILE}\n")
    found = replace(known, ran=(ran,), not_asked=known.not_asked[1:], problem="the agent runs no programs")
    assert "steal" not in [one.what for one in found.not_asked]
    assert HOSTILE not in html(found) and "&lt;script&gt;" in html(found)
    assert "ended with code 1" in html(found)
    assert text(found).splitlines()[1:4] == [TAINTED, f"  steal: {HOSTILE}", "Not run: the agent runs no programs"]


def test_no_program_is_run_where_no_agent_answers(machine: Machine, domains: dict[str, Domain]) -> None:
    for domain in domains.values():
        found = run_inside(machine, domain)
        assert isinstance(found.system, Gap)
        assert (found.ran, found.problem) == ((), found.system.reason)
        assert len(found.not_asked) == len(QUESTIONS)
