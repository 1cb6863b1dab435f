"""``kvmnb diagnose`` on the demo host, whose series are recorded."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from kvmnb.cli import main
from kvmnb.facts.gap import Gap
from kvmnb.machine.sources import recorded
from kvmnb.measure.diagnose.below import devices_below
from kvmnb.measure.diagnose.diagnosis import patterns
from kvmnb.probe.survey import probe

REPO = Path(__file__).parents[2]


def test_the_demo_host_s_waiting_guest_is_found_and_the_document_is_as_its_schema_says(
    capsys: pytest.CaptureFixture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setenv("KVMNB_TICK", "0.05")
    assert main(["diagnose", "--demo", "--seconds", "1", "--json"]) == 1
    document = json.loads(capsys.readouterr().out)
    jsonschema.validate(document, json.loads((REPO / "docs/schemas/diagnose.json").read_text()))
    assert "domain/build01" in {one["subject"] for one in document["findings"] if one["id"] == "diag.cpu.run_delay"}
    unjudged = {one["id"] for one in document["not_checked"]}
    assert "diag.net.softnet" in unjudged
    assert unjudged < {one.id for one in patterns()}


@pytest.mark.parametrize("seconds", ["0", "-3", "nan", "inf", "1e9"])
def test_a_window_that_is_no_time_is_refused_in_a_sentence(
    seconds: str, capsys: pytest.CaptureFixture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert main(["diagnose", "--demo", f"--seconds={seconds}"]) == 2
    assert "cannot be looked at: give 1 to 3600 s" in capsys.readouterr().err


def test_each_disk_of_the_demo_s_running_guests_has_a_device_or_a_reason() -> None:
    survey = probe(recorded(REPO / "kvmnb" / "demo" / "host"))
    below = devices_below(survey.host, survey.domains)
    assert {uuid for uuid, _ in below} <= {one.uuid for one in survey.domains if one.running}
    assert below
    assert all(one.reason if isinstance(one, Gap) else one for one in below.values())
