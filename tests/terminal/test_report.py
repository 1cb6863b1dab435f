"""``kvmnb report`` from a shell."""

from __future__ import annotations

import json
from pathlib import Path

from tests.small_host import write_guest, write_host
from tests.terminal.calling import called, refused


def test_a_report_is_written_and_said_to_be(tmp_path: Path) -> None:
    host = write_host(tmp_path / "host")
    write_guest(host, "payroll")
    out = tmp_path / "out.html"
    done = called("report", str(out), "--recorded", str(host), "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["schema"] == "kvmnb.report/1" and document["path"] == str(out) and not document["names"]
    assert document["bytes"] == out.stat().st_size and "Findings" in document["sections"]
    assert "payroll" not in out.read_text()
    said = called("report", str(out), "--recorded", str(host), "--names")
    assert said.returncode == 0 and "The names of guests" in said.stdout
    assert "payroll" in out.read_text()


def test_a_host_without_guests_and_a_bare_tree_have_a_report_too(tmp_path: Path) -> None:
    host = write_host(tmp_path / "host")
    for source in ("--recorded", "--root"):
        done = called("report", str(tmp_path / f"{source}.html"), source, str(host))
        assert done.returncode == 0, done.stderr
        assert "There are no series of this machine" in (tmp_path / f"{source}.html").read_text()


def test_what_cannot_be_written_or_compared_is_one_sentence(tmp_path: Path) -> None:
    host = write_host(tmp_path / "host")
    (tmp_path / "out.html").write_text("mine")
    refused(called("report", str(tmp_path / "out.html"), "--recorded", str(host)), "no report of kvmnb")
    refused(called("report", str(tmp_path / "a.html"), "--recorded", str(host), "--since", "/not/there"), "/not/there")
    refused(called("report", "/proc/no/a.html", "--recorded", str(host)), "/proc/no/a.html")
    refused(called("report", str(tmp_path / "a.html"), "--recorded", str(host), "--seconds", "-1"), "0 to 3600 s")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["host", "out.html"]
