"""Who takes whose CPU among real guests, beside what the kernel says of the very threads in the same window.

Other work of the machine may run beside: so the figures are judged by the threads' own accounts, and not by what they
would be on a machine that does nothing else.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from itertools import permutations
from pathlib import Path
from typing import NamedTuple

import pytest

from kvmnb.machine.files import Files
from kvmnb.measure.live import LiveSource
from kvmnb.measure.looks import Looks
from kvmnb.measure.moment import QUOTA, Kind, Moment, Party
from kvmnb.measure.neighbourhood import NO_PROCESSES, told_by
from kvmnb.measure.neighbours import Matrix, matrix
from kvmnb.measure.sampler import Sampler
from kvmnb.measure.series import Frame
from tests.measure.crew import CPUS, Crew, Member, times_of, wait_for

pytestmark = [pytest.mark.lab, pytest.mark.usefixtures("lab")]

SECONDS = 1.5
LOOKS_A_SECOND = 10.0
# A thread may move while it is looked at, and a CPU's time is counted in ticks.
NEAR = 0.1


class Grown(NamedTuple):
    """By how much a counter grew from the first look to the last: it was read before each and after it."""

    least: float
    most: float

    def has(self, value: float, slack: float = NEAR * SECONDS) -> bool:
        return self.least - slack <= value <= self.most + slack


class Beside(Looks):
    """Looks with other counters read around each."""

    def __init__(self, *counters: Callable[[], float]) -> None:
        super().__init__(Files(Path("/")))
        self._counters = counters
        self._read: list[tuple[list[float], list[float]]] = []

    def look(self) -> Moment:
        before = [one() for one in self._counters]
        found = super().look()
        self._read.append((before, [one() for one in self._counters]))
        return found

    def grown(self) -> list[Grown]:
        first, last = self._read[0], self._read[-1]
        least = [late - early for early, late in zip(first[1], last[0], strict=True)]
        most = [late - early for early, late in zip(first[0], last[1], strict=True)]
        return [Grown(*pair) for pair in zip(least, most, strict=True)]


def looked(*beside: Callable[[], float]) -> tuple[Matrix, list[Grown]]:
    """The matrix of some seconds in seconds, and by how much each counter beside it grew meanwhile."""
    looks = Beside(*beside)
    found = matrix(looks.over(SECONDS, LOOKS_A_SECOND)).called(looks.names())
    return found, looks.grown()


def taken(found: Matrix, ran: Grown, *wanted: Grown) -> Grown:
    """What one who ran so long took from a victim that ran and waited so long; else that waited for its QEMU's lock."""
    otherwise = max(0.0, found.seconds - sum(one.least for one in wanted))
    return Grown(ran.least - otherwise, ran.most)


def seconds(found: Matrix, victim: Member, culprit: Party) -> float:
    return found.caused.get((victim.guest.uuid, culprit), 0.0) * found.seconds


def waited(found: Matrix, victim: Member) -> float:
    return found.waited.get(victim.guest.uuid, 0.0) * found.seconds


def delay(one: Member) -> Callable[[], float]:
    return lambda: one.times.delay


def run(one: Member) -> Callable[[], float]:
    return lambda: one.times.run


def test_two_busy_guests_on_one_cpu_take_it_from_each_other_and_apart_they_do_not(crew: Crew) -> None:
    one, other, _ = crew.members
    for member in (one, other):
        member.busy()
        member.pin(CPUS[-1])
    found, (one_waited, one_ran, other_waited, other_ran) = looked(delay(one), run(one), delay(other), run(other))
    assert one_waited.has(waited(found, one))
    assert other_waited.has(waited(found, other))
    # Both want the CPU: whenever the other one runs, this one waits for it.
    assert taken(found, other_ran, one_waited, one_ran).has(seconds(found, one, other.party))
    assert taken(found, one_ran, other_waited, other_ran).has(seconds(found, other, one.party))
    other.pin(CPUS[0])
    found, (one_besides, other_besides) = looked(lambda: one.besides, lambda: other.besides)
    # A pin holds a vCPU; its QEMU's other threads may run on either CPU.
    assert seconds(found, one, other.party) <= other_besides.most + NEAR
    assert seconds(found, other, one.party) <= one_besides.most + NEAR


