"""The command line, called in this process or in one of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from subprocess import CompletedProcess

from kvmnb.cli import main


def called(*arguments: str) -> CompletedProcess[str]:
    """What the verb printed, and its exit code; quicker than a process of its own, and a traceback is raised."""
    out, err = StringIO(), StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        try:
            code = main(arguments)
        except SystemExit as end:
            code = int(end.code or 0)
    return CompletedProcess(arguments, code, out.getvalue(), err.getvalue())


def kvmnb(*arguments: str, **environment: str) -> CompletedProcess[str]:
    """Run the command line in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "kvmnb.cli", *arguments],
        env=os.environ | {"NO_COLOR": "1"} | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def refused(done: CompletedProcess[str], *words: str, code: int = 2) -> None:
    """One sentence on stderr with these words, no traceback, and the exit code."""
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    for word in words:
        assert word in done.stderr
