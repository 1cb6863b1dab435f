"""Notebooks are run against both kinds of host, and the lab is taken down whatever happens."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.house.conftest import REPO

LAB = """
import os, pathlib, signal, sys, time
def down(*_):
    pathlib.Path("down").touch()
    sys.exit(0)
signal.signal(signal.SIGTERM, down)
print({first!r}, flush=True)
pathlib.Path("up").write_text(str(os.getpid()))
time.sleep(60)
"""


def folder_with(
    tmp_path: Path, cell: str, output: str, first: str = "KVMNB_HOST=qemu+unix:///system?socket=/x"
) -> Path:
    """A repository with one notebook and a lab that only says it is up."""
    (tmp_path / "tools").mkdir()
    shutil.copy(REPO / "tools/run_notebooks.py", tmp_path / "tools")
    (tmp_path / "tests/lab").mkdir(parents=True)
    (tmp_path / "tests/lab/__main__.py").write_text(LAB.format(first=first))
    (tmp_path / "tests/notebooks").mkdir()
    (tmp_path / "tests/notebooks/sanitize.cfg").write_text("")
    stream = {"output_type": "stream", "name": "stdout", "text": output}
    code = {
        "cell_type": "code",
        "id": "a",
        "metadata": {},
        "source": cell,
        "outputs": [stream],
        "execution_count": 1,
    }
    notebook = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [code]}
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks/00-start.ipynb").write_text(json.dumps(notebook))
    return tmp_path


def start(folder: Path, *modes: str) -> subprocess.Popen[str]:
    command = [sys.executable, "tools/run_notebooks.py", *modes, "--workers", "1"]
    return subprocess.Popen(command, cwd=folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def is_gone(folder: Path) -> bool:
    return not os.path.exists(f"/proc/{(folder / 'up').read_text()}")


def test_strict_compares_with_the_committed_output_and_lax_does_not(tmp_path: Path) -> None:
    cell = "import os; print(os.environ['KVMNB_HOST'])"
    folder = folder_with(tmp_path, cell, "demo\n")
    process = start(folder, "strict", "lax")
    said, _ = process.communicate(timeout=180)
    assert process.returncode == 0, said
    assert said.count("1 passed in") == 2
    assert (folder / "down").exists()
    assert is_gone(folder)


def test_another_output_than_the_committed_one_fails(tmp_path: Path) -> None:
    process = start(folder_with(tmp_path, "print('now')", "then\n"), "strict")
    said, _ = process.communicate(timeout=180)
    assert process.returncode == 1, said


def test_a_failing_notebook_takes_the_lab_down(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, "1 / 0", "")
    process = start(folder, "lax")
    said, _ = process.communicate(timeout=180)
    assert process.returncode == 1, said
    assert (folder / "down").exists()
    assert is_gone(folder)


def test_a_run_that_is_ended_takes_the_lab_down(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, "import time; time.sleep(60)", "")
    process = start(folder, "lax")
    deadline = time.monotonic() + 20
    while not (folder / "up").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.5)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert process.returncode == 143
    assert (folder / "down").exists()
    assert is_gone(folder)


@pytest.mark.parametrize("first", ["Traceback", "KVMNB_URI=x"])
def test_a_lab_that_says_something_else_is_an_error_in_words(tmp_path: Path, first: str) -> None:
    folder = folder_with(tmp_path, "1", "", first)
    process = start(folder, "lax")
    said, _ = process.communicate(timeout=180)
    assert process.returncode == 1
    assert f"The lab's first line should be KVMNB_HOST=URI; it was: {first}" in said
    assert is_gone(folder)
