from __future__ import annotations

from pathlib import Path

import pytest

from kvmnb.apply.journal import Journal
from kvmnb.apply.record import Opening
from kvmnb.measure import journals
from kvmnb.measure.journals import Journals


def opening(plan: str) -> Opening:
    return Opening(
        schema="kvmnb.journal/1",
        plan=plan,
        kvmnb="1",
        uri="",
        host_uuid=None,
        machine="here",
        origin="here",
        boot_id=None,
        domains={},
        steps=(),
    )


def test_a_plan_that_is_applied_and_undone_meanwhile_is_marked_and_an_older_one_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journals, "LOOK_SECONDS", 0.0)
    older = Journal.create(opening("20260101T000000-0001"), tmp_path)
    older.append("end", word="applied")
    watch = Journals(tmp_path)
    assert watch.events() == ()
    newer = Journal.create(opening("20260102T000000-0002"), tmp_path)
    assert watch.events() == ()
    newer.append("end", word="applied")
    (applied,) = watch.events()
    assert (applied.kind, applied.text) == ("plan applied", "plan 20260102T000000-0002 applied")
    newer.append("undo")
    newer.append("end", word="undone")
    (undone,) = watch.events()
    assert (undone.kind, undone.text) == ("plan undone", "plan 20260102T000000-0002 undone")
    assert watch.events() == ()


def test_a_folder_that_is_not_there_has_no_events(tmp_path: Path) -> None:
    assert Journals(tmp_path / "absent").events() == ()
