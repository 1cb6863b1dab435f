"""The generated references are what the code says now, and documents fit their schemas."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from tests.terminal.calling import called
from tools.facts_reference import undocumented
from tools.write_reference import DOCS, references


def test_the_references_are_up_to_date() -> None:
    texts = references()
    stale = [name for name, text in texts.items() if not (DOCS / name).is_file() or (DOCS / name).read_text() != text]
    assert stale == [], "run `python -m tools.write_reference`"
    present = {f"{folder}/{path.name}" for folder in ("schemas", "rules") for path in (DOCS / folder).iterdir()}
    assert present == {name for name in texts if "/" in name}


def test_every_fact_says_what_it_means() -> None:
    assert undocumented() == []


@pytest.mark.parametrize(
    ("verb", "arguments"),
    [
        ("facts", ["facts", "--demo", "--json"]),
        ("audit", ["audit", "--demo", "--json"]),
        ("rules", ["rules", "--json"]),
        ("rule", ["rule", "cpu.pin.vcpu", "--json"]),
        ("plan", ["plan", "--demo", "--all", "--json"]),
        ("journal", ["journal", "list", "--json"]),
        ("diff", ["diff", "kvmnb/demo/host", "kvmnb/demo/host", "--json"]),
    ],
)
def test_a_document_fits_its_published_schema(verb: str, arguments: list[str]) -> None:
    document = json.loads(called(*arguments).stdout)
    schema = json.loads((DOCS / f"schemas/{verb}.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(document)
    assert document["schema"] == f"kvmnb.{verb}/1"


def test_a_verification_fits_its_published_schema(tmp_path: Path) -> None:
    plan = tmp_path / "plan.json"
    called("plan", "--demo", "--all", "--out", str(plan))
    document = json.loads(called("verify", str(plan), "--json").stdout)
    jsonschema.validate(document, json.loads((DOCS / "schemas/verify.json").read_text()))
