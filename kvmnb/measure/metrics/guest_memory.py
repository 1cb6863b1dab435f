"""A guest's memory, as the host and as its balloon tell it."""

from __future__ import annotations

from dataclasses import replace

from kvmnb.measure.metric import RARE, SLOW, TICK, Metric

STATUS = "/proc/<qemu>/status"
WITH_RESIDENT = "none of its own: it comes with the resident memory"
BALLOON = "libvirt's bulk call, group balloon: balloon"

GUEST_RESIDENT = Metric(
    name="kvm_guest_resident_bytes",
    kind="gauge",
    unit="bytes",
    of="guest",
    label="",
    help="Memory of a guest's QEMU that is in RAM in pages of the ordinary size; hugepages of hugetlbfs are apart.",
    source=f"{STATUS}, VmRSS",
    cost="one read of a longer file per guest",
    period=SLOW,
)
GUEST_SWAPPED = replace(
    GUEST_RESIDENT,
    name="kvm_guest_swapped_bytes",
    help="Memory of a guest's QEMU that the host has swapped out.",
    source=f"{STATUS}, VmSwap",
    cost=WITH_RESIDENT,
)
GUEST_HUGEPAGES = replace(
    GUEST_RESIDENT,
    name="kvm_guest_hugepage_bytes",
    help="Memory of a guest's QEMU in hugepages of hugetlbfs; transparent hugepages are part of the resident memory.",
    source=f"{STATUS}, HugetlbPages",
    cost=WITH_RESIDENT,
)
GUEST_MAJOR_FAULTS = Metric(
    name="kvm_guest_major_faults_total",
    kind="counter",
    unit="faults",
    of="guest",
    label="",
    help="Page faults of a guest's QEMU that waited for a disk: its memory was swapped out, or a file not read yet.",
    source="/proc/<qemu>/stat, majflt",
    cost="none of its own: it comes with the guest's CPU time",
    period=TICK,
)
GUEST_NODE_MEMORY = Metric(
    name="kvm_guest_node_memory_bytes",
    kind="gauge",
    unit="bytes",
    of="guest",
    label="node",
    help="Memory of a guest's QEMU on each host NUMA node, hugepages included.",
    source="/proc/<qemu>/numa_maps, N<node>= times kernelpagesize_kB=",
    cost="dear: the kernel walks all page tables of the process, and holds its memory's lock meanwhile",
    period=RARE,
)
GUEST_BALLOON = Metric(
    name="kvm_guest_balloon_bytes",
    kind="gauge",
    unit="bytes",
    of="guest",
    label="",
    help="Memory that the guest has with its balloon as it is now.",
    source=f"{BALLOON}.current",
    cost="one call to libvirt, which asks the guest's QEMU",
    period=SLOW,
)
WITH_BALLOON = "none of its own: it comes with the balloon"
GUEST_BALLOON_UNUSED = replace(
    GUEST_BALLOON,
    name="kvm_guest_balloon_unused_bytes",
    help="Memory that the guest's system does not use at all, as its balloon driver tells; absent where the "
    "balloon has no statistics period.",
    source=f"{BALLOON}.unused",
    cost=WITH_BALLOON,
)
GUEST_BALLOON_USABLE = replace(
    GUEST_BALLOON,
    name="kvm_guest_balloon_usable_bytes",
    help="Memory that programs in the guest can still get without swapping, as its balloon driver tells.",
    source=f"{BALLOON}.usable",
    cost=WITH_BALLOON,
)
GUEST_SWAP_IN = replace(
    GUEST_BALLOON,
    name="kvm_guest_inner_swap_in_bytes_total",
    kind="counter",
    help="Memory that the guest's own system swapped in, as its balloon driver tells.",
    source=f"{BALLOON}.swap_in",
    cost=WITH_BALLOON,
)
GUEST_SWAP_OUT = replace(
    GUEST_BALLOON,
    name="kvm_guest_inner_swap_out_bytes_total",
    kind="counter",
    help="Memory that the guest's own system swapped out, as its balloon driver tells.",
    source=f"{BALLOON}.swap_out",
    cost=WITH_BALLOON,
)
GUEST_INNER_MAJOR_FAULTS = replace(
    GUEST_BALLOON,
    name="kvm_guest_inner_major_faults_total",
    kind="counter",
    unit="faults",
    help="Page faults inside the guest that waited for its disk, as its balloon driver tells.",
    source=f"{BALLOON}.major_fault",
    cost=WITH_BALLOON,
)

METRICS = (
    GUEST_RESIDENT,
    GUEST_SWAPPED,
    GUEST_HUGEPAGES,
    GUEST_MAJOR_FAULTS,
    GUEST_NODE_MEMORY,
    GUEST_BALLOON,
    GUEST_BALLOON_UNUSED,
    GUEST_BALLOON_USABLE,
    GUEST_SWAP_IN,
    GUEST_SWAP_OUT,
    GUEST_INNER_MAJOR_FAULTS,
)
