"""The command line keeps its promises on the demo host."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kvmnb.advise.registry import rules
from tests.terminal.calling import kvmnb

REPO = Path(__file__).resolve().parents[2]


def test_audit_lists_each_finding_with_all_that_a_script_needs() -> None:
    done = kvmnb("audit", "--demo", "--json")
    assert done.returncode == 1
    document = json.loads(done.stdout)
    assert document["schema"] == "kvmnb.audit/1"
    assert len(document["findings"]) >= 8
    for finding in document["findings"]:
        assert {"id", "subject", "severity", "title", "saw", "safety", "when", "wants", "sources"} <= finding.keys()
        assert finding["sources"]
    ranks = ["critical", "high", "medium", "low", "info"]
    order = [ranks.index(finding["severity"]) for finding in document["findings"]]
    assert order == sorted(order)


@pytest.mark.parametrize("goal", ["balanced", "throughput", "latency", "density"])
def test_no_plan_for_all_gives_a_cpu_to_two_dedicated_vcpus(goal: str) -> None:
    done = kvmnb("plan", "--demo", "--all", "--goal", goal, "--json")
    assert done.returncode == 0, done.stderr
    changes = json.loads(done.stdout)["changes"]
    pins = [one for one in changes if "/vcpupin[" in one["tunable"] and one["tunable"].startswith("domain_xml")]
    single = [one["after"] for one in pins if one["after"] and one["after"].isdigit()]
    assert len(single) == len(set(single))
    assert changes


def test_a_plan_is_applied_verified_and_undone_in_processes_of_their_own(tmp_path: Path) -> None:
    state = {"XDG_STATE_HOME": str(tmp_path / "state")}
    plan = tmp_path / "plan.json"
    assert kvmnb("facts", "--demo", **state).returncode == 0
    host = tmp_path / "state/kvmnb/demo-host"
    before = {path: path.read_bytes() for path in host.rglob("*") if path.is_file() and path.name != "live.xml"}
    assert kvmnb("plan", "--demo", "--all", "--out", str(plan), **state).returncode == 0
    assert kvmnb("verify", str(plan), **state).returncode == 1
    applied = kvmnb("apply", str(plan), "--accept-disruptive", **state)
    assert applied.returncode == 0, applied.stderr
    journal = applied.stdout.split()[1]
    assert kvmnb("verify", str(plan), **state).returncode == 0
    assert kvmnb("verify", journal, "--json", **state).returncode == 0
    assert "Nothing to change" in kvmnb("plan", "--demo", "--all", **state).stdout
    assert journal in kvmnb("journal", "list", **state).stdout
    assert "written" in kvmnb("journal", "show", journal, **state).stdout
    assert kvmnb("journal", "verify", **state).returncode == 0
    undone = kvmnb("undo", "last", **state)
    assert undone.returncode == 0, undone.stderr
    assert {path: path.read_bytes() for path in before} == before
    assert kvmnb("undo", "last", **state).returncode == 2


def test_the_catalogue_is_listed_and_each_rule_explained_in_three_formats() -> None:
    listed = json.loads(kvmnb("rules", "--json").stdout)["rules"]
    assert [one["id"] for one in listed] == [one.id for one in rules()]
    for one in listed:
        assert (REPO / one["file"]).is_file()
    first = listed[0]["id"]
    assert "Why it hurts" in kvmnb("rule", first).stdout
    assert "## Why it hurts" in kvmnb("rule", first, "--format", "md").stdout
    assert "<h2>Why it hurts</h2>" in kvmnb("rule", first, "--format", "html").stdout


def test_edited_xml_is_written_also_where_nothing_changes(tmp_path: Path) -> None:
    source = tmp_path / "guest.xml"
    lines = ["<?xml version='1.0'?>", '<domain type="kvm">', "  <name>x</name><memory>1024</memory>", "</domain>", ""]
    raw = "\r\n".join(lines).encode()
    source.write_bytes(raw)
    out = tmp_path / "out.xml"
    arguments = ["--demo", "--domain-xml", str(source), "--rule", "cpu.pin.overlap", "--out-xml", str(out)]
    done = kvmnb("plan", *arguments)
    assert done.returncode == 0, done.stderr
    assert out.read_bytes() == raw


def test_notebooks_are_copied_where_absent_and_an_edited_one_is_kept(tmp_path: Path) -> None:
    folder = tmp_path / "notebooks"
    folder.mkdir()
    (folder / "10-cpu.ipynb").write_text("mine")
    done = kvmnb("lab", str(folder), "--copy-only")
    assert done.returncode == 0, done.stderr
    assert (folder / "00-start.ipynb").read_bytes() == (REPO / "notebooks/00-start.ipynb").read_bytes()
    assert (folder / "10-cpu.ipynb").read_text() == "mine"
    assert kvmnb("lab", str(folder), "--copy-only").stdout == ""
