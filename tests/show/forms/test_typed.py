"""Values that a person types in the place of the wanted ones, checked before anything is planned."""

from __future__ import annotations

from pathlib import Path

import pytest

from kvmnb.machine.hypervisor import Layer
from kvmnb.show.forms.tune_state import HOST, TuneState, key
from kvmnb.show.forms.typed import TypedValues
from kvmnb.tunable.sysfs import Sysfs
from kvmnb.tunable.tunable import Want
from kvmnb.verbs import Here
from tests.show.forms.test_tune_state import quiet


def wanted(state: TuneState, text: str) -> Want:
    return next(one for one in state.wants() if str(one.tunable) == text)


@pytest.fixture
def pins(small: Here) -> TuneState:
    """The choice to pin the vCPUs of a guest on four CPUs, live and persistently."""
    return TuneState(small, ["web"], rules=["cpu.pin.vcpu"])


def test_what_is_typed_is_planned_applied_and_read_back(pins: TuneState, small: Here) -> None:
    live = wanted(pins, "domain_live:web:vcpupin[0]")
    assert pins.type(live, "2-3") is None
    assert pins.obstacle(False) == "The preview does not show yet what was typed."
    pins.preview()
    assert pins.plan is not None
    assert live in pins.wants()
    pinned = {change.after for change in pins.plan.changes if "vcpupin[0]" in str(change.tunable)}
    assert pinned == {"2-3"}, "the configuration follows the live pin"
    done = pins.apply(False, quiet)
    assert done.ok, done.sentence
    assert live.tunable.read(small.machine) == "2-3"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("1,x", "'1,x' is not a CPU list"),
        ("3-9", "this host has no CPU 4-9 online; it has 0-3"),
        ("", "cannot be taken away"),
        ("<img src=x onerror=alert(1)>", "<img src=x"),
    ],
)
def test_a_pin_that_this_host_has_not_got_is_told_as_it_is_typed(pins: TuneState, text: str, problem: str) -> None:
    live = wanted(pins, "domain_live:web:vcpupin[0]")
    assert problem in (pins.type(live, text) or "")
    assert (pins.obstacle(False) or "").startswith("A value that was typed cannot be set")
    assert not pins.apply(False, quiet).ok
    assert pins.type(live, live.value or "") is None
    pins.preview()
    assert pins.obstacle(False) is None


def test_a_value_of_the_domain_is_asked_of_libvirts_schema(shipped: Here) -> None:
    state = TuneState(shipped, ["build01"])
    state.choose(key(one) for one in state.offers)
    cache = next((one for one in state.wants() if str(one.tunable).endswith("/driver/@cache")), None)
    assert cache is not None, [str(one.tunable) for one in state.wants()]
    assert "schema refuses it" in (state.type(cache, "sometimes") or "")
    assert state.type(cache, "directsync") is None
    state.preview()
    assert state.plan is not None
    assert "cache='directsync'" in state.plan.xml_diffs["build01"].replace('"', "'")


def test_a_word_of_the_kernels_list_is_taken_and_no_other(small: Here, tmp_path: Path) -> None:
    file = tmp_path / "copy/sys/block/sda/queue/scheduler"
    file.parent.mkdir(parents=True)
    file.write_text("none [mq-deadline]\n")
    typed = TypedValues(small)
    want = Want(Sysfs("block/sda/queue/scheduler"), "none")
    said = "this kernel takes none, mq-deadline for /sys/block/sda/queue/scheduler"
    assert [typed.put(want, word, ()) for word in ("fastest", "bfq")] == [said, said]
    assert typed.problems == {want.tunable: said}
    assert typed.put(want, "mq-deadline", ()) is None
    assert typed.problems == {}
    unlisted = Want(Sysfs("block/sdb/queue/scheduler"), "none")
    assert "cannot be set to 'fastest'" in (typed.put(unlisted, "fastest", ()) or "")


def test_the_lasting_form_follows_what_was_typed_and_can_be_left_away(shipped: Here) -> None:
    state = TuneState(shipped)
    state.turn_to(HOST)
    state.choose(
        key(one) for one in state.offers if any(str(w.tunable) == "sysctl:host:vm.dirty_ratio" for w in one.wants)
    )
    assert state.on_host
    assert state.type(wanted(state, "sysctl:host:vm.dirty_ratio"), "12") is None
    state.preview()
    assert state.plan is not None
    values = {str(one.tunable): one.after for one in state.plan.changes}
    assert (values["sysctl:host:vm.dirty_ratio"], values["sysctl_file:host:vm.dirty_ratio"]) == ("12", "12")
    state.make_lasting(False)
    assert [str(one.tunable) for one in state.plan.changes if one.tunable.lasts] == []


def test_what_was_typed_is_forgotten_with_its_finding(pins: TuneState) -> None:
    live = wanted(pins, "domain_live:web:vcpupin[0]")
    pins.type(live, "nonsense")
    chosen = pins.chosen
    pins.choose([])
    assert pins.typed.problems == {}
    pins.choose(chosen)
    assert pins.typed.text(live) == live.value


def test_a_stale_preview_is_made_anew_with_what_was_typed(pins: TuneState, small: Here) -> None:
    from kvmnb.core.cpuset import CpuSet
    from kvmnb.machine.hypervisor import Thread

    live = wanted(pins, "domain_live:web:vcpupin[0]")
    pins.type(live, "2-3")
    pins.preview()
    uuid = small.facts().domain("web").uuid
    small.machine.libvirt.pin(uuid, Thread.VCPU, 0, CpuSet.of(3))
    before = small.machine.libvirt.xml(uuid, Layer.PERSISTENT)
    outcome = pins.apply(False, quiet)
    assert outcome.sentence.startswith("The machine changed since this preview: ")
    assert small.machine.libvirt.xml(uuid, Layer.PERSISTENT) == before
    assert pins.typed.text(live) == "2-3"
