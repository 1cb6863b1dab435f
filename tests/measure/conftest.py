"""Guests that the measuring tests on the lab share: booting is what takes longest."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.lab.daemon import Lab
from tests.measure.crew import Crew, Member


@pytest.fixture(scope="module")
def shared_crew(lab: Lab) -> Iterator[tuple[Member, ...]]:
    """Three idle guests of one vCPU each with a disk that is held to 500 requests a second, the first with a tap."""
    with ExitStack() as stack:
        members = tuple(Member.start(lab, number) for number in range(3))
        for one in members:
            stack.callback(one.guest.remove)
        for one in members:
            one.guest.wait_ready()
        yield members


@pytest.fixture
def crew(lab: Lab, shared_crew: tuple[Member, ...]) -> Iterator[Crew]:
    """The same guests, idle, without quotas, and free to run on any CPU."""
    found = Crew(lab, shared_crew)
    try:
        yield found
    finally:
        found.calm()
