"""Looks at processes of this machine that look like guests, beside what /proc says of the very threads."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from kvmnb.machine.files import Files
from kvmnb.measure.looks import Looks
from kvmnb.measure.moment import Kind, Moment, Party
from kvmnb.measure.neighbours import matrix
from tests.measure.stand_in import BUSY, StandIn

HOST = Files(Path("/"))


def of_vcpu(guest: StandIn) -> tuple[int, int]:
    """Run time and run delay of its vCPU, in nanoseconds."""
    for folder in Path(f"/proc/{guest.pid}/task").iterdir():
        if (folder / "comm").read_text().startswith("CPU 0/"):
            run, delay, _ = map(int, (folder / "schedstat").read_text().split())
            return run, delay
    raise AssertionError(f"{guest.name} has no vCPU")


def test_two_on_one_cpu_wait_as_long_as_proc_says_and_each_for_the_other() -> None:
    cpu = {max(os.sched_getaffinity(0))}
    with StandIn(BUSY, name="one", cpus=cpu) as one, StandIn(BUSY, name="other", cpus=cpu) as other:
        looks = Looks(HOST)
        beside: list[tuple[tuple[int, int], ...]] = []

        def seen() -> Iterator[Moment]:
            for moment in looks.over(1.5, 10):
                beside.append((of_vcpu(one), of_vcpu(other)))
                yield moment

        found = matrix(seen())
        assert (looks.guests[one.uuid], looks.guests[other.uuid]) == ("one", "other")
    waits = [(beside[-1][who][1] - beside[0][who][1]) / 1e9 for who in (0, 1)]
    assert [found.waited[who.uuid] * found.seconds for who in (one, other)] == pytest.approx(waits, abs=0.15)
    # Both always want the CPU: whenever the other one runs, this one waits for it.
    ran = (beside[-1][1][0] - beside[0][1][0]) / 1e9
    named = found.caused[one.uuid, Party(Kind.GUEST, other.uuid)] * found.seconds
    assert named == pytest.approx(ran, abs=0.2)


def test_a_guest_that_ends_between_two_looks_spoils_none() -> None:
    looks = Looks(HOST)
    with StandIn(BUSY) as gone:
        first = looks.look()
    second = looks.look()
    assert {one.party.name for one in first.threads.values()} >= {gone.uuid}
    assert gone.uuid not in {one.party.name for one in second.threads.values()}
    assert matrix([first, second]).waited.get(gone.uuid) is None
