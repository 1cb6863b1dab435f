"""Memory rules together: following one silences it, and no fact that one rests on can vanish in silence."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kvmnb.advise.intent import Goal, Intent
from kvmnb.advise.registry import audit
from kvmnb.core.units import GIB
from kvmnb.facts.host import Host
from kvmnb.facts.kernel import Swap
from tests.advise.mem.builders import (
    HUGEPAGES,
    REAL_TIME,
    VHOST_USER,
    VIRTIOFS,
    a_disk,
    a_memory_guest,
    a_memory_host,
    a_process,
)
from tests.advise.test_contract import agreeing
from tests.advise.test_following import check_following, check_following_all
from tests.advise.unseen import findings_lost
from tests.builders import Guest, a_fact, bound_to

SYSCTLS = {
    "kernel.numa_balancing": "0",
    "vm.zone_reclaim_mode": "1",
    "vm.swappiness": "60",
    "vm.dirty_bytes": "0",
    "vm.dirty_ratio": "40",
    "vm.dirty_background_bytes": "0",
    "vm.dirty_background_ratio": "20",
    "vm.nr_overcommit_hugepages": "8",
}


def a_careless_host(**words: object) -> Host:
    settings = {
        "nodes": 2,
        "cores": 8,
        "memory_gib": 96,
        "enabled": "never",
        "defrag": "always",
        "shmem": "never",
        "sysctls": SYSCTLS,
        "swaps": [a_fact(Swap, device="/dev/sda2")],
        "ksm": {"run": 1, "merge_across_nodes": 1, "pages_unshared": 5000, "pages_sharing": 1},
        "pools": {0: (4096, 4096), 1: (0, 0)},
    }
    return a_memory_host(**{**settings, **words})  # type: ignore[arg-type]


def careless_guests() -> list[Guest]:
    return [
        a_memory_guest("plain", balloon=None, devices=a_disk()),
        a_memory_guest("less", balloon="<memballoon model='virtio'/>", extra="<currentMemory>1048576</currentMemory>"),
        a_memory_guest("locked", backing="<locked/>", numatune=bound_to("0")),
        a_memory_guest("both", backing=f"{HUGEPAGES}<locked/>"),
        a_memory_guest("urgent", extra=REAL_TIME, running=False),
        a_memory_guest("served", devices=VHOST_USER + VIRTIOFS),
        a_memory_guest("waits", backing=HUGEPAGES, memory_gib=10, running=False),
        a_memory_guest("huge", backing="<hugepages><page size='1' unit='GiB'/></hugepages>", memory_gib=4.5),
    ]


HOSTS = {
    "careless": a_careless_host(),
    "never merged": a_careless_host(ksm={"run": 0, "merge_across_nodes": 1, "advisor_mode": "none"}, available_gib=6),
    "full": a_careless_host(pools={0: (9000, 9000), 1: (9000, 9000)}, available_gib=9, enabled="madvise"),
    "empty": a_careless_host(pools={0: (0, 0), 1: (0, 0)}, available_gib=90, enabled="always"),
}

every_goal = pytest.mark.parametrize("goal", list(Goal), ids=lambda goal: goal.value)
every_host = pytest.mark.parametrize("host", HOSTS.values(), ids=HOSTS.keys())


@every_goal
@every_host
def test_each_finding_is_silenced_by_following_it(host: Host, goal: Goal) -> None:
    check_following(host, careless_guests(), goal)


@every_goal
@every_host
def test_following_all_leaves_none(host: Host, goal: Goal) -> None:
    guests = careless_guests()
    agreeing(audit(host, [guest.domain for guest in guests], Intent(goal=goal)))
    check_following_all(host, guests, goal)


@pytest.mark.parametrize("goal", [Goal.LATENCY, Goal.DENSITY], ids=lambda goal: goal.value)
@pytest.mark.parametrize("host", list(HOSTS.values())[:2], ids=list(HOSTS)[:2])
def test_a_fact_that_is_taken_away_is_never_silence(host: Host, goal: Goal) -> None:
    domains = [guest.domain for guest in careless_guests()]
    domains[0] = replace(domains[0], running_state=a_process(GIB))
    intent = Intent(goal=goal)
    only = [
        one.id
        for one in audit(host, domains, intent).findings
        if one.id.startswith("mem.") or one.id in ("numa.balancing", "numa.zone_reclaim")
    ]
    before = audit(host, domains, intent, only=only)
    assert not before.not_checked
    assert findings_lost(host, domains, intent, only) > 20
