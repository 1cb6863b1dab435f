"""The memory: per-node and whole-host counts from one table, hugepages, THP, KSM, swap."""

from __future__ import annotations

from tools.demo_host import shape
from tools.demo_host.tree import Tree, columns, cpu_list

TOTAL_KIB = (131_675_892, 132_104_572)
HUGEPAGES_2M = (0, 8192)
"""The pool of 2 MiB pages on each node; cache01 holds all of it."""

# KiB per node: what guests and the host's processes hold, the page cache, and the kernel's own.
ANON = (76_914_236, 45_328_860)
SHMEM = (38_424, 21_180)
BUFFERS = (182_304, 96_112)
CACHED_FILES = (43_862_544, 58_120_376)
SWAP_CACHED = (61_220, 20_508)
RECLAIMABLE, UNRECLAIMABLE = (1_642_180, 1_214_056), (1_498_712, 1_120_344)
KERNEL_STACK, PAGE_TABLES, SECOND_TABLES = (18_912, 15_280), (196_440, 118_604), (142_212, 86_520)
UNCOUNTED = (1_204_848, 1_020_416)
"""vmalloc, per-CPU areas, firmware tables and device buffers."""
DIRTY, WRITEBACK, MAPPED = (1_911_308, 2_204_716), (4_096, 12_288), (402_116, 288_340)

SWAP_TOTAL_KIB, SWAP_FREE_KIB = 8_388_604, 5_914_620
PAGE_KIB = 4

NUMA_HIT = (412_906_118_204, 388_114_220_917)
NUMA_MISS = (2_118_404, 911_806_332)
"""The guests of node 0 spill over: what node 0 could not give, node 1 gave."""
NUMA_REMOTE = (11_204_113_902, 19_887_302_116)


def put_memory(tree: Tree) -> None:
    """Everything that the kernel says of memory."""
    _put_nodes(tree)
    tree.put_text("proc/meminfo", columns(_meminfo()))
    tree.put_text(
        "proc/swaps",
        "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"
        f"/dev/sda3                               partition\t{SWAP_TOTAL_KIB}\t\t"
        f"{SWAP_TOTAL_KIB - SWAP_FREE_KIB}\t\t-2\n",
    )
    tree.put_text("proc/vmstat", "".join(f"{name} {value}\n" for name, value in _vmstat()))
    for size_kib, pool in ((2048, HUGEPAGES_2M), (1_048_576, (0, 0))):
        tree.put_all(
            f"sys/kernel/mm/hugepages/hugepages-{size_kib}kB",
            {
                "nr_hugepages": sum(pool),
                "nr_hugepages_mempolicy": sum(pool),
                "nr_overcommit_hugepages": 0,
                "free_hugepages": 0,
                "resv_hugepages": 0,
                "surplus_hugepages": 0,
            },
        )
    thp = "sys/kernel/mm/transparent_hugepage"
    tree.put_all(
        thp,
        {
            # Switched off on the kernel command line, as a database vendor's guide asked.
            "enabled": "always madvise [never]",
            "defrag": "always defer defer+madvise [madvise] never",
            "shmem_enabled": "always within_size advise [never] deny force",
            "hpage_pmd_size": 2_097_152,
            "use_zero_page": 1,
        },
    )
    tree.put_all(
        f"{thp}/khugepaged",
        {
            "defrag": 1,
            "alloc_sleep_millisecs": 60_000,
            "scan_sleep_millisecs": 10_000,
            "pages_to_scan": 4096,
            "max_ptes_none": 511,
            "max_ptes_swap": 64,
            "max_ptes_shared": 256,
            "full_scans": 0,
            "pages_collapsed": 0,
        },
    )
    tree.put_all(
        "sys/kernel/mm/ksm",
        {
            "run": 1,
            "merge_across_nodes": 1,
            "pages_to_scan": 100,
            "sleep_millisecs": 20,
            "max_page_sharing": 256,
            "use_zero_pages": 0,
            "full_scans": 118,
            "pages_shared": 214_032,
            "pages_sharing": 387_120,
            "pages_unshared": 9_120_344,
            "pages_volatile": 811_213,
            "stable_node_chains": 12,
            "stable_node_chains_prune_millisecs": 2000,
            "stable_node_dups": 41,
        },
    )


def free_kib(node: int) -> int:
    """What is left when everything else is counted."""
    used = sum(
        part[node]
        for part in (
            ANON,
            SHMEM,
            BUFFERS,
            CACHED_FILES,
            SWAP_CACHED,
            RECLAIMABLE,
            UNRECLAIMABLE,
            KERNEL_STACK,
            PAGE_TABLES,
            SECOND_TABLES,
            UNCOUNTED,
        )
    )
    return TOTAL_KIB[node] - used - HUGEPAGES_2M[node] * 2048


