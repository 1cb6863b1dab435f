"""A small host with guests, opened as a notebook opens it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from xml.sax.saxutils import escape

import pytest

import kvmnb.demo
from kvmnb.advise.intent_file import read_intent
from kvmnb.machine.sources import recorded, scratch
from kvmnb.verbs import Here
from tests.small_host import write_guest, write_host

HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture
def small(tmp_path: Path) -> Here:
    """Four CPUs, a floating guest that runs and one that is shut off; the goal is latency."""
    source = write_host(tmp_path / "recorded")
    write_guest(source, "web", 0)
    write_guest(source, "db", 1, running=False)
    return Here(scratch(source, tmp_path / "copy"), read_intent("latency"))


@pytest.fixture
def hostile(tmp_path: Path) -> Here:
    """The same with a guest whose name is HTML."""
    source = write_host(tmp_path / "recorded")
    write_guest(source, escape(HOSTILE), 0)
    return Here(scratch(source, tmp_path / "copy"), read_intent("latency"))


@pytest.fixture
def read_only(tmp_path: Path) -> Here:
    """The same as a recording."""
    source = write_host(tmp_path / "recorded")
    write_guest(source, "web", 0)
    return Here(recorded(source), read_intent("latency"))


@pytest.fixture(scope="session")
def pictured() -> Here:
    """The demo host as it ships, to look at: copying it takes seconds."""
    return Here(recorded(kvmnb.demo.path()), read_intent())


@pytest.fixture(scope="session")
def _demo_copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo") / "host"


@pytest.fixture
def shipped(_demo_copy: Path) -> Iterator[Here]:
    """The demo host in a copy that takes changes; what a test applied is taken back after it."""
    here = Here(scratch(kvmnb.demo.path(), _demo_copy), read_intent())
    yield here
    for journal in here.journals():
        here.undo(journal)
