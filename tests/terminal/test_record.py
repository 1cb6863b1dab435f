"""``kvmnb record`` and ``kvmnb diff`` from a shell."""

from __future__ import annotations

import json
from pathlib import Path

from tests.small_host import write_guest, write_host
from tests.terminal.calling import kvmnb


def test_a_machine_is_recorded_and_read_back(tmp_path: Path) -> None:
    host = write_host(tmp_path / "host")
    write_guest(host, "payroll")
    out = tmp_path / "out.tar.zst"
    done = kvmnb("record", str(out), "--recorded", str(host), "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["schema"] == "kvmnb.record/1" and document["files"] > 40 and document["dropped"] == []
    facts = json.loads(kvmnb("facts", "--recorded", str(out), "--json").stdout)
    assert len(facts["host"]["cpus"]) == 4 and len(facts["domains"]) == 1
    assert "payroll" not in json.dumps(facts)


def test_a_recording_is_never_written_over(tmp_path: Path) -> None:
    host = write_host(tmp_path / "host")
    done = kvmnb("record", str(host), "--recorded", str(host))
    assert done.returncode == 2 and "already" in done.stderr and "Traceback" not in done.stderr


def test_diff_leaves_with_one_where_recordings_differ(tmp_path: Path) -> None:
    host = write_host(tmp_path / "host")
    state = {"XDG_STATE_HOME": str(tmp_path / "state")}
    assert kvmnb("record", str(tmp_path / "a"), "--recorded", str(host), **state).returncode == 0
    (host / "sys/devices/system/cpu/isolated").write_text("2\n")
    assert kvmnb("record", str(tmp_path / "b"), "--recorded", str(host), **state).returncode == 0
    same = kvmnb("diff", str(tmp_path / "a"), str(tmp_path / "a"))
    assert (same.returncode, same.stdout) == (0, "No difference in facts, guests and findings.\n")
    done = kvmnb("diff", str(tmp_path / "a"), str(tmp_path / "b"))
    assert done.returncode == 1 and "~ host.isolated: (empty) -> 2" in done.stdout
    document = json.loads(kvmnb("diff", str(tmp_path / "a"), str(tmp_path / "b"), "--json").stdout)
    assert document["schema"] == "kvmnb.diff/1" and document["differs"] is True
    assert [change["fact"] for change in document["facts"]] == ["host.isolated"]


def test_what_is_no_recording_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "x.tar.zst").write_bytes(b"no archive at all")
    for name in ("x.tar.zst", "not-there"):
        done = kvmnb("diff", str(tmp_path / name), str(tmp_path / name))
        assert done.returncode == 2 and done.stderr.count("\n") == 1 and "Traceback" not in done.stderr
