"""A small host with guests, opened as a notebook opens it."""

from __future__ import annotations

from pathlib import Path
from xml.sax.saxutils import escape

import pytest

from kvmnb.advise.intent import read_intent
from kvmnb.machine.sources import demo, recorded, scratch
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


@pytest.fixture
def shipped() -> Here:
    """The demo host, fresh."""
    return Here(demo(reset=True), read_intent())