def _put_nodes(tree: Tree) -> None:
    root = "sys/devices/system/node"
    every = cpu_list(shape.NODES)
    tree.put_all(root, dict.fromkeys(("online", "possible", "has_cpu", "has_memory", "has_normal_memory"), every))
    for node in shape.NODES:
        folder = f"{root}/node{node}"
        tree.put(f"{folder}/cpulist", cpu_list(shape.cpus_of(node)))
        tree.put(f"{folder}/distance", "10 20" if node == 0 else "20 10")
        rows = columns(_node_meminfo(node))
        tree.put_text(f"{folder}/meminfo", "".join(f"Node {node} {line}\n" for line in rows.splitlines()))
        counters = {
            "numa_hit": NUMA_HIT[node],
            "numa_miss": NUMA_MISS[node],
            "numa_foreign": NUMA_MISS[1 - node],
            "interleave_hit": 15_118 + node,
            "local_node": NUMA_HIT[node] + NUMA_MISS[node] - NUMA_REMOTE[node],
            "other_node": NUMA_REMOTE[node],
        }
        tree.put_text(f"{folder}/numastat", "".join(f"{name} {value}\n" for name, value in counters.items()))
        for size_kib, pool in ((2048, HUGEPAGES_2M), (1_048_576, (0, 0))):
            tree.put_all(
                f"{folder}/hugepages/hugepages-{size_kib}kB",
                {"nr_hugepages": pool[node], "free_hugepages": 0, "surplus_hugepages": 0},
            )


def _lists(node: int) -> dict[str, int]:
    """The reclaim lists; together they hold the anonymous, shared and file pages."""
    anon = ANON[node] + SHMEM[node] + SWAP_CACHED[node]
    files = BUFFERS[node] + CACHED_FILES[node]
    return {
        "Active(anon)": anon // 6,
        "Inactive(anon)": anon - anon // 6,
        "Active(file)": files // 3,
        "Inactive(file)": files - files // 3,
    }


def _node_meminfo(node: int) -> list[tuple[str, int]]:
    lists = _lists(node)
    return [
        ("MemTotal", TOTAL_KIB[node]),
        ("MemFree", free_kib(node)),
        ("MemUsed", TOTAL_KIB[node] - free_kib(node)),
        ("SwapCached", SWAP_CACHED[node]),
        ("Active", lists["Active(anon)"] + lists["Active(file)"]),
        ("Inactive", lists["Inactive(anon)"] + lists["Inactive(file)"]),
        *lists.items(),
        ("Unevictable", 0),
        ("Mlocked", 0),
        ("Dirty", DIRTY[node]),
        ("Writeback", WRITEBACK[node]),
        ("FilePages", BUFFERS[node] + CACHED_FILES[node] + SHMEM[node] + SWAP_CACHED[node]),
        ("Mapped", MAPPED[node]),
        ("AnonPages", ANON[node]),
        ("Shmem", SHMEM[node]),
        ("KernelStack", KERNEL_STACK[node]),
        ("PageTables", PAGE_TABLES[node]),
        ("SecPageTables", SECOND_TABLES[node]),
        ("NFS_Unstable", 0),
        ("Bounce", 0),
        ("WritebackTmp", 0),
        ("KReclaimable", RECLAIMABLE[node]),
        ("Slab", RECLAIMABLE[node] + UNRECLAIMABLE[node]),
        ("SReclaimable", RECLAIMABLE[node]),
        ("SUnreclaim", UNRECLAIMABLE[node]),
        ("AnonHugePages", 0),
        ("ShmemHugePages", 0),
        ("ShmemPmdMapped", 0),
        ("FileHugePages", 0),
        ("FilePmdMapped", 0),
        ("HugePages_Total", HUGEPAGES_2M[node]),
        ("HugePages_Free", 0),
        ("HugePages_Surp", 0),
    ]


def _sum(name: str) -> int:
    return sum(dict(_node_meminfo(node))[name] for node in shape.NODES)


def available_kib() -> int:
    """Free memory and what page cache and slabs would give back, less the reserve."""
    return sum(map(free_kib, shape.NODES)) + sum(CACHED_FILES) + sum(BUFFERS) + sum(RECLAIMABLE) // 2 - 1_214_000


