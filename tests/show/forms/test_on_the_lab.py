"""A guarded apply by clicks on a real libvirtd and a running guest: kept, and run out."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from kvmnb.advise.intent_file import read_intent
from kvmnb.machine import sources
from kvmnb.show.forms.tune import TuneForm
from kvmnb.verbs import Here
from tests.lab.daemon import Lab
from tests.lab.guest import Guest

pytestmark = [pytest.mark.lab, pytest.mark.slow]

Start = Callable[..., Guest]


@pytest.fixture
def form(lab: Lab, guest: Start) -> Iterator[tuple[TuneForm, Guest]]:
    """The form for a floating guest of one vCPU, which may be pinned."""
    assert len(os.sched_getaffinity(0)) >= 2, "of two CPUs one stays the host's"
    one = guest(system=False)
    machine = sources.live(lab.uri)
    made = Here(machine, read_intent("latency")).tune(one.name, rules=["cpu.pin.vcpu"])
    yield made, one
    made.close()
    machine.close()


def vcpu(one: Guest) -> set[int]:
    (thread,) = one.vcpu_threads
    return one.affinities[thread]


def test_a_guarded_plan_is_counted_down_and_kept(form: tuple[TuneForm, Guest]) -> None:
    made, one = form
    xml, floating = one.xml(), vcpu(one)
    made.guarded.value = 60
    made.apply.click()
    made.wait()
    assert made.result is not None
    assert made.result.ok, made.result.sentence
    assert len(vcpu(one)) == 1, "its live part works"
    assert one.xml() == xml, "what lasts is not written yet"
    first = made.countdown.value
    assert "left, until" in first
    until = time.monotonic() + 30
    while made.countdown.value == first:
        assert time.monotonic() < until
        time.sleep(0.1)
    made.keep.click()
    made.wait()
    assert made.result.sentence == "The plan is kept, its lasting part is written and read back."
    assert "vcpupin" in one.xml()
    assert made.countdown.value == ""
    made.undo.click()
    made.wait()
    assert made.result.ok, made.result.sentence
    assert (one.xml(), vcpu(one)) == (xml, floating)


def test_a_guarded_plan_that_nobody_keeps_is_taken_back_and_the_form_says_so(form: tuple[TuneForm, Guest]) -> None:
    made, one = form
    xml, floating = one.xml(), vcpu(one)
    made.desk.start(lambda progress: made.state.apply(False, progress, confirm_within=5))
    made.wait()
    assert len(vcpu(one)) == 1
    until = time.monotonic() + 60
    while made.apply.disabled:
        assert time.monotonic() < until, made.countdown.value
        time.sleep(0.1)
    assert made.result is not None
    assert made.result.sentence.startswith("Nobody kept the plan in time")
    assert (one.xml(), vcpu(one)) == (xml, floating)
    assert [row.state for row in made.state.journals.rows()] == ["taken back, since nobody kept it in time"]
    assert made.journals.buttons == []
    made.close()
    assert [one.name for one in threading.enumerate() if one.name in ("kvmnb-countdown", "kvmnb-form")] == []
