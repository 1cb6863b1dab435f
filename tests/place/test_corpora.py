"""The placement beside the recorded answers of other schedulers, and above lower bounds."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from kvmnb.core.cpuset import CpuSet
from kvmnb.core.units import GIB, MIB
from kvmnb.facts.cpu import Cache, Cpu
from kvmnb.facts.host import Host
from kvmnb.facts.memory import NumaNode
from kvmnb.place.layout import RESERVE_BYTES, lay_out
from kvmnb.place.placement import GuestPlace
from kvmnb.place.simple import place
from tests.builders import a_domain, a_fact, a_host, cells, topology


def rows(folder: Path, name: str, count: int) -> list[dict[str, Any]]:
    found = [json.loads(line) for line in (folder / "placement" / name).read_text().splitlines()]
    assert len(found) == count
    return found


def host_of(cores: list[list[int]], nodes: dict[int, tuple[set[int], int]], caches: list[set[int]]) -> Host:
    """A host of cores, of the CPUs and bytes of each node, and of the CPUs of each last-level cache."""
    cache_of = {cpu: CpuSet(share) for share in caches for cpu in share}
    node_of = {cpu: number for number, (cpus, _) in nodes.items() for cpu in cpus}
    cpus = [
        a_fact(
            Cpu,
            id=cpu,
            online=True,
            siblings=CpuSet(core),
            node=node_of.get(cpu),
            caches=(a_fact(Cache, level=3, cpus=cache_of.get(cpu, CpuSet(core))),),
        )
        for core in cores
        for cpu in core
    ]
    return a_fact(
        Host,
        cpus=tuple(sorted(cpus, key=lambda one: one.id)),
        numa_nodes=tuple(
            a_fact(
                NumaNode,
                id=number,
                cpus=CpuSet(members),
                memory_bytes=memory,
                distances=tuple(10 if other == number else 20 for other in nodes),
            )
            for number, (members, memory) in nodes.items()
        ),
    )


def place_one(host: Host, **words: Any) -> GuestPlace:
    domain = a_domain(**words)
    return place(host, [domain], frozenset([domain.uuid])).guests[domain.uuid]


def test_no_answer_beats_a_lower_bound(corpora: Path) -> None:
    """The bounds keep one core of the whole host; one core of each node is kept here, so some answers need more."""
    kinds: Counter[str] = Counter()
    for row in rows(corpora, "bounds.jsonl", 440):
        capture = json.loads((corpora / "host-sysfs" / "expected" / f"{row['host']}.json").read_text())
        online = set(capture["online"])
        nodes = {
            node["id"]: (set(node["cpus"]) & online, 1024 * GIB)
            for node in capture["numa"]
            if set(node["cpus"]) & online
        } or {0: (online, 1024 * GIB)}
        last = max(capture["caches"], default=None)
        shares = [set(cache["cpus"]) for cache in capture["caches"][last]] if last is not None else []
        host = host_of([sorted(set(core) & online) for core in capture["cores"] if set(core) & online], nodes, shares)
        layout = lay_out(host)
        threads = max(len(core.free) for core in layout.cores)
        vcpus = row["vcpus"]
        shape = (
            topology(1, vcpus // threads, threads) if threads > 1 and vcpus % threads == 0 else topology(1, vcpus, 1)
        )
        found = place_one(host, vcpus=vcpus, memory_gib=1, cpu=shape)
        width = threads if threads > 1 and vcpus % threads == 0 else 1
        room = sorted(
            (sum(core.node == node and len(core.free) >= width for core in layout.cores) for node in layout.nodes),
            reverse=True,
        )
        groups = -(-vcpus // width)
        if not found.vcpus:
            assert sum(room) < groups
            kinds["the cores beside the host's own do not suffice"] += 1
            continue
        if not row["feasible"]:
            # The bound keeps the whole core; of one core alone only the first thread is kept here.
            assert len(layout.cores) == 1
            kinds["a host of one core gives its other threads"] += 1
            continue
        used = {layout.core_of[cpu] for cpu in found.vcpus.values()}
        fewest = next(count for count in range(1, len(room) + 1) if sum(room[:count]) >= groups)
        assert len(found.nodes) == fewest >= row.get("min_numa_nodes", 1)
        assert len(used) == groups
        if len(found.nodes) == row.get("min_numa_nodes", 1):
            assert len(used) >= row.get("min_cores_given_that", 1)
        as_bound = fewest == row.get("min_numa_nodes", 1)
        kinds["as few nodes as the bound" if as_bound else "the host's own cores cost a node"] += 1
    assert kinds == {
        "as few nodes as the bound": 342,
        "the cores beside the host's own do not suffice": 65,
        "the host's own cores cost a node": 31,
        "a host of one core gives its other threads": 2,
    }


@pytest.mark.parametrize(
    ("name", "count", "judged"), [("nova_fit_cell.jsonl", 21, 12), ("nova_fit_host.jsonl", 19, 12)]
)
def test_dedicated_guests_fit_where_nova_fits_them(corpora: Path, name: str, count: int, judged: int) -> None:
    """Only rows of dedicated guests are judged: others ask about pages, shared CPUs or overcommitted memory."""
    kinds: Counter[str] = Counter()
    for row in rows(corpora, name, count):
        given = row["input"]
        host_cells = given["host_topology"]["cells"] if "host_topology" in given else [given["host_cell"]]
        guest_cells = given["instance_topology"]["cells"] if "instance_topology" in given else [given["instance_cell"]]
        if any(cell["cpu_policy"] != "dedicated" or not cell.get("pcpuset") for cell in guest_cells):
            continue
        kinds[_kind(row["output"], host_cells, guest_cells)] += 1
    assert sum(kinds.values()) == judged
    assert set(kinds) <= {
        "as nova",
        "nova asks for real threads, here each vCPU gets a core instead",
        "nova asks for a node for each cell, here one node holds them all",
        "nova keeps a guest without cells on one node, here it is spread over two",
        "nova refuses to isolate vCPUs beside CPUs that guests share",
    }


def _kind(output: Any, host_cells: list[dict[str, Any]], guest_cells: list[dict[str, Any]]) -> str:
    # Nova is given only CPUs for guests: each node gets one more core here, which stays the host's own.
    first = len(host_cells)
    members = [[cpu + first for cpu in cell["pcpuset"]] for cell in host_cells]
    cores = [[number] for number in range(first)]
    for cell, cpus in zip(host_cells, members, strict=True):
        cores += [kept for core in cell["siblings"] if (kept := [cpu + first for cpu in core if cpu + first in cpus])]
    memory = {number: cell["memory"] * MIB + RESERVE_BYTES for number, cell in enumerate(host_cells)}
    host = host_of(
        cores,
        {number: ({number, *cpus}, memory[number]) for number, cpus in enumerate(members)},
        [set(core) for core in cores],
    )
    busy = [cpu + first for cell in host_cells for cpu in cell["pinned_cpus"]]
    other = a_domain("other", vcpus=len(busy) + 1, pins={vcpu: str(cpu) for vcpu, cpu in enumerate(busy)})
    policy = guest_cells[0]["cpu_thread_policy"]
    count = sum(len(cell["pcpuset"]) for cell in guest_cells)
    threads = 1 if policy == "isolate" else max(len(core) for core in cores)
    gib = [cell["memory"] * MIB / GIB for cell in guest_cells]
    if len(guest_cells) > 1:
        numbers = {old: new for new, old in enumerate(cpu for cell in guest_cells for cpu in sorted(cell["pcpuset"]))}
        shape = cells(
            *(
                (str(CpuSet(numbers[cpu] for cpu in cell["pcpuset"])), size)
                for cell, size in zip(guest_cells, gib, strict=True)
            )
        )
    else:
        shape = topology(1, count // threads, threads) if count % threads == 0 else topology(1, count, 1)
    guest = a_domain(vcpus=count, memory_gib=sum(gib), cpu=shape)
    found = place(host, [guest, other], frozenset([guest.uuid])).guests[guest.uuid]
    if found.vcpus:
        used = CpuSet(found.vcpus.values())
        assert used.isdisjoint(CpuSet(busy))
        assert used.issubset(CpuSet(cpu for cpus in members for cpu in cpus))
    if bool(found.vcpus) == bool(output):
        return "as nova"
    if found.vcpus and policy == "require":
        return "nova asks for real threads, here each vCPU gets a core instead"
    if found.vcpus and len(guest_cells) > 1:
        return "nova asks for a node for each cell, here one node holds them all"
    if found.vcpus and policy == "isolate" and any(cell["cpuset"] for cell in host_cells):
        return "nova refuses to isolate vCPUs beside CPUs that guests share"
    if len(found.nodes) > 1:
        return "nova keeps a guest without cells on one node, here it is spread over two"
    return f"{output is not None} {found.reason} {host_cells} {guest_cells}"


def test_whole_cores_are_taken_as_kubernetes_takes_them(corpora: Path) -> None:
    """Compared by cores and nodes: kubernetes hands out single threads, here a core goes to one guest alone."""
    book = json.loads((corpora / "placement" / "k8s_take_by_topology.json").read_text())
    assert len(book["cases"]) == 6
    judged = 0
    for case in book["cases"]:
        shape = book["topologies"][case["topology"]]
        free = set(case["available"])
        whole: dict[tuple[int, int], list[int]] = {}
        for cpu, where in shape.items():
            whole.setdefault((where["socket"], where["core"]), []).append(int(cpu))
        if any(0 < len(free & set(core)) < len(core) for core in whole.values()):
            continue
        judged += 1
        # Kubernetes keeps no CPU for the host here, so each node gets one more.
        nodes: dict[int, set[int]] = {}
        for cpu, where in shape.items():
            nodes.setdefault(where["numa"], set()).add(int(cpu) + 2)
        cores = [[0], [1]][: len(nodes)] + [
            [cpu + 2 for cpu in sorted(core)] for core in whole.values() if free & set(core)
        ]
        host = host_of(
            cores,
            {
                number: ({number, *(cpus & {cpu for core in cores for cpu in core})}, 64 * GIB)
                for number, cpus in nodes.items()
            },
            [],
        )
        count = case["num_cpus"]
        found = place_one(
            host, vcpus=count, cpu=topology(1, count // 2, 2) if count % 2 == 0 else topology(1, count, 1)
        )
        expected = {frozenset(core) for core in whole.values() if set(core) & set(case["expected"])}
        used = {frozenset(core) for core in whole.values() for cpu in found.vcpus.values() if cpu - 2 in core}
        if len(nodes) > 1 and count == 1:
            # Kubernetes fills the socket that is used most, here the emptiest node comes first.
            assert len(used) == len(expected)
            continue
        assert used == expected, case["description"]
    assert judged == 5


def test_a_guest_takes_the_cluster_that_nri_takes(corpora: Path) -> None:
    (case,) = json.loads((corpora / "placement" / "nri_cpuallocator.json").read_text())["cases"]
    clusters = [set(cluster["cpus"]) for cluster in case["clusters"] if set(cluster["cpus"]) <= set(case["available"])]
    # The host's own core is one more, on its own.
    cores = [[0], *([cpu + 1] for cpu in case["available"])]
    host = host_of(
        cores,
        {0: ({cpu for core in cores for cpu in core}, 64 * GIB)},
        [{0}, *({cpu + 1 for cpu in cluster} for cluster in clusters)],
    )
    found = place_one(host, vcpus=case["num_cpus"])
    assert sorted(cpu - 1 for cpu in found.vcpus.values()) == case["expected"]


def test_the_hosts_of_builders_are_like_those_of_corpora() -> None:
    made = host_of([[0, 2], [1, 3]], {0: ({0, 1, 2, 3}, 64 * GIB)}, [{0, 1, 2, 3}])
    assert lay_out(made).cores == lay_out(a_host(cores=2, threads=2)).cores
