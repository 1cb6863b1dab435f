"""The host's memory: by NUMA node, in hugepages, in swap, shared by KSM."""

from __future__ import annotations

from dataclasses import replace

from kvmnb.measure.metric import SLOW, TICK, Metric

NODE = "/sys/devices/system/node/node<N>"
KSM = "/sys/kernel/mm/ksm"

HOST_NODE_MEMORY = Metric(
    name="host_node_memory_bytes",
    kind="gauge",
    unit="bytes",
    of="host",
    label="node",
    help="Memory of a NUMA node.",
    source=f"{NODE}/meminfo, MemTotal",
    cost="one read of a small file per node",
    period=SLOW,
)
WITH_NODE = "none of its own: it comes with the node's memory"
HOST_NODE_FREE = replace(
    HOST_NODE_MEMORY,
    name="host_node_free_bytes",
    help="Memory of a NUMA node that nothing uses, not even as a cache of files.",
    source=f"{NODE}/meminfo, MemFree",
    cost=WITH_NODE,
)
HOST_NODE_FILES = replace(
    HOST_NODE_MEMORY,
    name="host_node_file_cache_bytes",
    help="Memory of a NUMA node that caches files.",
    source=f"{NODE}/meminfo, FilePages",
    cost=WITH_NODE,
)
HOST_HUGEPAGES = replace(
    HOST_NODE_MEMORY,
    name="host_hugepages",
    unit="pages",
    label="pool",
    help="Hugepages of a pool; the label is node and page size, as in 0:2048kB.",
    source=f"{NODE}/hugepages/hugepages-<size>/nr_hugepages",
    cost="one read of a small file per node and size",
)
HOST_HUGEPAGES_FREE = replace(
    HOST_HUGEPAGES,
    name="host_hugepages_free",
    help="Hugepages of a pool that nothing uses; the label is node and page size, as in 0:2048kB.",
    source=f"{NODE}/hugepages/hugepages-<size>/free_hugepages",
)
HOST_AVAILABLE = replace(
    HOST_NODE_MEMORY,
    name="host_memory_available_bytes",
    label="",
    help="Memory that programs can still get without swapping, as the kernel estimates it.",
    source="/proc/meminfo, MemAvailable",
    cost="one read",
)
HOST_SWAP_USED = replace(
    HOST_AVAILABLE,
    name="host_swap_used_bytes",
    help="Swap in use.",
    source="/proc/meminfo, SwapTotal - SwapFree",
    cost="none of its own: it comes with the available memory",
)
HOST_SWAP_IN = Metric(
    name="host_swap_in_bytes_total",
    kind="counter",
    unit="bytes",
    of="host",
    label="",
    help="Memory that the host read back from swap.",
    source="/proc/vmstat, pswpin times the page size",
    cost="one read",
    period=TICK,
)
HOST_SWAP_OUT = replace(
    HOST_SWAP_IN,
    name="host_swap_out_bytes_total",
    help="Memory that the host wrote to swap.",
    source="/proc/vmstat, pswpout times the page size",
    cost="none of its own: it comes with what was swapped in",
)
HOST_MAJOR_FAULTS = replace(
    HOST_SWAP_OUT,
    name="host_major_faults_total",
    unit="faults",
    help="Page faults of all programs that waited for a disk.",
    source="/proc/vmstat, pgmajfault",
)
HOST_KSM_SHARED = replace(
    HOST_AVAILABLE,
    name="host_ksm_shared_bytes",
    help="Memory that holds pages which KSM made one of several.",
    source=f"{KSM}/pages_shared times the page size",
    cost="one read of a small file",
)
HOST_KSM_SAVED = replace(
    HOST_KSM_SHARED,
    name="host_ksm_saved_bytes",
    help="Memory that KSM saves: what the shared pages would take more if each had its own.",
    source=f"{KSM}/pages_sharing times the page size",
)
HOST_KSM_SCANS = replace(
    HOST_SWAP_IN,
    name="host_ksm_scans_total",
    unit="scans",
    help="How often KSM has looked through all memory that is given to it.",
    source=f"{KSM}/full_scans",
    cost="one read of a small file",
    period=SLOW,
)

METRICS = (
    HOST_NODE_MEMORY,
    HOST_NODE_FREE,
    HOST_NODE_FILES,
    HOST_HUGEPAGES,
    HOST_HUGEPAGES_FREE,
    HOST_AVAILABLE,
    HOST_SWAP_USED,
    HOST_SWAP_IN,
    HOST_SWAP_OUT,
    HOST_MAJOR_FAULTS,
    HOST_KSM_SHARED,
    HOST_KSM_SAVED,
    HOST_KSM_SCANS,
)
