"""The matrix of victims and culprits, against truths that are generated."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kvmnb.measure.moment import HYPERVISOR, INTERRUPTS, QUOTA, UNKNOWN, CpuAt, Kind, Moment, Party, ThreadAt
from kvmnb.measure.neighbours import Matrix, matrix
from tests.measure.scheduling import Simulation, Task, precision_and_recall
from tools.bench.neighbours import PLACEMENTS

A, B, C = (Party(Kind.GUEST, name) for name in "abc")
BACKUP = Party(Kind.PROCESS, "backup")
KSOFTIRQD = Party(Kind.KERNEL, "ksoftirqd")
LOOK_SECONDS = 0.1
REPO = Path(__file__).parents[2]


def rounded(found: Matrix) -> dict[tuple[str, Party], float]:
    return {key: round(value, 1) for key, value in found.caused.items() if round(value, 1)}


def test_two_busy_guests_on_one_cpu_take_it_from_each_other() -> None:
    pair = Simulation([Task(A, 1, [0]), Task(B, 1, [0])], 1, seed=1)
    assert rounded(matrix(pair.run(3, LOOK_SECONDS))) == {("a", B): 0.5, ("b", A): 0.5}


def test_apart_nobody_waits_for_anybody() -> None:
    apart = Simulation([Task(A, 1, [0]), Task(B, 1, [1])], 2, seed=1)
    assert matrix(apart.run(3, LOOK_SECONDS)).caused == {}


def test_an_idle_pair_waits_for_nobody() -> None:
    idle = Simulation([Task(A, 0, [0]), Task(B, 0, [0])], 1, seed=1)
    assert rounded(matrix(idle.run(3, LOOK_SECONDS))) == {}


def test_a_busy_process_of_the_host_is_named() -> None:
    beside = Simulation([Task(A, 1, [0]), Task(BACKUP, 1, [0], is_vcpu=False)], 1, seed=1)
    assert rounded(matrix(beside.run(3, LOOK_SECONDS))) == {("a", BACKUP): 0.5}


def test_a_throttled_guest_alone_is_held_back_by_its_own_quota_and_by_nobody_else() -> None:
    alone = Simulation([Task(A, 1, [0], quota=0.4)], 1, seed=1)
    assert rounded(matrix(alone.run(3, LOOK_SECONDS))) == {("a", QUOTA): 0.6}


def test_what_the_hypervisor_below_steals_is_its() -> None:
    nested = Simulation([Task(A, 1, [0])], 1, seed=1, steal=0.3)
    assert rounded(matrix(nested.run(3, LOOK_SECONDS))) == {("a", HYPERVISOR): 0.3}


def look(at: float, *threads: ThreadAt, cpus: dict[int, CpuAt] | None = None) -> Moment:
    return Moment(at, dict(enumerate(threads)), cpus or {})


def test_a_victim_that_moved_gets_only_what_holds_on_both_of_its_cpus() -> None:
    before = look(0, ThreadAt(A, 0, 0, 0, True), ThreadAt(B, 0, 0, 0), ThreadAt(B, 0, 0, 1), ThreadAt(C, 0, 0, 1))
    after = look(1, ThreadAt(A, 0, 1, 1, True), ThreadAt(B, 1, 0, 0), ThreadAt(B, 0.4, 0, 1), ThreadAt(C, 0.6, 0, 1))
    assert matrix([before, after]).caused == {("a", B): 0.4, ("a", UNKNOWN): 0.6}


def test_time_of_a_cpu_that_no_thread_accounts_for_is_unknown() -> None:
    before = look(0, ThreadAt(A, 0, 0, 0, True), ThreadAt(B, 0, 0, 0), cpus={0: CpuAt(0, 0, 0)})
    after = look(1, ThreadAt(A, 0, 1, 0, True), ThreadAt(B, 0.5, 0, 0), cpus={0: CpuAt(1, 0.2, 0)})
    found = matrix([before, after])
    assert found.caused == pytest.approx({("a", B): 0.5, ("a", INTERRUPTS): 0.2, ("a", UNKNOWN): 0.3})
    assert found.waited == pytest.approx({"a": 1})
    assert found.unknown_share == pytest.approx(0.3)
    assert found.of("a")[-1][0] == UNKNOWN == found.culprits[-1]


def test_a_mover_that_ran_may_have_run_elsewhere_and_is_not_blamed() -> None:
    before = look(0, ThreadAt(A, 0, 0, 0, True), ThreadAt(KSOFTIRQD, 0, 0, 0), ThreadAt(B, 0, 0, 1))
    after = look(1, ThreadAt(A, 0, 0.8, 0, True), ThreadAt(KSOFTIRQD, 0.4, 0, 0), ThreadAt(B, 0.4, 0, 0))
    assert matrix([before, after]).caused == pytest.approx({("a", KSOFTIRQD): 0.4, ("a", UNKNOWN): 0.4})


def test_a_thread_that_began_meanwhile_is_no_evidence() -> None:
    before = look(0, ThreadAt(A, 0, 0, 0, True))
    after = look(1, ThreadAt(A, 0, 1, 0, True), ThreadAt(B, 1, 0, 0))
    assert matrix([before, after]).caused == {("a", UNKNOWN): 1}


def published(seeds: range, period: float) -> tuple[float, float]:
    precision, recall, unknown = precision_and_recall(seeds, period)
    print(
        f"neighbours: {len(seeds)} placements, a look every {period} s: precision {precision:.3f}, "
        f"recall {recall:.3f}, unknown {unknown:.3f}"
    )
    return precision, recall


def test_precision_and_recall_over_generated_placements() -> None:
    precision, recall = published(range(8), LOOK_SECONDS)
    assert precision > 0.9
    assert recall > 0.7


@pytest.mark.soak
def test_the_published_precision_and_recall_are_what_is_found() -> None:
    rows = re.findall(r"^\| [\d.]+ s \|.*", (REPO / "docs/neighbours.md").read_text(), re.MULTILINE)
    assert rows
    for row in rows:
        period, *figures = (float(cell.removesuffix(" s")) for cell in row.strip("| ").split(" | "))
        assert precision_and_recall(range(PLACEMENTS), period) == pytest.approx(figures, abs=0.0005)
        assert figures[0] > 0.85
