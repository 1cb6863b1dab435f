"""The form's widgets, pressed as a reader presses them."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

import ipywidgets
import pytest

from kvmnb.machine.hypervisor import Layer
from kvmnb.show.forms.tune import TuneForm
from kvmnb.show.forms.tune_state import TuneState
from kvmnb.verbs import Here


def boxes(form: TuneForm) -> list[Any]:
    return [child for child in form.choices.children if isinstance(child, ipywidgets.Checkbox)]


def test_apply_is_off_while_a_costly_change_was_not_read(shipped: Here) -> None:
    form = shipped.tune("db01")
    assert not form.apply.disabled
    assert form.read_costs.layout.display == "none"
    costly = next(box for box in boxes(form) if "it costs something" in box.description)
    costly.value = True
    assert form.apply.disabled
    assert form.read_costs.layout.display is None
    form.read_costs.value = True
    assert not form.apply.disabled
    safe = next(box for box in boxes(form) if "it costs something" not in box.description)
    safe.value = not safe.value
    assert form.apply.disabled, "a new preview is to be read anew"
    assert not form.read_costs.value


def test_nothing_chosen_is_nothing_to_apply(shipped: Here) -> None:
    form = shipped.tune("db01")
    for box in boxes(form):
        box.value = False
    assert form.apply.disabled
    assert "Nothing is chosen" in form.preview.value


def test_the_preview_shows_all_before_the_button(shipped: Here) -> None:
    preview = shipped.tune("db01").preview.value
    for part in (
        "Now",
        "Wanted",
        "takes effect at once",
        "What it costs",
        "How to undo it",
        '<span class="add">',
        "by hand",
    ):
        assert part in preview


def test_apply_then_undo_by_clicks(shipped: Here) -> None:
    form = shipped.tune("db01")
    uuid = shipped.facts().domain("db01").uuid
    before = shipped.machine.libvirt.xml(uuid, Layer.PERSISTENT)
    assert form.undo.disabled
    form.apply.click()
    form.wait()
    assert form.result is not None
    assert form.result.ok
    assert "✔ holds" in form.log.value
    assert form.result.journal_id in form.log.value
    assert not form.undo.disabled
    form.undo.click()
    form.wait()
    assert form.result.ok
    assert shipped.machine.libvirt.xml(uuid, Layer.PERSISTENT) == before
    assert form.undo.disabled


def test_another_guest_brings_its_findings(shipped: Here) -> None:
    form = shipped.tune()
    first = [box.description for box in boxes(form)]
    form.guest.value = "router01"
    assert form.state.guest == "router01"
    assert "guest router01" in form.preview.value
    assert [box.description for box in boxes(form)] != first


def test_an_error_is_words_in_the_form_and_no_traceback(
    shipped: Here, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    form = shipped.tune("db01")

    def fault(*_given: object, **_named: object) -> None:
        raise ZeroDivisionError("<b>odd</b>")

    monkeypatch.setattr(shipped, "apply", fault)
    form.apply.click()
    form.wait()
    assert form.result is not None
    assert not form.result.ok
    assert "ZeroDivisionError: &lt;b&gt;odd" in form.log.value
    assert capsys.readouterr() == ("", "")


def test_a_busy_form_takes_no_second_click(shipped: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    form = shipped.tune("db01")
    go, calls = threading.Event(), []
    really = shipped.apply

    def slow(*given: Any, **named: Any) -> Any:
        calls.append(1)
        go.wait(10)
        return really(*given, **named)

    monkeypatch.setattr(shipped, "apply", slow)
    form.apply.click()
    assert form.apply.disabled
    assert form.guest.disabled
    form.apply.click()
    with pytest.raises(TimeoutError):
        form.wait(0.05)
    go.set()
    form.wait()
    assert calls == [1]
    assert not form.guest.disabled


def test_widgets_are_set_on_the_loops_thread_alone(shipped: Here) -> None:
    form = shipped.tune("db01")
    threads: set[int] = set()
    for widget in (form.log, form.progress, form.apply):
        widget.observe(lambda _change: threads.add(threading.get_ident()))

    async def press() -> None:
        form.apply.click()
        deadline = time.monotonic() + 20
        while form.result is None and time.monotonic() < deadline:
            await asyncio.sleep(0.01)

    asyncio.run(press())
    assert form.result is not None
    assert threads == {threading.get_ident()}


def test_a_cell_that_clicks_and_waits_sees_the_result_at_once(shipped: Here) -> None:
    form = shipped.tune("db01")

    async def cell() -> None:
        form.apply.click()
        form.wait()
        assert form.result is not None
        assert form.result.ok

    asyncio.run(cell())


def test_without_a_kernel_the_form_is_a_page_that_is_the_same_on_every_run(shipped: Here) -> None:
    one, other = shipped.tune()._repr_mimebundle_(), shipped.tune()._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in one
    for kind in ("text/plain", "text/html"):
        assert one[kind] == other[kind]
    assert one["text/plain"].startswith(f"Tuning form for {TuneState(shipped).guest} (running, ")


def test_every_control_has_a_label(shipped: Here) -> None:
    form = shipped.tune()
    for widget in (form.guest, form.read_costs, form.apply, form.undo, *boxes(form)):
        assert widget.description


def test_a_recording_says_why_nothing_can_be_applied(read_only: Here) -> None:
    form = read_only.tune()
    assert form.apply.disabled
    assert "not changed" in form.hint.value


def test_closing_the_form_leaves_no_widget_and_no_thread(shipped: Here) -> None:
    from ipywidgets.widgets.widget import _instances

    former = set(_instances)
    form = shipped.tune()
    form.close()
    left = [_instances[name] for name in set(_instances) - former]
    assert [one for one in left if not isinstance(one, (ipywidgets.Layout, ipywidgets.Style))] == []
    assert not [one for one in threading.enumerate() if one.name == "kvmnb-form"]


def timer(form: TuneForm) -> tuple[Any, Any]:
    return form.keep.layout.display, form.countdown.value


def test_a_guarded_plan_is_kept_by_a_click_and_counts_down_till_then(shipped: Here) -> None:
    form = shipped.tune("db01")
    assert (form.guarded.label, *timer(form)) == ("as needed (not needed here)", "none", "")
    form.guarded.value = 60
    form.apply.click()
    form.wait()
    assert form.result is not None
    assert "taken back unless you keep it" in form.result.sentence
    assert form.keep.layout.display is None
    assert "s</b> left, until" in form.countdown.value
    assert form.apply.disabled
    form.keep.click()
    form.wait()
    assert form.result.ok
    assert "✔ holds" in form.log.value
    assert timer(form) == ("none", "")
    assert not [one for one in form.state.offers if one.id == "cpu.pin.emulator"], "it looked at the machine again"
    form.undo.click()
    form.wait()
    assert form.result.ok
    form.close()


def test_undo_takes_a_guarded_plan_back_before_its_time(shipped: Here) -> None:
    form = shipped.tune("db01")
    form.guarded.value = 60
    form.apply.click()
    form.wait()
    form.undo.click()
    form.wait()
    assert form.result is not None
    assert form.result.ok
    assert timer(form) == ("none", "")
    form.close()
