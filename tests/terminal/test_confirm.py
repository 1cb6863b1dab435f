"""A guarded plan in the terminal: ``apply`` waits, and its exit code tells what became of it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.terminal.calling import kvmnb, refused


@pytest.fixture
def state(tmp_path: Path) -> str:
    return str(tmp_path / "state")


@pytest.fixture
def plan(tmp_path: Path, state: str) -> str:
    """A host setting of the demo host, live and lasting."""
    path = tmp_path / "plan.json"
    done = kvmnb("plan", "--demo", "--rule", "numa.zone_reclaim", "--out", str(path), XDG_STATE_HOME=state)
    assert done.returncode == 0, done.stderr
    assert json.loads(path.read_text())["changes"]
    return str(path)


def applying(plan: str, seconds: int, state: str) -> tuple[subprocess.Popen[str], str]:
    """``kvmnb apply`` as it waits, and the id of its journal."""
    process = subprocess.Popen(
        [sys.executable, "-m", "kvmnb.cli", "apply", plan, "--confirm-within", str(seconds), "--accept-disruptive"],
        env=os.environ | {"XDG_STATE_HOME": state},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    for line in process.stdout:
        found = re.search(r"kvmnb confirm (\S+)", line)
        if found:
            return process, found[1]
    raise AssertionError(f"apply ended with {process.wait()} and asked for no confirmation")


def test_apply_waits_and_ends_with_0_once_it_is_confirmed_elsewhere(plan: str, state: str) -> None:
    refused(kvmnb("apply", plan, "--confirm-within", "1", XDG_STATE_HOME=state), "5 to 3600 seconds")
    process, journal = applying(plan, 300, state)
    confirmed = kvmnb("confirm", journal, XDG_STATE_HOME=state)
    assert (confirmed.returncode, process.wait(60)) == (0, 0), confirmed.stderr


def test_apply_ends_with_1_where_nobody_confirmed(plan: str, state: str) -> None:
    process, journal = applying(plan, 5, state)
    assert process.wait(90) == 1
    refused(kvmnb("confirm", journal, XDG_STATE_HOME=state), "it is reverted", code=1)
