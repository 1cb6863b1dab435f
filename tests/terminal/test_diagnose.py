"""``kvmnb diagnose`` on the demo host, whose series are recorded."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import jsonschema
import pytest

from kvmnb.cli import main
from kvmnb.facts.gap import Gap
from kvmnb.machine.sources import recorded
from kvmnb.measure.diagnose.below import devices_below
from kvmnb.measure.diagnose.diagnosis import patterns
from kvmnb.measure.replay import recorded_from, write_series
from kvmnb.measure.series import Frame, Series
from kvmnb.probe.survey import probe
from tests.measure.stand_in import BUSY, StandIn

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
    assert document["neighbours"]["waits"] or document["neighbours"]["gaps"]
    unjudged = {one["id"] for one in document["not_checked"]}
    assert "diag.net.softnet" in unjudged
    assert unjudged < {one.id for one in patterns()}


def test_who_takes_whose_cpu_is_told_of_this_host_with_names_that_steer_no_terminal(
    capsys: pytest.CaptureFixture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    cpu = {max(os.sched_getaffinity(0))}
    with StandIn(BUSY, name="one\x1b[2J\n", cpus=cpu), StandIn(BUSY, name="other", cpus=cpu):
        main(["diagnose", "--root", "/", "--seconds", "1"])
        printed = " ".join(capsys.readouterr().out.split())
        main(["diagnose", "--root", "/", "--seconds", "1", "--json"])
        document = json.loads(capsys.readouterr().out)
    jsonschema.validate(document, json.loads((REPO / "docs/schemas/diagnose.json").read_text()))
    waits = {(one["guest"], one["name"]) for one in document["neighbours"]["waits"] if one["culprit"] == "guest"}
    assert ("other", "one\x1b[2J\n") in waits
    assert "Who takes whose CPU (seconds of run delay per second)" in printed
    assert re.search(r"one\ufffd\[2J\ufffd waits \d\.\d\d: ", printed)
    assert "\x1b" not in printed
    assert re.search(r"\d+% of all waits could be given to nobody", printed)


def test_where_the_series_do_not_tell_who_takes_whose_cpu_what_is_missing_is_said(
    capsys: pytest.CaptureFixture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare = tmp_path / "bare"
    for folder in ("series", "sys", "proc"):
        (bare / folder).mkdir(parents=True)
    waited = Frame(1.0, {Series("host_cpu_busy_seconds_total", "", 0): 0.5})
    recorded = recorded_from([waited, waited], {}, note="recorded here", made_at="2026-01-02", period=1.0)
    (bare / "series/threads.jsonl").write_text(write_series(recorded))
    monkeypatch.setenv("KVMNB_TICK", "0.05")
    main(["diagnose", "--root", str(bare), "--seconds", "1"])
    assert "not known: these series are not there: kvm_vcpu_run_seconds_total, " in " ".join(
        capsys.readouterr().out.split()
    )


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
