"""The host's block devices; the label is the kernel's name of the device, partitions left out.

Latency is the rate of the seconds over that of the requests; utilisation is the rate of the busy seconds; the
queue's mean length is the rate of the queued seconds.
"""

from __future__ import annotations

from dataclasses import replace

from kvmnb.measure.metric import TICK, Metric

STATS = "/proc/diskstats"

HOST_DISK_READS = Metric(
    name="host_disk_reads_total",
    kind="counter",
    unit="requests",
    of="host",
    label="disk",
    help="Read requests of a block device that ended.",
    source=f"{STATS}, field 4",
    cost="one read for all devices",
    period=TICK,
)


def _more(name: str, unit: str, help: str, field: str) -> Metric:
    return replace(
        HOST_DISK_READS,
        name=f"host_disk_{name}",
        unit=unit,
        help=help,
        source=f"{STATS}, {field}",
        cost="none of its own: it comes with the read requests",
    )


HOST_DISK_READ_BYTES = _more("read_bytes_total", "bytes", "Bytes read from a block device.", "field 6 times 512")
HOST_DISK_READ_SECONDS = _more(
    "read_seconds_total", "seconds", "Time that read requests took, from the queue to their end, added up.", "field 7"
)
HOST_DISK_WRITES = _more("writes_total", "requests", "Write requests of a block device that ended.", "field 8")
HOST_DISK_WRITTEN_BYTES = _more(
    "written_bytes_total", "bytes", "Bytes written to a block device.", "field 10 times 512"
)
HOST_DISK_WRITE_SECONDS = _more(
    "write_seconds_total",
    "seconds",
    "Time that write requests took, from the queue to their end, added up.",
    "field 11",
)
HOST_DISK_IN_FLIGHT = replace(
    _more("in_flight", "requests", "Requests under way at the moment of the reading.", "field 12"), kind="gauge"
)
HOST_DISK_BUSY = _more(
    "busy_seconds_total",
    "seconds",
    "Time with at least one request under way: the utilisation of a disk that serves one request at a time. A "
    "device that serves many at once may read 1 s/s and still have much to give.",
    "field 13",
)
HOST_DISK_QUEUED = _more(
    "queued_seconds_total", "seconds", "Time of all requests under way, added up: the queue's mean length.", "field 14"
)
HOST_DISK_FLUSHES = _more(
    "flushes_total", "requests", "Flush requests of a block device that ended (Linux 5.5 on).", "field 19"
)
HOST_DISK_FLUSH_SECONDS = _more(
    "flush_seconds_total", "seconds", "Time that flush requests took, added up (Linux 5.5 on).", "field 20"
)

METRICS = (
    HOST_DISK_READS,
    HOST_DISK_READ_BYTES,
    HOST_DISK_READ_SECONDS,
    HOST_DISK_WRITES,
    HOST_DISK_WRITTEN_BYTES,
    HOST_DISK_WRITE_SECONDS,
    HOST_DISK_IN_FLIGHT,
    HOST_DISK_BUSY,
    HOST_DISK_QUEUED,
    HOST_DISK_FLUSHES,
    HOST_DISK_FLUSH_SECONDS,
)
