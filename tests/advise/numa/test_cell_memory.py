"""numa.cell_memory: the memory of the guest's NUMA cells does not add up to its memory."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from kvmnb.advise.finding import Safety, Severity
from kvmnb.facts.domain import Domain
from tests.builders import a_domain, a_host, cells, found, silent, values

RULE = "numa.cell_memory"
HOST = a_host()
MODULE = "    <memory model='dimm'><target><size unit='GiB'>{size}</size><node>0</node></target></memory>\n"
GIB_IN_KIB = 1024**2


@pytest.mark.parametrize("goal", ["latency", "throughput", "balanced", "density"])
def test_a_cell_of_half_the_memory_is_critical_under_every_goal(goal: str) -> None:
    finding = found(RULE, HOST, a_domain(memory_gib=8, cpu=cells(("0-1", 4))), goal=goal)
    assert "memory is 8 GiB, the 1 cells hold 4 GiB" in finding.saw
    assert values(finding) == {
        "domain_xml:cpu/numa/cell[0]/@memory": str(8 * GIB_IN_KIB),
        "domain_xml:cpu/numa/cell[0]/@unit": "KiB",
    }
    assert (finding.severity, finding.safety) == (Severity.CRITICAL, Safety.DISRUPTIVE)


def test_cells_that_add_up_are_right() -> None:
    assert silent(RULE, HOST, a_domain(memory_gib=8, cpu=cells(("0", 6), ("1", 2))))


def test_a_guest_without_cells_is_not_judged() -> None:
    assert silent(RULE, HOST, a_domain())


def test_cells_keep_their_share_of_the_memory() -> None:
    wanted = values(found(RULE, HOST, a_domain(memory_gib=8, cpu=cells(("0", 3), ("1", 1)))))
    assert wanted["domain_xml:cpu/numa/cell[0]/@memory"] == str(6 * GIB_IN_KIB)
    assert wanted["domain_xml:cpu/numa/cell[1]/@memory"] == str(2 * GIB_IN_KIB)


def test_shares_are_whole_mib_and_the_last_one_takes_the_rest() -> None:
    wanted = values(found(RULE, HOST, a_domain(memory_gib=1, cpu=cells(("0", 1), ("1", 1), ("2", 1)))))
    sizes = [int(wanted[f"domain_xml:cpu/numa/cell[{number}]/@memory"] or 0) for number in range(3)]
    assert sizes == [341 * 1024, 341 * 1024, 342 * 1024]


def test_memory_devices_count() -> None:
    assert silent(RULE, HOST, a_domain(memory_gib=6, cpu=cells(("0-1", 4)), devices=MODULE.format(size=2)))
    finding = found(RULE, HOST, a_domain(memory_gib=6, cpu=cells(("0-1", 4)), devices=MODULE.format(size=1)))
    assert "and memory devices 1 GiB" in finding.saw
    assert values(finding)["domain_xml:cpu/numa/cell[0]/@memory"] == str(5 * GIB_IN_KIB)


def test_memory_that_leaves_nothing_for_cells_is_left_to_a_person() -> None:
    finding = found(RULE, HOST, a_domain(memory_gib=2, cpu=cells(("0-1", 4)), devices=MODULE.format(size=2)))
    assert (finding.wants, finding.safety) == ((), Safety.MANUAL)
    assert finding.by_hand


def test_a_running_guest_pays_a_restart() -> None:
    words: dict[str, Any] = {"memory_gib": 8, "cpu": cells(("0-1", 4))}
    assert any("shut down" in cost for cost in found(RULE, HOST, a_domain(**words)).costs)
    assert not any("shut down" in cost for cost in found(RULE, HOST, a_domain(running=False, **words)).costs)


def test_what_the_guest_gets_and_what_libvirt_would_give_are_told() -> None:
    guest = a_domain(memory_gib=6, cpu=cells(("0-1", 4)), devices=MODULE.format(size=1))
    finding = found(RULE, HOST, guest)
    assert finding.costs[-1] == "the guest gets 6 GiB; libvirt would give 5 GiB"


def sized(memory_kib: int, *cell_kib: int) -> Domain:
    guest = a_domain(cpu=cells(*((str(number), 1) for number in range(len(cell_kib)))), running=False)
    assert guest.inactive is not None
    assert guest.inactive.cpu is not None
    held = tuple(
        replace(cell, memory_bytes=size * 1024) for cell, size in zip(guest.inactive.cpu.cells, cell_kib, strict=True)
    )
    return replace(
        guest,
        inactive=replace(guest.inactive, memory_bytes=memory_kib * 1024, cpu=replace(guest.inactive.cpu, cells=held)),
    )


@pytest.mark.parametrize(
    ("memory", "held", "shares"),
    [
        # A MiB for each cell is the least.
        (2048, (4096, 4096), ["1024", "1024"]),
        (2047, (4096, 4096), []),
        (3072, (4096, 4096, 4096), ["1024", "1024", "1024"]),
        (1024, (4096,), ["1024"]),
        (1025, (4096,), ["1025"]),
        # Nothing tells how cells without memory stand to each other, and one of them would stay without.
        (4096, (0, 0), []),
        (4096, (0, 8192), []),
        (4096, (8192, 0), []),
    ],
)
def test_each_cell_gets_a_sensible_share_or_a_person_decides(
    memory: int, held: tuple[int, ...], shares: list[str]
) -> None:
    finding = found(RULE, HOST, sized(memory, *held))
    assert [want.value for want in finding.wants if want.value != "KiB"] == shares
    assert finding.safety is (Safety.DISRUPTIVE if shares else Safety.MANUAL)


def test_memory_that_is_no_whole_kib_is_left_to_a_person() -> None:
    guest = sized(4096, 8192)
    assert guest.inactive is not None
    odd = replace(guest, inactive=replace(guest.inactive, memory_bytes=4096 * 1024 + 1))
    assert found(RULE, HOST, odd).safety is Safety.MANUAL
