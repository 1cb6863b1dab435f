"""Busy threads of this very machine, found among all its processes."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from kvmnb.machine.files import Files
from kvmnb.measure.collect.bystanders import Bystanders, Told, told
from kvmnb.measure.moment import Kind, Party

HOST = Files(Path("/"))


def test_a_name_may_hold_brackets_and_numbers() -> None:
    rest = " ".join(["R", "1", *"234", "0", "2097152", *"0000", "7", "5", *["0"] * 23, "3", "0", "0"])
    assert told(f"12 (a) R 9 (b) {rest}") == Told("a) R 9 (b", "R", True, 12, 3)


def test_a_busy_process_is_found_and_an_idle_one_is_not() -> None:
    work = ("while True: pass", "import time; time.sleep(60)")
    busy, idle = (subprocess.Popen([sys.executable, "-c", one]) for one in work)
    try:
        others = Bystanders(HOST)
        working, sleeping = (f"proc/{one.pid}/task/{one.pid}" for one in (busy, idle))
        end = time.monotonic() + 30
        # Both are busy while they start.
        while working not in others.threads or sleeping in others.threads:
            assert time.monotonic() < end
            others.sweep({}, ())
            time.sleep(0.05)
        assert others.threads[working].kind is Kind.PROCESS
    finally:
        for one in (busy, idle):
            one.kill()
            one.wait()


def test_the_threads_of_a_qemu_are_its_guest_s_and_known_ones_are_left_out() -> None:
    others = Bystanders(HOST)
    me = str(os.getpid())
    known = f"proc/{me}/task/{me}"
    for _ in range(2):
        others.sweep({me: "a"}, (known,))
        end = time.thread_time() + 0.1
        while time.thread_time() < end or time.monotonic() < others.next_at:
            pass
    assert known not in others.threads
    others.sweep({me: "a"}, ())
    assert others.threads[known] == Party(Kind.GUEST, "a")


def test_a_process_that_is_alone_under_its_name_is_called_by_its_number_too() -> None:
    others = Bystanders(HOST)
    for _ in range(2):
        end = time.thread_time() + 0.1
        while time.thread_time() < end or time.monotonic() < others.next_at:
            pass
        others.sweep({}, ())
    itself = Party(Kind.PROCESS, "kvmnb itself")
    assert others.names()[itself] == Party(Kind.PROCESS, f"kvmnb itself (pid {os.getpid()})")
