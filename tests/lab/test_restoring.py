from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.lab.restoring import restoring

REPO = Path(__file__).parents[2]


def test_files_are_restored_after_an_exception_and_one_that_refuses_is_named(tmp_path: Path) -> None:
    plain, choice = tmp_path / "plain", tmp_path / "choice"
    plain.write_text("0\n")
    choice.write_text("[none]\n")

    def change_and_fail() -> None:
        with restoring(plain, choice):
            plain.write_text("1\n")
            choice.write_text("[kyber]\n")
            raise ValueError("in the block")

    with pytest.raises(RuntimeError, match=r"Not restored: .*choice: was '\[none\]', is 'none'"):
        change_and_fail()
    assert plain.read_text() == "0\n"
    # A plain file does not bracket what is written; the kernel's files do.
    assert choice.read_text() == "none"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_files_are_restored_when_a_signal_ends_the_process(tmp_path: Path, number: signal.Signals) -> None:
    file = tmp_path / "setting"
    file.write_text("before\n")
    script = (
        # A shell starts what runs in its background with SIGINT ignored.
        "import signal, sys, time\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from pathlib import Path\nfrom tests.lab.restoring import restoring\n"
        "with restoring(sys.argv[1]):\n"
        "    Path(sys.argv[1]).write_text('changed')\n    print('changed', flush=True)\n    time.sleep(60)\n"
    )
    command = [sys.executable, "-c", script, str(file)]
    with subprocess.Popen(command, cwd=REPO, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as child:
        assert child.stdout
        assert child.stdout.readline() == "changed\n"
        assert file.read_text() == "changed"
        child.send_signal(number)
        assert child.wait(10) != 0
    deadline = time.monotonic() + 5
    while file.read_text() != "before\n" and time.monotonic() < deadline:
        time.sleep(0.01)
    assert file.read_text() == "before\n"
