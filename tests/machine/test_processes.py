from __future__ import annotations

from pathlib import Path

import pytest

from kvmnb.machine.files import Files
from kvmnb.machine.processes import Names


def test_the_name_of_an_old_process_is_read_again_only_now_and_then_and_a_young_ones_each_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    monkeypatch.setattr("kvmnb.machine.processes.time.monotonic", lambda: now[0])

    def process(pid: int, name: str) -> None:
        (tmp_path / f"proc/{pid}").mkdir(parents=True, exist_ok=True)
        (tmp_path / f"proc/{pid}/comm").write_text(f"{name}\n")

    names, files = Names(), Files(tmp_path)
    process(1, "init")
    process(7, "rpc-worker")
    assert names.read(files) == {"1": "init", "7": "rpc-worker"}
    process(7, "qemu-system-x86")
    now[0] += 2
    assert names.read(files)["7"] == "qemu-system-x86"
    now[0] += Names.YOUNG_SECONDS
    process(1, "other")
    process(9, "qemu-kvm")
    assert names.read(files) == {"1": "init", "7": "qemu-system-x86", "9": "qemu-kvm"}
    now[0] += Names.ANEW_SECONDS
    assert names.read(files)["1"] == "other"
