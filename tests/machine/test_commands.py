"""Programs run as argument lists, end in time, and answer from a recording as they did live."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from kvmnb.core.errors import NotAnswered
from kvmnb.machine.commands import INDEX, Answer, Late, LocalCommands, RecordedCommands, RememberedCommands, as_files
from kvmnb.machine.files import ReadOnlyFiles

LOCAL = LocalCommands()


def python(code: str, timeout: float = 10) -> Answer:
    return LOCAL.run((sys.executable, "-c", code), timeout)


def recorded(folder: Path, files: dict[str, str]) -> RecordedCommands:
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return RecordedCommands(ReadOnlyFiles(folder))


def test_an_argument_is_never_read_by_a_shell() -> None:
    assert LOCAL.run(("printf", "%s", "$(id); `id` | > '"), 5) == Answer(0, "$(id); `id` | > '", "")


def test_both_streams_and_the_code_are_told() -> None:
    answer = python("import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)")
    assert answer == Answer(3, "out\n", "err\n")


def test_a_program_gets_a_bare_environment_no_input_and_a_session_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "1")
    monkeypatch.setenv("PATH", f"bin:.:{os.environ['PATH']}")
    answer = python(
        "import os, sys; print(sorted(os.environ), os.environ['LC_ALL'], sys.stdin.read() == '', os.getcwd(),"
        " os.getsid(0) == os.getpid(), all(p.startswith('/') for p in os.environ['PATH'].split(':')))"
    )
    assert answer.stdout == "['LC_ALL', 'PATH'] C True / True True\n"


def test_a_program_that_is_late_is_ended_with_its_children(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    began = time.monotonic()
    with pytest.raises(Late, match=r"did not end within 0\.7 seconds"):
        LOCAL.run(("sh", "-c", f"sleep 60 & echo $! $$ > {pids}; wait"), 0.7)
    assert time.monotonic() - began < 5
    for pid in pids.read_text().split():
        deadline = time.monotonic() + 5
        # A child whose parent died may wait for the system to reap it.
        while _alive(int(pid)) and time.monotonic() < deadline:
            time.sleep(0.02)
        assert not _alive(int(pid))


def test_a_child_that_keeps_the_output_open_does_not_outlive_the_limit(tmp_path: Path) -> None:
    with pytest.raises(Late):
        LOCAL.run(("sh", "-c", f"sleep 60 & echo $! > {tmp_path}/pid"), 0.7)
    deadline = time.monotonic() + 5
    while _alive(int((tmp_path / "pid").read_text())) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not _alive(int((tmp_path / "pid").read_text()))


def test_endless_output_is_stopped() -> None:
    with pytest.raises(NotAnswered, match="more than 8 MiB"):
        LOCAL.run(("yes",), 20)


def test_no_process_is_left_behind() -> None:
    python("pass")
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (("no-such-program-here",), "not installed"),
        (("/",), "cannot be started"),
        (("printf", "a\0b"), "cannot be started"),
        (("printf", "\ud800"), "cannot be started"),
    ],
)
def test_what_cannot_be_started_is_not_answered(argv: tuple[str, ...], words: str) -> None:
    with pytest.raises(NotAnswered, match=words):
        LOCAL.run(argv, 5)


def test_bytes_that_are_no_text_are_replaced() -> None:
    assert python(r"import sys; sys.stdout.buffer.write(b'a\xff')").stdout == "a\ufffd"


class Counting:
    """Answers with the number of times that it was asked."""

    def __init__(self) -> None:
        self.asked = 0

    def run(self, argv: Sequence[str], timeout: float) -> Answer:
        self.asked += 1
        if argv[0] == "late":
            raise Late("late")
        return Answer(0, str(self.asked), "")


def test_a_question_is_asked_once() -> None:
    source = Counting()
    commands = RememberedCommands(source)
    assert [commands.run(("a", name), 1).stdout for name in ("x", "y", "x")] == ["1", "2", "1"]
    for _ in range(2):
        with pytest.raises(Late):
            commands.run(("late",), 1)
    assert source.asked == 3
    assert set(commands.answers) == {("a", "x"), ("a", "y")}


def test_a_recording_answers_as_the_program_did(tmp_path: Path) -> None:
    live = RememberedCommands(LOCAL)
    questions = [("printf", "%s", '{"a": 1}'), ("printf", "it's\nhere"), ("sh", "-c", "echo no >&2; exit 4")]
    answers = [live.run(argv, 5) for argv in questions]
    files = as_files(live.answers)
    assert sorted(files) == [
        "commands/index.json",
        "commands/printf-1.json",
        "commands/printf-2.txt",
        "commands/sh-3.txt",
    ]
    again = recorded(tmp_path, files)
    assert [again.run(argv, 5) for argv in questions] == answers


def test_a_recording_refuses_what_it_does_not_hold(tmp_path: Path) -> None:
    with pytest.raises(NotAnswered, match="not recorded"):
        recorded(tmp_path, {}).run(("id",), 5)
    with pytest.raises(NotAnswered, match="not recorded"):
        recorded(tmp_path, as_files({("id", "-u"): Answer(0, "0", "")})).run(("id",), 5)


@pytest.mark.parametrize(
    "index",
    [
        "",
        "{",
        "[]",
        '{"schema": "kvmnb.commands/1"}',
        '{"schema": "other", "answers": []}',
        '{"schema": "kvmnb.commands/1", "answers": [{"argv": ["id"], "code": "0", "stdout": "a.txt", "stderr": ""}]}',
        "[" * 100_000,
    ],
)
def test_a_broken_index_is_not_answered(tmp_path: Path, index: str) -> None:
    with pytest.raises(NotAnswered, match=r"commands/index\.json"):
        recorded(tmp_path, {INDEX: index}).run(("id",), 5)


@pytest.mark.parametrize("name", ["../secret.txt", "/etc/passwd", "index.json/../a.txt", "..", "a", "missing-1.txt"])
def test_an_index_names_only_files_of_its_folder(tmp_path: Path, name: str) -> None:
    (tmp_path / "secret.txt").write_text("secret")
    line = {"argv": ["id"], "code": 0, "stdout": name, "stderr": ""}
    source = recorded(tmp_path, {INDEX: json.dumps({"schema": "kvmnb.commands/1", "answers": [line]})})
    with pytest.raises(NotAnswered, match=r"no file of its folder|cannot be read"):
        source.run(("id",), 5)


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
