"""Where the memory of each running guest lies, as ``numa_maps`` and ``smaps_rollup`` of its QEMU would tell."""

from __future__ import annotations

from kvmnb.core import codec
from kvmnb.facts.running import NodeMemory, ProcessMemory
from tools.demo_host.tree import Tree

MIB = 1024**2
SMALL, HUGE = 4096, 2 * MIB

# MiB in pages of 4 KiB on each node (transparent hugepages are switched off), and MiB that were swapped out.
# Node 0 was full when db01 and router01 were started, so a part of both came from node 1.
IN_SMALL_PAGES = {
    "build01": ((34_912, 25_104), 412),
    "cache01": ((0, 68), 0),
    "db01": ((27_880, 4_310), 388),
    "mail01": ((1_236, 2_668), 96),
    "router01": ((3_120, 812), 24),
    "web01": ((3_504, 4_296), 210),
    "win10": ((3_072, 6_180), 1_286),
}
# cache01 alone has pages of the pool, all of node 1's.
IN_POOL = {"cache01": (0, 16_384)}
POLICIES = {"cache01": ("bind:1",)}


def put_guest_memory(tree: Tree, name: str, uuid: str) -> None:
    """The file of one running guest, beside its XML."""
    small, swapped = IN_SMALL_PAGES[name]
    pool = IN_POOL.get(name, (0, 0))
    sizes = ((SMALL, sum(small) * MIB), (HUGE, sum(pool) * MIB))
    told = ProcessMemory(
        nodes=tuple(
            NodeMemory(node=node, bytes=(few + many) * MIB)
            for node, (few, many) in enumerate(zip(small, pool, strict=True))
            if few + many
        ),
        page_sizes=tuple((size, count) for size, count in sizes if count),
        policies=POLICIES.get(name, ()),
        transparent_bytes=0,
        shared_transparent_bytes=0,
        swapped_bytes=swapped * MIB,
    )
    tree.put(f"libvirt/domains/{uuid}/memory.json", codec.to_json(told))
