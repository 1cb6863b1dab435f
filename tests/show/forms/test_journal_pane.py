"""The journals of a machine: what stands, and what a click does about it."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest

from kvmnb.apply.journal import Journal
from kvmnb.machine.hypervisor import Layer
from kvmnb.show.forms.journal_pane import JournalPane
from kvmnb.show.forms.journal_state import Deed, JournalState
from kvmnb.verbs import Here


def applied(here: Here, **named: Any) -> Journal:
    return here.apply(here.plan(here.audit("web", rules=["cpu.pin.vcpu"])), **named)


def left_half_way(journal: Journal) -> None:
    """As a kill before the last record leaves it."""
    lines = journal.path.read_bytes().splitlines(keepends=True)
    journal.path.write_bytes(b"".join(lines[:-1]))


def xml(here: Here) -> str:
    return here.machine.libvirt.xml(here.facts().domain("web").uuid, Layer.PERSISTENT)


def press(pane: JournalPane, deed: Deed, journal_id: str) -> None:
    button = next(one for one in pane.journals.buttons if one.description == f"{deed.value} {journal_id}")
    button.click()
    pane.wait()


def test_a_machine_without_journals_says_so(small: Here) -> None:
    pane = small.journal_pane()
    assert pane.journals.buttons == []
    assert "Nothing was changed" in pane.journals.rows.children[0].children[0].value
    pane.close()


def test_a_row_tells_what_stands_and_how_it_is_taken_back(small: Here) -> None:
    journal = applied(small)
    (row,) = JournalState(small).rows()
    assert (row.id, row.on, row.state, row.standing, row.deeds) == (
        journal.id,
        "guest web",
        "applied",
        len(journal.announced()),
        (Deed.UNDO,),
    )
    assert row.undos == (
        "3 settings: exact: the former value is put back",
        "3 settings: equal in effect: it acts as before, libvirt may still list it",
    )


def test_undo_of_a_row_takes_it_back(small: Here) -> None:
    before = xml(small)
    journal = applied(small)
    pane = small.journal_pane()
    press(pane, Deed.UNDO, journal.id)
    assert pane.desk.result is not None
    assert pane.desk.result.ok, pane.desk.result.sentence
    assert xml(small) == before
    assert pane.journals.buttons == []
    assert [row.state for row in pane.state.rows()] == ["undone"]
    pane.close()


def test_what_something_else_changed_is_taken_back_only_on_a_persons_word(small: Here) -> None:
    from kvmnb.core.cpuset import CpuSet
    from kvmnb.machine.hypervisor import Thread

    journal = applied(small)
    small.machine.libvirt.pin(small.facts().domain("web").uuid, Thread.VCPU, 0, CpuSet.of(3, 2))
    pane = small.journal_pane()
    press(pane, Deed.UNDO, journal.id)
    assert pane.desk.result is not None
    assert not pane.desk.result.ok
    assert "✘ Not done" in pane.desk.log.value
    pane.journals.take_drifted.value = True
    press(pane, Deed.UNDO, journal.id)
    assert pane.desk.result.ok, pane.desk.result.sentence
    assert not pane.journals.take_drifted.value
    pane.close()


@pytest.mark.parametrize("deed", [Deed.RESUME, Deed.UNDO])
def test_a_plan_left_half_way_is_settled_in_the_form_that_refuses_to_apply_till_then(small: Here, deed: Deed) -> None:
    before = xml(small)
    journal = applied(small)
    left_half_way(journal)
    form = small.tune("web")
    assert form.apply.disabled
    assert f"Plan {journal.id} was left half-way" in form.hint.value
    button = next(one for one in form.journals.buttons if one.description.startswith(deed.value))
    button.click()
    form.wait()
    assert form.result is not None
    assert form.result.ok, form.result.sentence
    assert "half-way" not in form.hint.value
    assert (xml(small) == before) is (deed is Deed.UNDO)
    form.close()


def test_keep_of_a_row_confirms_it_and_no_thread_is_left(small: Here) -> None:
    journal = applied(small, confirm_within=60)
    pane = small.journal_pane()
    assert "left, until" in pane.trial.countdown.value
    press(pane, Deed.KEEP, journal.id)
    assert pane.desk.result is not None
    assert pane.desk.result.ok, pane.desk.result.sentence
    assert pane.trial.countdown.value == ""
    pane.close()
    assert [one.name for one in threading.enumerate() if one.name.startswith("kvmnb-")] == []


def test_a_tampered_journal_is_told_and_stops_apply(small: Here) -> None:
    journal = applied(small)
    path = journal.path
    path.write_bytes(path.read_bytes().replace(b'"deed":"open"', b'"deed":"OPEN"'))
    pane = small.journal_pane()
    assert "The journals cannot be read" in pane.journals.rows.children[0].children[0].value
    assert "cannot be read" in (small.tune("web").hint.value)
    pane.close()


def test_a_guests_name_is_text_and_a_page_without_a_kernel_has_the_rows(hostile: Here) -> None:
    journal = hostile.apply(hostile.plan(hostile.audit(rules=["cpu.pin.vcpu"]).findings))
    bundle = hostile.journal_pane()._repr_mimebundle_()
    assert "<img" not in bundle["text/html"]
    assert "&lt;img src=x" in bundle["text/html"]
    assert journal.id in bundle["text/plain"]
    assert "application/vnd.jupyter.widget-view+json" in bundle
    json.dumps(bundle["text/html"])


def test_a_recording_shows_no_button(read_only: Here) -> None:
    assert read_only.journal_pane().journals.buttons == []
