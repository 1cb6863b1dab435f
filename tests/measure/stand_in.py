"""Processes that look like a QEMU in /proc: its name, its arguments, its threads' names, and known work."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import threading
import time
import uuid
from types import TracebackType
from typing import Self

BUSY, IDLE = "busy", "idle"


class StandIn:
    """One process with a thread for each vCPU; the first busy one takes all the time that Python gives."""

    def __init__(self, *work: str, name: str = "stand-in", cpus: set[int] | None = None) -> None:
        self.name = name
        self.uuid = str(uuid.uuid4())
        arguments = ["-name", f"guest={name},debug-threads=on", "-uuid", self.uuid]
        self.process = subprocess.Popen(
            [sys.executable, __file__, *work, *arguments], stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout
        assert self.process.stdout.readline() == "ready\n"
        if cpus is not None:
            for tid in os.listdir(f"/proc/{self.pid}/task"):
                os.sched_setaffinity(int(tid), cpus)

    @property
    def pid(self) -> int:
        return self.process.pid

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        if self.process.stdout:
            self.process.stdout.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()


def _named(name: str) -> None:
    PR_SET_NAME = 15  # noqa: N806
    ctypes.CDLL(None).prctl(PR_SET_NAME, name.encode(), 0, 0, 0)


def _vcpu(number: int, work: str, begun: threading.Semaphore) -> None:
    _named(f"CPU {number}/TCG")
    begun.release()
    if work == BUSY:
        while True:
            pass
    time.sleep(3600)


def main() -> None:
    work = sys.argv[1 : sys.argv.index("-name")]
    begun = threading.Semaphore(0)
    for number, kind in enumerate(work):
        threading.Thread(target=_vcpu, args=(number, kind, begun), daemon=True).start()
    for _ in work:
        begun.acquire()
    _named("qemu-system-x86_64")
    print("ready", flush=True)
    time.sleep(3600)


if __name__ == "__main__":
    main()
