"""What stops a plan, and what a person may override."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from markupsafe import escape

from kvmnb.advise.conflicts import Conflict, side
from kvmnb.advise.finding import Safety
from kvmnb.advise.intent_file import read_intent
from kvmnb.advise.mute import Mute
from kvmnb.apply import rooted
from kvmnb.core.errors import Refused
from kvmnb.machine.sources import scratch
from kvmnb.plan.check import Check, Outcome
from kvmnb.show.forms.tune_state import TuneState, key
from kvmnb.verbs import Here
from tests.show.forms.test_tune_state import quiet
from tests.small_host import write_guest, write_host

NOVA = "<metadata><nova:instance xmlns:nova='http://openstack.org/xmlns/libvirt/nova/1.1'/></metadata>\n"


@pytest.fixture
def owned(tmp_path: Path) -> Here:
    """The small host with a guest that OpenStack owns."""
    source = write_host(tmp_path / "recorded")
    write_guest(source, "web", 0, cputune=NOVA)
    return Here(scratch(source, tmp_path / "copy"), read_intent("latency"))


def test_a_guest_of_another_program_is_changed_only_where_a_person_says_so(owned: Here) -> None:
    state = TuneState(owned, ["web"], rules=["cpu.pin.vcpu"])
    assert [check.subject for check in state.owned] == ["web"]
    assert "belongs to OpenStack" in (state.obstacle(False) or "")
    assert not state.apply(False, quiet).ok
    assert state.obstacle(False, override_owner=True) is None
    assert state.apply(False, quiet, override_owner=True).ok


def test_the_form_asks_for_the_override_and_forgets_it_with_the_preview(owned: Here) -> None:
    form = owned.tune("web", rules=["cpu.pin.vcpu"])
    assert form.override.layout.display is None
    assert form.override.description == "Change web although another program owns it"
    assert form.apply.disabled
    assert "stops this plan" in form.preview.value
    form.override.value = True
    assert not form.apply.disabled
    form.apply.click()
    form.wait()
    assert form.result is not None
    assert form.result.ok
    assert not form.override.value
    form.close()


def test_what_else_stops_a_plan_cannot_be_overridden(small: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    really = small.plan
    stop = Check("job", "web", Outcome.STOPS, "libvirt is busy with it (migration).")
    monkeypatch.setattr(
        small, "plan", lambda findings, **named: dataclasses.replace(really(findings, **named), checks=(stop,))
    )
    form = small.tune("web", rules=["cpu.pin.vcpu"])
    assert form.apply.disabled
    assert form.override.layout.display == "none"
    assert "libvirt is busy with it" in form.hint.value
    assert form.state.obstacle(False, override_owner=True) is not None


def test_what_waits_for_another_finding_is_told_and_not_ticked(shipped: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    really = shipped.audit("db01")
    first, second, *others = (one for one in really.findings if one.wants and one.safety is Safety.SAFE)
    conflict = Conflict(
        followed=side(first),
        waits=side(second),
        about="CPU 1",
        resolution="follow the first",
        reason="<b>goal</b>",
    )
    monkeypatch.setattr(shipped, "audit", lambda *_, **__: dataclasses.replace(really, conflicts=(conflict,)))
    form = shipped.tune("db01")
    assert form.state.chosen == {key(one) for one in (first, *others)}
    told = form.choices.children[0].value
    assert f"<code>{second.id}</code> waits for <code>{first.id}</code>: &lt;b&gt;goal&lt;/b&gt;." in told
    assert "waits for" in form._repr_mimebundle_()["text/html"]
    form.close()


def test_a_muted_finding_is_counted_with_its_reason(small: Here) -> None:
    mute = Mute(id="cpu.pin.vcpu", reason="<b>the owner</b> said so")
    here = Here(small.machine, dataclasses.replace(small.intent, mutes=(mute,)))
    form = here.tune("web")
    assert [one.id for one in form.state.offers if one.id == mute.id] == []
    assert "1 finding muted in kvmnb.toml" in form.choices.children[-1].value
    assert "&lt;b&gt;the owner" in form.choices.children[-1].value
    assert "1 finding muted" in form._repr_mimebundle_()["text/html"]
    form.close()


def test_where_the_rights_are_missing_the_commands_are_shown(small: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    def without_rights(*_given: object, **_named: object) -> None:
        raise Refused("this needs root's rights, and kvmnb-root was not reached (sudo: no); by hand: <b>one</b>; two")

    monkeypatch.setattr(small, "apply", without_rights)
    monkeypatch.setattr(rooted, "needs_root", lambda _machine, _tunable: True)
    form = small.tune("web", rules=["cpu.pin.vcpu"])
    assert form.state.plan is not None
    wanted = tuple(change.tunable.command(change.after) for change in form.state.plan.changes)
    form.apply.click()
    form.wait()
    assert form.result is not None
    assert form.result.sentence == "This needs root's rights, and kvmnb-root was not reached (sudo: no)."
    assert form.result.commands == wanted
    assert "By hand, with the rights for it:" in form.log.value
    assert all(str(escape(line)) in form.log.value for line in wanted)
    form.close()
