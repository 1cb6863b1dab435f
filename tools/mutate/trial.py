"""The tests of one target against each of its mutants, each in a forked child of a pytest that has collected them."""

from __future__ import annotations

import importlib
import os
import signal
import time
from typing import Any

import pytest
from _pytest.runner import runtestprotocol

from tools.mutate.exchange import exchange
from tools.mutate.mutants import mutants
from tools.mutate.target import ROOT, Target

# A mutant that takes so many times as long as the tests take without it never ends.
PATIENCE = 8
LEAST_SECONDS = 3.0
LONGEST_SECONDS = 600.0


class Trial:
    """A pytest plugin that runs the collected tests once for each mutant instead of once."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.survivors: list[str] = []
        self.killed = 0
        self.broken: str | None = None
        """Why nothing was tried: the tests fail without any mutant."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: Any) -> bool:
        module = importlib.import_module(self.target.module)
        began = time.monotonic()
        source = self.target.path.read_text()
        # The same source as if it were a mutant: so what the exchange itself breaks is not counted as found.
        if not session.items or not _lives(session.items, module, source, LONGEST_SECONDS):
            self.broken = f"{self.target.module}: its tests fail without a mutant, or there are none"
            return True
        limit = max(LEAST_SECONDS, PATIENCE * (time.monotonic() - began))
        for mutant in mutants(source):
            if _lives(session.items, module, mutant.code, limit):
                self.survivors.append(mutant.name)
            else:
                self.killed += 1
        return True


def tried(target: Target) -> Trial:
    """The target's mutants against its tests, in this process."""
    trial = Trial(target)
    words = ["-q", "-x", "-p", "no:cacheprovider", "-p", "no:xdist", "--rootdir", str(ROOT), *map(str, target.tests)]
    pytest.main([*words, "-m", "not lab and not browser and not notebooks and not soak"], plugins=[trial])
    return trial


def _lives(items: list[Any], module: Any, code: str, limit: float) -> bool:
    """Whether all tests pass with this code; False also where it does not end."""
    child = os.fork()
    if child == 0:
        _run(items, module, code)
    end = time.monotonic() + limit
    while time.monotonic() < end:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status) == 0
        time.sleep(0.002)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return False


def _run(items: list[Any], module: Any, code: str) -> None:
    """In the child: ends it with 0 where every test passes."""
    try:
        silence = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silence, 1)
        os.dup2(silence, 2)
        exchange(module, code)
        for item, following in zip(items, [*items[1:], None], strict=True):
            for report in runtestprotocol(item, log=False, nextitem=following):
                if report.failed:
                    os._exit(1)
        os._exit(0)
    except BaseException:
        os._exit(1)
