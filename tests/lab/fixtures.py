"""The lab as pytest fixtures: ``lab``, ``guest``, ``no_foreign_guest``, ``host_settings``, ``restore``.

KVMNB_LAB=guests lets tests run guests in a lab; KVMNB_LAB=1 lets them also write host settings.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.lab.daemon import Lab, foreign_qemus, missing, of_this_run
from tests.lab.guest import Guest
from tests.lab.restoring import restoring

SETTINGS = Path(tempfile.gettempdir()) / "kvmnb-host-settings.lock"


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    """One lab for the whole run; where it was asked for and cannot start, its tests fail."""
    if os.environ.get("KVMNB_LAB") not in ("1", "guests"):
        pytest.skip("a test on a real libvirt: set KVMNB_LAB=guests, or KVMNB_LAB=1 to allow host settings too")
    reason = missing()
    if reason:
        pytest.fail(f"KVMNB_LAB asks for a lab, but {reason}", pytrace=False)
    with Lab() as started:
        yield started


@pytest.fixture
def guest(lab: Lab) -> Iterator[Callable[..., Guest]]:
    """Start guests that end with the test: ``guest(name="", system=True, **options of domain_xml)``.

    One with a system is given when it is ready. For a test that looks at XML, QEMU and threads one without is enough.
    """
    with ExitStack() as stack:
        count = 0

        def start(name: str = "", *, system: bool = True, **options: Any) -> Guest:
            nonlocal count
            count += 1
            # Two labs may run at once, and libvirt names a guest's cgroup by its number and name alone.
            made = Guest.start(lab, name or f"guest{count}-{lab.tag}", system=system, **options)
            stack.callback(made.remove)
            if system:
                made.wait_ready()
            return made

        yield start


@pytest.fixture
def no_foreign_guest(lab: Lab) -> None:
    """Refuse to go on where a QEMU runs that no lab of this run started."""
    found = foreign_qemus(lab.root, *of_this_run())
    if found:
        pytest.skip(f"changes host settings, and a guest that is not of the lab runs here: process {found[0]}")


@pytest.fixture
def host_settings() -> Iterator[None]:
    """Keep the host's settings to this test: no other one of this machine that has them writes or compares them."""
    with SETTINGS.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@pytest.fixture
def restore(host_settings: None, no_foreign_guest: None) -> Iterator[Callable[..., None]]:
    """Allow host settings to be written: ``restore(path, ...)`` remembers files, put back after the test."""
    if os.environ.get("KVMNB_LAB") != "1":
        pytest.skip("changes host settings and puts them back: set KVMNB_LAB=1 to allow it")
    with ExitStack() as stack:

        def remember(*paths: str | Path) -> None:
            stack.enter_context(restoring(*paths))

        yield remember
