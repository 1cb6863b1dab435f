"""Hugepages and bound memory are counted per node before a guest is told to use them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from kvmnb.core.cpuset import CpuSet
from kvmnb.core.units import GIB, MIB
from kvmnb.facts.domain import Domain
from kvmnb.facts.gap import Gap, changed
from kvmnb.facts.host import Host
from kvmnb.facts.memory import HugepagePool, NumaNode
from kvmnb.machine.files import Files
from kvmnb.machine.machine import Machine
from kvmnb.plan.build import build
from kvmnb.plan.check import Check, Outcome
from kvmnb.plan.edited import EditedDomain
from kvmnb.plan.room import free_blocks, needs, room
from kvmnb.tunable.sysfs import Sysfs
from kvmnb.tunable.tunable import Want
from tests.builders import a_domain, a_fact, a_host, bound_to, cells
from tests.findings import a_finding

BUDDY = """Node 0, zone      DMA      0      0      0      0      0      0      0      0      1      1      2
Node 0, zone   Normal    100     50     10      4      4      4      4      4      4      5     10
Node 1, zone   Normal      1      0      0      0      0      0      0      0      0      0      0
"""


def a_node(number: int, *, gib: float = 16, free_gib: float = 12, pages: int = 0, free: int = 0) -> NumaNode:
    pool = a_fact(HugepagePool, size_bytes=2 * MIB, total=pages, free=free)
    return a_fact(
        NumaNode,
        id=number,
        cpus=CpuSet([number]),
        memory_bytes=int(gib * GIB),
        free_bytes=int(free_gib * GIB),
        hugepages=(pool,),
    )


def host_of(*nodes: NumaNode) -> Host:
    return changed(a_host(), numa_nodes=nodes)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/meminfo").write_text("MemTotal: 1 kB\nHugepagesize:       2048 kB\n")
    (tmp_path / "proc/buddyinfo").write_text(BUDDY)
    pool = tmp_path / "sys/devices/system/node/node0/hugepages/hugepages-2048kB"
    pool.mkdir(parents=True)
    (pool / "nr_hugepages").write_text("0\n")
    return Machine("scratch", "a tree", "tree", None, Files(tmp_path))


def edited(after: Domain, before: Domain | None = None) -> EditedDomain:
    former = before or a_domain(after.name, running=False)
    return EditedDomain(after, "", "", former.wanted, after.wanted)


def asked(machine: Machine, host: Host, *guests: EditedDomain, wants: Sequence[Want] = ()) -> list[Check]:
    plan = build([a_finding(*wants)] if wants else [], machine, None)
    return list(room(plan, machine, host, guests))


def outcomes(checks: list[Check]) -> list[tuple[str, Outcome]]:
    return [(check.question, check.outcome) for check in checks]


HUGE = "<memoryBacking><hugepages/></memoryBacking>"
POOL = Sysfs("devices/system/node/node0/hugepages/hugepages-2048kB/nr_hugepages")


def a_huge(name: str = "db", *, gib: float = 4, inside: str = "", running: bool = False) -> Domain:
    return a_domain(name, memory_gib=gib, numatune=HUGE + inside, running=running)


def test_a_guest_that_asks_for_more_pages_than_are_free_stops_the_plan_and_says_how_many(machine: Machine) -> None:
    found = asked(machine, host_of(a_node(0, pages=2000, free=2000)), edited(a_huge()))
    assert outcomes(found) == [("hugepages", Outcome.STOPS)]
    assert "asks for 2048 hugepages of 2 MiB on node 0, and 2000 are free then; reserve 48 more" in found[0].said


def test_a_lack_that_is_there_without_the_plan_is_told(machine: Machine) -> None:
    guest = a_huge()
    found = asked(machine, host_of(a_node(0, pages=2000, free=2000)), edited(guest, before=guest))
    assert outcomes(found) == [("hugepages", Outcome.TOLD)]
    assert "It is so without this plan too." in found[0].said


def test_pages_that_are_free_pass(machine: Machine) -> None:
    found = asked(machine, host_of(a_node(0, pages=2048, free=2048)), edited(a_huge()))
    assert outcomes(found) == [("hugepages", Outcome.PASSED)]


def test_pages_of_another_node_do_not_count_for_a_guest_that_is_bound(machine: Machine) -> None:
    host = host_of(a_node(0), a_node(1, pages=2048, free=2048))
    assert outcomes(asked(machine, host, edited(a_huge()))) == [("hugepages", Outcome.PASSED)]
    bound = asked(machine, host, edited(a_huge(inside=bound_to("0"))))
    assert outcomes(bound) == [("hugepages", Outcome.STOPS)]


def test_two_guests_do_not_get_the_same_pages(machine: Machine) -> None:
    host = host_of(a_node(0, pages=3000, free=3000))
    found = asked(machine, host, edited(a_huge("db")), edited(a_huge("web")))
    assert outcomes(found) == [("hugepages", Outcome.STOPS)]
    assert "db and web ask for 4096" in found[0].said


def test_a_running_guest_gives_back_what_it_holds(machine: Machine) -> None:
    host = host_of(a_node(0, pages=2048, free=0))
    found = asked(machine, host, edited(a_huge(running=True)))
    assert outcomes(found) == [("hugepages", Outcome.PASSED)]
    assert "those that db holds now counted" in found[0].said


def test_pages_that_the_same_plan_reserves_count(machine: Machine) -> None:
    host = host_of(a_node(0, free_gib=12))
    found = asked(machine, host, edited(a_huge(gib=0.05859375)), wants=[Want(POOL, "30")])
    assert outcomes(found) == [("hugepages", Outcome.PASSED), ("hugepages", Outcome.PASSED)]


@pytest.mark.parametrize(
    ("pages", "free_gib", "outcome", "said"),
    [
        ("30", 12, Outcome.PASSED, "30 free pieces"),
        ("64", 12, Outcome.TOLD, "only 30 pieces"),
        ("4096", 4, Outcome.TOLD, "in use now"),
        ("9000", 4, Outcome.STOPS, "more than all memory of the node"),
    ],
)
def test_a_pool_grows_only_where_there_is_room(
    machine: Machine, pages: str, free_gib: float, outcome: Outcome, said: str
) -> None:
    found = asked(machine, host_of(a_node(0, free_gib=free_gib)), wants=[Want(POOL, pages)])
    assert [one.outcome for one in found] == [outcome], found
    assert said in found[0].said


def test_free_pieces_are_counted_with_those_inside_larger_ones(machine: Machine) -> None:
    # Order 9 is 2 MiB: node 0 has 1 + 5 pieces of it, and 2 + 10 of the next order, which hold two each.
    assert (free_blocks(machine, 0, 2 * MIB), free_blocks(machine, 1, 2 * MIB)) == (1 + 5 + 2 * (2 + 10), 0)
    assert free_blocks(machine, 7, 2 * MIB) is None


def test_each_cell_asks_on_the_node_that_it_is_bound_to() -> None:
    guest = a_domain(
        "db",
        vcpus=4,
        memory_gib=4,
        cpu=cells(("0-1", 1), ("2-3", 3)),
        numatune="<memoryBacking><hugepages><page size='1' unit='G' nodeset='1'/></hugepages></memoryBacking>"
        "<numatune><memnode cellid='0' mode='strict' nodeset='0'/><memnode cellid='1' mode='strict' nodeset='1'/>"
        "</numatune>",
    )
    found = [
        (str(need.nodes), need.page_bytes, need.bytes) for need in needs("db", guest.wanted, CpuSet([0, 1]), 2 * MIB)
    ]
    assert found == [("0", 2 * MIB, GIB), ("1", GIB, 3 * GIB)]


@pytest.mark.parametrize(("gib", "outcome"), [(20, Outcome.STOPS), (14, Outcome.TOLD), (8, Outcome.PASSED)])
def test_usual_pages_that_are_strictly_bound_must_fit_their_node(machine: Machine, gib: int, outcome: Outcome) -> None:
    guest = a_domain("db", memory_gib=gib, numatune=bound_to("0"))
    assert outcomes(asked(machine, host_of(a_node(0), a_node(1)), edited(guest))) == [("memory", outcome)]


def test_a_node_that_is_not_there_stops_the_plan(machine: Machine) -> None:
    found = asked(machine, host_of(a_node(0)), edited(a_domain("db", numatune=bound_to("3"))))
    assert outcomes(found) == [("memory", Outcome.STOPS)]
    assert "no such node" in found[0].said


def test_a_preferred_node_stops_nothing(machine: Machine) -> None:
    guest = a_domain("db", memory_gib=20, numatune=bound_to("0", mode="preferred"))
    assert asked(machine, host_of(a_node(0)), edited(guest)) == []


def test_locked_memory_needs_room_beside_it_under_a_hard_limit(machine: Machine) -> None:
    def locked(limit: str) -> list[tuple[str, Outcome]]:
        inside = f"{limit}<memoryBacking><locked/></memoryBacking>"
        return outcomes(asked(machine, host_of(a_node(0)), edited(a_domain("db", memory_gib=2, numatune=inside))))

    assert locked("<memtune><hard_limit unit='GiB'>2</hard_limit></memtune>") == [("locked", Outcome.STOPS)]
    assert locked("<memtune><hard_limit unit='GiB'>3</hard_limit></memtune>") == [("locked", Outcome.PASSED)]


def test_a_fact_that_was_not_read_is_told_as_not_checked(machine: Machine) -> None:

    host = changed(a_host(), numa_nodes=Gap("host.numa_nodes", "not readable"))
    found = asked(machine, host, edited(a_huge()))
    assert outcomes(found) == [("memory", Outcome.UNKNOWN)]
