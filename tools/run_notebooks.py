"""Run every notebook as a test: strictly on the demo host, laxly on a live libvirt with a small guest.

Strict compares each output with the committed one; lax asks only that no cell fails. The live libvirt is the
tests' own (`python -m tests.lab up`); it is taken down again whatever happens. Both run at the same time.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType
from typing import IO

REPO = Path(__file__).resolve().parent.parent
SANITIZE = REPO / "tests" / "notebooks" / "sanitize.cfg"
STRICT = ["--nbval", "--nbval-sanitize-with", str(SANITIZE)]
LAX = ["--nbval-lax"]
LAB_UP_SECONDS = 180.0
LAB_DOWN_SECONDS = 60.0


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("modes", nargs="*", default=["strict"], help="strict, lax or both")
    parser.add_argument("--workers", type=int, default=2, help="notebooks that run at a time")
    parser.add_argument("--notebook", action="append", help="only this one; may be given again")
    chosen = parser.parse_args(argv)
    if unknown := set(chosen.modes) - {"strict", "lax"}:
        parser.error(f"no such mode: {', '.join(sorted(unknown))}; say strict, lax or both")
    notebooks = chosen.notebook or [str(path) for path in sorted((REPO / "notebooks").glob("*.ipynb"))]
    if not notebooks:
        print("There is no notebook in notebooks/.", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, end_orderly)
    with ExitStack() as stack:
        runs = []
        # Side by side: kernels that wait for a tick or for their end leave the CPUs to the others.
        if "strict" in chosen.modes:
            runs.append(
                stack.enter_context(running("strict on the demo host", notebooks, chosen.workers, STRICT, "demo"))
            )
        if "lax" in chosen.modes:
            uri = stack.enter_context(lab())
            runs.append(stack.enter_context(running("lax on the live libvirt", notebooks, chosen.workers, LAX, uri)))
        return max([run.told() for run in runs])


class Run:
    """Notebooks that run against one host."""

    def __init__(self, title: str, pytest: subprocess.Popen[bytes], words: IO[bytes]) -> None:
        self._title = title
        self._pytest = pytest
        self._words = words

    def told(self) -> int:
        """Wait for its end, print what it said, and return pytest's exit code."""
        code = self._pytest.wait()
        self._words.seek(0)
        print(f"{self._title}:\n{self._words.read().decode(errors='replace')}", flush=True)
        return code


@contextmanager
def running(title: str, notebooks: list[str], workers: int, how: list[str], host: str) -> Iterator[Run]:
    """Run the notebooks against one host in a state folder of their own."""
    print(f"{title}: {len(notebooks)} notebooks", flush=True)
    with tempfile.TemporaryDirectory(prefix="kvmnb-notebooks.") as scratch, tempfile.TemporaryFile() as words:
        folders = {name: f"{scratch}/{name}" for name in ("XDG_STATE_HOME", "XDG_CONFIG_HOME", "IPYTHONDIR")}
        # One worker keeps a whole notebook: its cells share a kernel.
        # One at a time needs no worker beside pytest itself, which takes seconds to start.
        beside = str(workers) if workers > 1 else "0"
        command = [sys.executable, "-m", "pytest", "-q", "-n", beside, "--dist", "loadfile", "-p", "no:cacheprovider"]
        command += [*how, "--nbval-current-env", "--nbval-cell-timeout=120", *notebooks]
        environment = {"KVMNB_TICK": "0.2", **os.environ, **folders, "KVMNB_HOST": host}
        pytest = subprocess.Popen(command, cwd=REPO, env=environment, stdout=words, stderr=subprocess.STDOUT)
        try:
            yield Run(title, pytest, words)
        finally:
            end(pytest, 10.0)


@contextmanager
def lab() -> Iterator[str]:
    """Start a libvirtd of its own with one running guest, and give its URI."""
    with tempfile.TemporaryFile("w+") as words:
        # In a session of its own: a Ctrl-C at the terminal must not reach it before it can be taken down.
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.lab", "up", "--guests", "1"],
            cwd=REPO,
            stdin=subprocess.DEVNULL,
            stdout=words,
            start_new_session=True,
        )
        try:
            deadline = time.monotonic() + LAB_UP_SECONDS
            while "\n" not in (line := read_first_line(words.fileno())):
                if process.poll() is not None:
                    raise SystemExit(f"The lab for notebooks ended at once, with code {process.returncode}.")
                if time.monotonic() > deadline:
                    raise SystemExit(f"The lab for live notebooks was not up within {LAB_UP_SECONDS:.0f} s.")
                time.sleep(0.1)
            name, _, uri = line.strip().partition("=")
            if name != "KVMNB_HOST":
                raise SystemExit(f"The lab's first line should be KVMNB_HOST=URI; it was: {line.strip()}")
            yield uri
        finally:
            end(process, LAB_DOWN_SECONDS)


def read_first_line(descriptor: int) -> str:
    """The first line of a file that another process writes, with its newline once that is there."""
    text = os.pread(descriptor, 4096, 0).decode(errors="replace")
    return "".join(text.partition("\n")[:2])


def end(process: subprocess.Popen[bytes], patience_seconds: float) -> None:
    """End a process that was started here: asked first, killed where it does not answer."""
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(patience_seconds)
    except subprocess.TimeoutExpired:
        print(f"Process {process.pid} did not end in {patience_seconds:.0f} s: killed.", file=sys.stderr)
        process.kill()
        process.wait()


def end_orderly(_signal: int, _frame: FrameType | None) -> None:
    raise SystemExit(143)


if __name__ == "__main__":
    sys.exit(main())