def _meminfo() -> list[tuple[str, int]]:
    total = sum(TOTAL_KIB)
    return [
        ("MemTotal", total),
        ("MemFree", _sum("MemFree")),
        ("MemAvailable", available_kib()),
        ("Buffers", sum(BUFFERS)),
        ("Cached", sum(CACHED_FILES) + sum(SHMEM)),
        *((name, _sum(name)) for name in ("SwapCached", "Active", "Inactive")),
        *((f"{half}({kind})", _sum(f"{half}({kind})")) for kind in ("anon", "file") for half in ("Active", "Inactive")),
        ("Unevictable", 0),
        ("Mlocked", 0),
        ("SwapTotal", SWAP_TOTAL_KIB),
        ("SwapFree", SWAP_FREE_KIB),
        ("Zswap", 0),
        ("Zswapped", 0),
        *((name, _sum(name)) for name in ("Dirty", "Writeback", "AnonPages", "Mapped", "Shmem", "KReclaimable")),
        *((name, _sum(name)) for name in ("Slab", "SReclaimable", "SUnreclaim", "KernelStack", "PageTables")),
        ("SecPageTables", _sum("SecPageTables")),
        ("NFS_Unstable", 0),
        ("Bounce", 0),
        ("WritebackTmp", 0),
        ("CommitLimit", (total - sum(HUGEPAGES_2M) * 2048) // 2 + SWAP_TOTAL_KIB),
        ("Committed_AS", 171_204_336),
        ("VmallocTotal", 13_743_895_347_199),
        ("VmallocUsed", 612_408),
        ("VmallocChunk", 0),
        ("Percpu", 214_016),
        ("HardwareCorrupted", 0),
        *(
            (name, 0)
            for name in (
                "AnonHugePages",
                "ShmemHugePages",
                "ShmemPmdMapped",
                "FileHugePages",
                "FilePmdMapped",
            )
        ),
        ("HugePages_Total", sum(HUGEPAGES_2M)),
        ("HugePages_Free", 0),
        ("HugePages_Rsvd", 0),
        ("HugePages_Surp", 0),
        ("Hugepagesize", 2048),
        ("Hugetlb", sum(HUGEPAGES_2M) * 2048),
        ("DirectMap4k", 2_512_556),
        ("DirectMap2M", 57_309_184),
        ("DirectMap1G", 210_763_776),
    ]


def _vmstat() -> list[tuple[str, int]]:
    """The counters that tuning looks at, in the kernel's order."""
    hit, missed, remote = sum(NUMA_HIT), sum(NUMA_MISS), sum(NUMA_REMOTE)
    return [
        ("nr_free_pages", _sum("MemFree") // PAGE_KIB),
        ("numa_hit", hit),
        ("numa_miss", missed),
        ("numa_foreign", missed),
        ("numa_interleave", 30_237),
        ("numa_local", hit + missed - remote),
        ("numa_other", remote),
        ("nr_inactive_anon", _sum("Inactive(anon)") // PAGE_KIB),
        ("nr_active_anon", _sum("Active(anon)") // PAGE_KIB),
        ("nr_inactive_file", _sum("Inactive(file)") // PAGE_KIB),
        ("nr_active_file", _sum("Active(file)") // PAGE_KIB),
        ("nr_unevictable", 0),
        ("nr_mlock", 0),
        ("nr_anon_pages", _sum("AnonPages") // PAGE_KIB),
        ("nr_mapped", _sum("Mapped") // PAGE_KIB),
        ("nr_file_pages", _sum("FilePages") // PAGE_KIB),
        ("nr_dirty", _sum("Dirty") // PAGE_KIB),
        ("nr_writeback", _sum("Writeback") // PAGE_KIB),
        ("nr_shmem", _sum("Shmem") // PAGE_KIB),
        ("nr_anon_transparent_hugepages", 0),
        ("nr_dirty_threshold", available_kib() // PAGE_KIB * 40 // 100),
        ("nr_dirty_background_threshold", available_kib() // PAGE_KIB * 20 // 100),
        ("pgpgin", 88_214_906_332),
        ("pgpgout", 214_770_118_204),
        ("pswpin", 1_204_881),
        ("pswpout", 2_911_420),
        ("allocstall_normal", 48_213),
        ("allocstall_movable", 411_902),
        ("pgfault", 61_220_337_104),
        ("pgmajfault", 1_882_013),
        ("pgsteal_kswapd", 9_114_028_331),
        ("pgsteal_direct", 40_228_117),
        ("pgscan_kswapd", 12_003_118_204),
        ("pgscan_direct", 58_113_902),
        ("zone_reclaim_failed", 903_118),
        ("kswapd_low_wmark_hit_quickly", 811_402),
        ("numa_pte_updates", 0),
        ("numa_hint_faults", 0),
        ("numa_hint_faults_local", 0),
        ("numa_pages_migrated", 0),
        ("pgmigrate_success", 71_118_402),
        ("pgmigrate_fail", 33_108),
        ("compact_stall", 9_118),
        ("compact_fail", 4_402),
        ("compact_success", 4_716),
        ("htlb_buddy_alloc_success", 8192),
        ("htlb_buddy_alloc_fail", 0),
        ("thp_fault_alloc", 0),
        ("thp_fault_fallback", 0),
        ("thp_collapse_alloc", 0),
        ("thp_split_page", 0),
        ("swap_ra", 402_118),
        ("swap_ra_hit", 288_031),
        ("ksm_swpin_copy", 1_204),
        ("cow_ksm", 33_108_224),
    ]