def test_recorded_series_of_a_pair_tell_the_same_as_looks(crew: Crew) -> None:
    one, other, _ = crew.members
    for member in (one, other):
        member.busy()
        member.pin(CPUS[-1])
    frames: list[Frame] = []
    runs: list[float] = []

    def heard(frame: Frame) -> None:
        frames.append(frame)
        runs.append(other.times.run)

    with Sampler(LiveSource(Files(Path("/")))).subscribe(heard, period=0.5):
        wait_for(lambda: len(runs) >= 5)
    found = told_by(frames[:5])
    assert isinstance(found, Matrix)
    # Less than with looks: a process that moved meanwhile may have run anywhere, and the series do not hold it.
    assert 0 < seconds(found, one, other.party) <= runs[4] - runs[0] + NEAR * found.seconds
    assert found.gaps == (NO_PROCESSES,)


def test_a_guest_that_its_own_quota_holds_back_is_held_back_by_nobody_else(crew: Crew) -> None:
    alone = crew.members[0]
    alone.busy()
    alone.pin(CPUS[-1])
    alone.quota(0.05)
    try:
        found, (held, wait) = looked(lambda: alone.throttled, delay(alone))
    finally:
        alone.quota(None)
    assert held.least > NEAR
    assert Grown(min(held.least, wait.least), min(held.most, wait.most)).has(seconds(found, alone, QUOTA))
    for idle in crew.members[1:]:
        assert seconds(found, alone, idle.party) <= NEAR


def test_a_busy_process_of_the_host_is_named_by_its_number(crew: Crew) -> None:
    victim = crew.members[0]
    victim.busy()
    victim.pin(CPUS[-1])
    # Its own name, so that no other one of this machine is taken for it.
    code = "open('/proc/self/comm', 'w').write('backup')\nwhile True: pass"
    process = subprocess.Popen(["taskset", "-c", str(CPUS[-1]), sys.executable, "-c", code])
    try:
        wait_for(lambda: Path(f"/proc/{process.pid}/comm").read_text() == "backup\n")
        found, (wait, own, ran) = looked(delay(victim), run(victim), lambda: times_of(process.pid, process.pid).run)
    finally:
        process.kill()
        process.wait()
    assert wait.has(waited(found, victim))
    named = seconds(found, victim, Party(Kind.PROCESS, f"backup (pid {process.pid})"))
    assert taken(found, ran, wait, own).has(named)


def test_of_three_that_float_over_two_cpus_nobody_is_blamed_for_more_than_it_ran(crew: Crew) -> None:
    if len(CPUS) > 2:
        for member in crew.members:
            member.pin(*CPUS[:2])
    for member in crew.members:
        member.busy()
    counters = [count(one) for one in crew.members for count in (delay, run)]
    found, grown = looked(*counters)
    waits, runs = grown[::2], grown[1::2]
    print(f"three guests on two CPUs: waited {sum(one.most for one in waits):.2f} s, unknown {found.unknown_share:.2f}")
    assert all(wait.has(waited(found, one)) for wait, one in zip(waits, crew.members, strict=True))
    # What is given and what is unknown is all that was waited for: nothing is spread, and nothing lost.
    for victim, culprit in permutations(range(3), 2):
        members = crew.members
        blamed = seconds(found, members[victim], members[culprit].party)
        assert blamed <= min(waits[victim].most, runs[culprit].most) + NEAR * SECONDS
    assert found.unknown_share < 1


def test_an_idle_pair_waits_for_each_other_no_longer_than_it_runs(crew: Crew) -> None:
    pair = crew.members[:2]
    for member in pair:
        member.pin(CPUS[-1])
    found, grown = looked(*(count(one) for one in pair for count in (delay, run)))
    waits, runs = grown[::2], grown[1::2]
    assert all(wait.has(waited(found, one), NEAR) for wait, one in zip(waits, pair, strict=True))
    for victim, culprit in ((0, 1), (1, 0)):
        assert seconds(found, pair[victim], pair[culprit].party) <= runs[culprit].most + NEAR
