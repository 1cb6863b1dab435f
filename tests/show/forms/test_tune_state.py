"""The form's logic: nothing is applied but what was previewed."""

from __future__ import annotations

import pytest

from kvmnb.core.cpuset import CpuSet
from kvmnb.core.errors import ApplyFailed, KvmnbError
from kvmnb.machine.hypervisor import Layer, Thread
from kvmnb.show.forms.tune_state import HOST, TuneState, key
from kvmnb.tunable.tunable import State
from kvmnb.verbs import Here


def quiet(step: int, steps: int, word: str) -> None:
    """A progress that nobody reads."""


def xml(here: Here, name: str) -> str:
    return here.machine.libvirt.xml(here.facts().domain(name).uuid, Layer.PERSISTENT)


def test_the_running_guest_with_the_worst_finding_is_chosen_first(shipped: Here) -> None:
    state = TuneState(shipped)
    running = {domain.name for domain in shipped.domains if domain.running}
    worst = next(one for one in shipped.audit().findings if one.wants and one.domain in running)
    assert state.guest == worst.domain
    assert [name for _, name in state.options()][-1] == HOST


def test_what_is_safe_is_chosen_and_what_costs_something_is_not(shipped: Here) -> None:
    state = TuneState(shipped, ["db01"])
    chosen = {finding.id: key(finding) in state.chosen for finding in state.offers}
    assert chosen["cpu.pin.emulator"]
    assert not chosen["numa.strict"]
    assert not state.disruptive


def test_a_preview_is_of_exactly_the_choice(shipped: Here) -> None:
    state = TuneState(shipped, ["db01"])
    one = next(finding for finding in state.offers if finding.id == "cpu.pin.emulator")
    state.choose([key(one)])
    assert state.plan is not None
    assert {change.why for change in state.plan.changes} == {("cpu.pin.emulator",)}
    state.choose([])
    assert state.obstacle(True) == "There is nothing to apply in this choice."


def test_a_costly_change_needs_its_costs_read(shipped: Here) -> None:
    state = TuneState(shipped, ["db01"])
    state.choose([key(one) for one in state.offers if one.id == "numa.strict"])
    assert state.disruptive
    before = xml(shipped, "db01")
    refused = state.apply(False, quiet)
    assert (refused.ok, xml(shipped, "db01")) == (False, before)
    assert "read what" in refused.sentence
    assert state.apply(True, quiet).ok
    assert xml(shipped, "db01") != before


def test_applied_verified_and_undone(shipped: Here) -> None:
    state = TuneState(shipped, ["db01"])
    before = xml(shipped, "db01")
    steps: list[str] = []
    done = state.apply(False, lambda step, count, word: steps.append(f"{step}/{count}"))
    assert done.ok
    assert done.sentence.endswith("changes written and read back.")
    assert {verdict.state for _, verdict in done.verdicts} == {State.HOLDS}
    assert done.journal_id is not None
    assert steps[0].startswith("0/")
    assert not [one for one in state.offers if one.id == "cpu.pin.emulator"]
    journal = state.undoable()
    assert journal is not None
    assert journal.id == done.journal_id
    back = state.undo(quiet)
    assert back.ok
    assert xml(shipped, "db01") == before
    assert state.undoable() is None
    assert state.undo(quiet).sentence == "There is nothing to take back on this machine."


def test_a_stale_preview_writes_nothing_says_so_and_is_made_anew(small: Here) -> None:
    state = TuneState(small, ["web"], rules=["cpu.pin.vcpu"])
    uuid = small.facts().domain("web").uuid
    before = xml(small, "web")
    small.machine.libvirt.pin(uuid, Thread.VCPU, 0, CpuSet.of(3))
    outcome = state.apply(False, quiet)
    assert not outcome.ok
    assert outcome.sentence.startswith("The machine changed since this preview: ")
    assert "Nothing was written." in outcome.sentence
    assert xml(small, "web") == before
    assert state.undoable() is None
    assert state.plan is not None
    again = state.apply(False, quiet)
    assert again.ok, again.sentence


def test_a_failed_apply_is_a_sentence(small: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    state = TuneState(small, ["web"], rules=["cpu.pin.vcpu"])

    def fail(*_given: object, **_named: object) -> None:
        raise ApplyFailed("the define was refused; all that the plan had changed was taken back")

    monkeypatch.setattr(small, "apply", fail)
    outcome = state.apply(False, quiet)
    assert (outcome.ok, outcome.sentence) == (
        False,
        "The define was refused; all that the plan had changed was taken back.",
    )


def test_a_preview_that_cannot_be_made_is_a_sentence_and_no_apply(small: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    state = TuneState(small, ["web"])

    def conflict(_findings: object, **_named: object) -> None:
        raise KvmnbError("two findings disagree")

    monkeypatch.setattr(small, "plan", conflict)
    state.turn_to("web")
    assert state.problem == "two findings disagree"
    assert state.obstacle(True) is not None


def test_a_recording_can_be_planned_for_and_not_changed(read_only: Here) -> None:
    state = TuneState(read_only)
    assert state.plan
    assert "not changed" in (state.obstacle(True) or "")
    assert state.undoable() is None


def test_a_guest_that_is_not_there_is_an_error_in_words(small: Here) -> None:
    with pytest.raises(KvmnbError, match="no domain is named 'mail'"):
        TuneState(small, ["mail"])


def test_what_must_be_done_by_hand_is_told_apart(shipped: Here) -> None:
    state = TuneState(shipped)
    for name in state.names:
        state.turn_to(name)
        assert all(one.wants for one in state.offers)
        assert not set(map(key, state.offers)) & set(map(key, state.by_hand))
