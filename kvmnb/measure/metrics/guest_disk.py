"""A guest's disks, as its QEMU counts them; the label is the disk's target (``vda``).

Latency is the rate of the seconds over that of the requests; requests under way in the mean are the rate of
the seconds alone.
"""

from __future__ import annotations

from dataclasses import replace

from kvmnb.measure.metric import SLOW, Metric

BLOCK = "libvirt's bulk call, group block: block.<n>"

DISK_READS = Metric(
    name="kvm_disk_reads_total",
    kind="counter",
    unit="requests",
    of="guest",
    label="disk",
    help="Read requests of a guest's disk that ended.",
    source=f"{BLOCK}.rd.reqs",
    cost="one call to libvirt, which asks the guest's QEMU",
    period=SLOW,
)
WITH_READS = "none of its own: it comes with the read requests"
DISK_READ_BYTES = replace(
    DISK_READS,
    name="kvm_disk_read_bytes_total",
    unit="bytes",
    help="Bytes that a guest read from its disk.",
    source=f"{BLOCK}.rd.bytes",
    cost=WITH_READS,
)
DISK_READ_SECONDS = replace(
    DISK_READS,
    name="kvm_disk_read_seconds_total",
    unit="seconds",
    help="Time that read requests took in QEMU and below, all requests added up; time that they wait for a limit "
    "set on the disk is part of it.",
    source=f"{BLOCK}.rd.times",
    cost=WITH_READS,
)
DISK_WRITES = replace(
    DISK_READS,
    name="kvm_disk_writes_total",
    help="Write requests of a guest's disk that ended.",
    source=f"{BLOCK}.wr.reqs",
    cost=WITH_READS,
)
DISK_WRITTEN_BYTES = replace(
    DISK_READS,
    name="kvm_disk_written_bytes_total",
    unit="bytes",
    help="Bytes that a guest wrote to its disk.",
    source=f"{BLOCK}.wr.bytes",
    cost=WITH_READS,
)
DISK_WRITE_SECONDS = replace(
    DISK_READ_SECONDS,
    name="kvm_disk_write_seconds_total",
    help="Time that write requests took in QEMU and below, all requests added up; time that they wait for a limit "
    "set on the disk is part of it.",
    source=f"{BLOCK}.wr.times",
)
DISK_FLUSHES = replace(
    DISK_READS,
    name="kvm_disk_flushes_total",
    help="Flush requests of a guest's disk that ended.",
    source=f"{BLOCK}.fl.reqs",
    cost=WITH_READS,
)
DISK_FLUSH_SECONDS = replace(
    DISK_READ_SECONDS,
    name="kvm_disk_flush_seconds_total",
    help="Time that flush requests took in QEMU and below, all requests added up.",
    source=f"{BLOCK}.fl.times",
)

METRICS = (
    DISK_READS,
    DISK_READ_BYTES,
    DISK_READ_SECONDS,
    DISK_WRITES,
    DISK_WRITTEN_BYTES,
    DISK_WRITE_SECONDS,
    DISK_FLUSHES,
    DISK_FLUSH_SECONDS,
)
