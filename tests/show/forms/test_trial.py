"""A plan that waits to be confirmed, as its reader sees it."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable

import pytest

from kvmnb.apply import guard
from kvmnb.machine.hypervisor import Layer
from kvmnb.show.forms import countdown, desk
from kvmnb.show.forms.countdown import Countdown
from kvmnb.show.forms.outcome import Outcome
from kvmnb.show.forms.trial import Waits
from kvmnb.show.forms.tune import TuneForm
from kvmnb.verbs import Here


def xml(here: Here) -> str:
    return here.machine.libvirt.xml(here.facts().domain("web").uuid, Layer.PERSISTENT)


def timer_is_gone(form: TuneForm) -> bool:
    return form.keep.layout.display == "none" and not form.countdown.value


def threads() -> list[str]:
    return [one.name for one in threading.enumerate() if one.name.startswith("kvmnb-")]


def test_when_the_time_runs_out_the_form_says_that_it_was_taken_back(small: Here) -> None:
    before = xml(small), small.machine.libvirt.pins(small.facts().domain("web").uuid)
    form = small.tune("web", rules=["cpu.pin.vcpu"])
    form.desk.start(lambda progress: form.state.apply(False, progress, confirm_within=5))
    form.wait()
    assert form.keep.layout.display is None
    assert "left, until" in form.countdown.value
    assert form.apply.disabled
    end = time.monotonic() + 60
    while form.apply.disabled:
        assert time.monotonic() < end, form.countdown.value
        time.sleep(0.1)
    assert form.result is not None
    assert form.result.sentence.startswith("Nobody kept the plan in time, so all that it had changed was taken back")
    assert form.result.sentence.split()[0] in form.log.value
    assert (xml(small), small.machine.libvirt.pins(small.facts().domain("web").uuid)) == before
    assert timer_is_gone(form)
    form.close()
    assert threads() == []


def test_a_form_that_is_opened_while_a_plan_waits_counts_down_from_the_journal(small: Here) -> None:
    journal = small.apply(small.plan(small.audit(rules=["cpu.pin.vcpu"])), confirm_within=120)
    form = small.tune("web")
    trial = form.state.journals.trial
    assert trial is not None
    found = trial.look()
    assert isinstance(found, Waits)
    deadline = guard.deadline_of(journal.path)
    assert deadline is not None
    assert found.seconds - (deadline - guard.now()) <= 1
    assert f"<b>{found.seconds}" in form.countdown.value or f"<b>{found.seconds + 1}" in form.countdown.value
    form.close()
    assert threads() == []
    small.undo(journal)
    told = trial.look()
    assert isinstance(told, Outcome)
    assert told.sentence.startswith("The plan was taken back before its time was over")


def test_a_guard_that_was_stopped_is_told_and_undo_is_left(small: Here) -> None:
    journal = small.apply(small.plan(small.audit(rules=["cpu.pin.vcpu"])), confirm_within=5)
    form = small.tune("web")
    watching = guard.watching(journal.path)
    trial = form.state.journals.trial
    assert watching is not None
    assert trial is not None
    os.kill(watching.pid, signal.SIGKILL)
    end = time.monotonic() + 30
    while not isinstance(found := trial.look(), Outcome):
        assert time.monotonic() < end
        time.sleep(0.1)
    assert "the guard was stopped" in found.sentence
    form.wait()
    assert not form.undo.disabled
    form.undo.click()
    form.wait()
    assert form.result is not None
    assert form.result.ok, form.result.sentence
    form.close()


def test_a_busy_kernel_is_left_with_one_call_and_not_with_one_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(countdown, "_SECOND", 0.002)
    waiting: list[Callable[[], None]] = []
    seen = threading.Event()

    def hand_back(call: Callable[[], None]) -> None:
        waiting.append(call)
        seen.set()

    called = []
    one = Countdown(hand_back, lambda: called.append(1))
    one.go_on()
    assert seen.wait(10)
    time.sleep(0.1)
    assert len(waiting) == 1
    seen.clear()
    waiting.pop()()
    assert called == [1]
    assert seen.wait(10), "it goes on after the call"
    one.stop()
    assert threads() == []


def test_closing_all_leaves_no_thread(small: Here) -> None:
    journal = small.apply(small.plan(small.audit(rules=["cpu.pin.vcpu"])), confirm_within=60)
    form = small.tune("web")
    assert threads() == ["kvmnb-countdown"]
    desk.close_all()
    assert threads() == []
    small.undo(journal)
    form.close()
