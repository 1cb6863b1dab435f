"""``kvmnb watch`` on the demo host, whose series are recorded."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from kvmnb.cli import main

SCHEMA = Path(__file__).parents[2] / "docs/schemas/watch.json"


def test_each_line_is_a_document_as_its_schema_says_and_names_the_guests(
    capsys: pytest.CaptureFixture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert main(["watch", "--demo", "--interval", "0.1", "--seconds", "1"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    jsonschema.validate(lines[0], json.loads(SCHEMA.read_text()))
    assert len(lines) > 1
    assert "build01" in {one["guest"] for one in lines[0]["values"]}


@pytest.mark.parametrize(("option", "value"), [("--seconds", "0"), ("--seconds", "nan"), ("--interval", "-1")])
def test_a_time_that_is_none_is_refused(option: str, value: str, capsys: pytest.CaptureFixture) -> None:
    assert main(["watch", "--demo", f"{option}={value}"]) == 2
    assert value in capsys.readouterr().err
