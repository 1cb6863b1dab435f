"""``kvmnb top``: for a person at a terminal, for a pipe, and for scripts."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

import jsonschema
import pytest

from kvmnb.measure.series import Frame, Series
from kvmnb.measure.usage import Usages
from kvmnb.terminal import screen
from tests.terminal.calling import called, refused

SCHEMA = Path(__file__).parents[2] / "docs/schemas/top.json"
RUNNING = {"build01", "cache01", "db01", "mail01", "router01", "web01", "win10"}


@pytest.fixture(autouse=True)
def scratch(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))


def test_json_is_one_document_as_its_schema_says_with_the_busiest_guest_first() -> None:
    done = called("top", "--demo", "--json", "--interval", "0.1", "--seconds", "0.5")
    found = json.loads(done.stdout)
    jsonschema.validate(found, json.loads(SCHEMA.read_text()))
    assert done.returncode == 0
    assert {one["name"] for one in found["guests"]} == RUNNING
    spent = [one["cpu_seconds_per_second"] for one in found["guests"]]
    assert spent == sorted(spent, reverse=True)


def test_once_prints_one_plain_table() -> None:
    done = called("top", "--demo", "--once", "--sort", "name", "--interval", "0.1", "--seconds", "0.5")
    head, titles, *rows = done.stdout.splitlines()
    assert " 7 guests, by name  Demo host: " in head
    assert titles.split()[:3] == ["guest", "CPU", "waits"]
    assert [row.split()[0] for row in rows] == sorted(RUNNING)
    assert "\x1b" not in done.stdout


def test_a_pipe_gets_table_after_table_without_escapes() -> None:
    done = called("top", "--demo", "--interval", "0.1", "--seconds", "0.5")
    assert done.stdout.count("7 guests, by cpu") >= 2
    assert "\x1b" not in done.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--sort", "cup"), "cannot be sorted by 'cup'; did you mean cpu?"),
        (("--seconds", "0"), "--seconds takes a time above 0, and not 0"),
        (("--interval", "-1"), "a sampling period of -1.0 s cannot be kept"),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_sentence(arguments: tuple[str, ...], words: str) -> None:
    refused(called("top", "--demo", *arguments), words)


def test_a_hostile_name_neither_steers_the_terminal_nor_breaks_the_table() -> None:
    usages = Usages({"a": "\x1b[2Jevil\nname" + "x" * 60})
    usages.take(Frame(1.0, {Series("kvm_vcpu_run_seconds_total", "a", 0): 0.5}, period=1.0))
    *_, row = screen.lines(usages, "cpu", "a host", 200, 24)
    assert row.startswith("\N{REPLACEMENT CHARACTER}[2Jevil\N{REPLACEMENT CHARACTER}namexx")
    assert row[27:].split()[:3] == ["…", "50", "%"]


def test_a_small_terminal_gets_the_columns_and_rows_that_fit_and_the_count_of_the_rest() -> None:
    usages = Usages({})
    values = {Series("kvm_vcpu_run_seconds_total", f"guest{number:02}", 0): 1.0 for number in range(30)}
    usages.take(Frame(1.0, values, period=1.0))
    shown = screen.lines(usages, "cpu", "a host with a long title", 40, 10)
    assert len(shown) == 9
    assert shown[-1] == "… 24 more"
    assert max(map(len, shown)) <= 40
    assert shown[1].split() == ["guest", "CPU", "waits"]


class Terminal:
    """A terminal of 120 columns and 20 lines, with the verb in it."""

    def __init__(self, *arguments: str, **environment: str) -> None:
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 20, 120, 0, 0))
        self.before = termios.tcgetattr(theirs)
        self._theirs = theirs
        self.process = subprocess.Popen(
            [sys.executable, "-m", "kvmnb.cli", "top", "--demo", "--interval", "0.1", *arguments],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env={**os.environ, "TERM": "xterm"} | environment,
        )
        self.said = ""

    def read_until(self, words: str) -> None:
        deadline = time.monotonic() + 60
        while words not in self.said:
            assert time.monotonic() < deadline, self.said[-2000:]
            if select.select([self._ours], [], [], 1)[0]:
                self.said += os.read(self._ours, 65536).decode(errors="replace")

    def press(self, key: str) -> None:
        self.said = ""
        os.write(self._ours, key.encode())

    def left_as_it_was(self) -> bool:
        return termios.tcgetattr(self._theirs)[3] == self.before[3]

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(30)
        os.close(self._ours)
        os.close(self._theirs)


def test_in_a_terminal_keys_sort_and_q_ends_and_the_terminal_is_put_back() -> None:
    terminal = Terminal()
    try:
        terminal.read_until("7 guests, by cpu")
        terminal.read_until("\x1b[1;4mCPU\x1b[0m")
        terminal.press("w")
        terminal.read_until("7 guests, by delay")
        terminal.read_until("\x1b[1;4mwaits\x1b[0m")
        assert not terminal.left_as_it_was()
        terminal.press("q")
        assert terminal.process.wait(30) == 0
        assert terminal.left_as_it_was()
    finally:
        terminal.close()


def test_no_color_is_kept_and_a_program_that_ends_it_leaves_the_terminal_as_it_was() -> None:
    terminal = Terminal(NO_COLOR="1")
    try:
        terminal.read_until("7 guests, by cpu")
        assert "\x1b[1;4m" not in terminal.said
        terminal.process.terminate()
        assert terminal.process.wait(30) == 143
        assert terminal.left_as_it_was()
    finally:
        terminal.close()
