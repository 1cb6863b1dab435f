"""The table of live charts: what ``here.watch`` can be asked."""

from __future__ import annotations

from kvmnb.core.errors import KvmnbError
from kvmnb.core.near import near
from kvmnb.measure.metric import Metric
from kvmnb.measure.metrics import METRICS, guest_disk, guest_memory, guest_nic, host_cpu, host_disk, host_nic
from kvmnb.measure.metrics.pressure import HOST_PRESSURE_FULL, HOST_PRESSURE_SOME
from kvmnb.measure.metrics.vcpu import VCPU_RUN, VCPU_RUN_DELAY
from kvmnb.measure.unit import BYTES, GIBIBYTES, MILLISECONDS, PACKETS, PERCENT, PLAIN, REQUESTS, TIMES
from kvmnb.show.live.question import Line, Panel, Question, Together

EXTREMES: tuple[Together, ...] = ("highest", "mean")

CPU = Question(
    what="cpu",
    text="Do this guest's vCPUs run, or wait for a CPU?",
    of="guest",
    part="vCPU",
    absent="its vCPUs are not seen",
    panels=(
        Panel(
            axis="runs, % of one CPU",
            unit=PERCENT,
            least=100,
            lines=(
                Line(metric=VCPU_RUN, verb="runs", crowd=EXTREMES),
                Line(metric=host_cpu.HOST_CPU_BUSY, verb="busy", together="mean", subject="host CPUs, mean"),
            ),
        ),
        Panel(
            axis="waits, % of time",
            unit=PERCENT,
            least=5,
            lines=(Line(metric=VCPU_RUN_DELAY, verb="waits", crowd=EXTREMES),),
        ),
    ),
)
DISK = Question(
    what="disk",
    text="How fast do this guest's disks answer, and what does it ask of them?",
    of="guest",
    part="",
    absent="no disk of it is counted: libvirt did not answer, or it has none",
    panels=(
        Panel(
            axis="requests/s",
            unit=REQUESTS,
            least=1,
            lines=(
                Line(metric=guest_disk.DISK_READS, verb="reads"),
                Line(metric=guest_disk.DISK_WRITES, verb="writes"),
                Line(metric=guest_disk.DISK_FLUSHES, verb="flushes"),
            ),
        ),
        Panel(
            axis="bytes/s",
            unit=BYTES,
            least=1000,
            lines=(
                Line(metric=guest_disk.DISK_READ_BYTES, verb="reads"),
                Line(metric=guest_disk.DISK_WRITTEN_BYTES, verb="writes"),
            ),
        ),
        Panel(
            axis="ms per request",
            unit=MILLISECONDS,
            least=1,
            lines=(
                Line(
                    metric=guest_disk.DISK_READ_SECONDS,
                    per=guest_disk.DISK_READS,
                    verb="reads",
                    crowd=("highest",),
                ),
                Line(
                    metric=guest_disk.DISK_WRITE_SECONDS,
                    per=guest_disk.DISK_WRITES,
                    verb="writes",
                    crowd=("highest",),
                ),
                Line(
                    metric=guest_disk.DISK_FLUSH_SECONDS,
                    per=guest_disk.DISK_FLUSHES,
                    verb="flushes",
                    crowd=("highest",),
                ),
            ),
        ),
    ),
)
NETWORK = Question(
    what="network",
    text="What goes through this guest's interfaces, and what is lost?",
    of="guest",
    part="",
    absent="no tap of it is seen: it has no interface with one, or this user may not look into its QEMU",
    panels=(
        Panel(
            axis="packets/s",
            unit=PACKETS,
            least=1,
            lines=(
                Line(metric=guest_nic.NIC_RECEIVED, verb="in"),
                Line(metric=guest_nic.NIC_SENT, verb="out"),
            ),
        ),
        Panel(
            axis="bytes/s",
            unit=BYTES,
            least=1000,
            lines=(
                Line(metric=guest_nic.NIC_RECEIVED_BYTES, verb="in"),
                Line(metric=guest_nic.NIC_SENT_BYTES, verb="out"),
            ),
        ),
        Panel(
            axis="dropped packets/s",
            unit=PACKETS,
            least=1,
            lines=(
                Line(metric=guest_nic.NIC_RECEIVE_DROPS, verb="in"),
                Line(metric=guest_nic.NIC_SEND_DROPS, verb="out"),
            ),
        ),
    ),
)
MEMORY = Question(
    what="memory",
    text="How much memory does this guest hold, and is any of it swapped?",
    of="guest",
    part="",
    absent="its QEMU is not seen in /proc, and libvirt tells nothing of its balloon",
    panels=(
        Panel(
            axis="GiB",
            unit=GIBIBYTES,
            least=0.1,
            lines=(
                Line(metric=guest_memory.GUEST_RESIDENT, verb="", together="sum", subject="in RAM, ordinary pages"),
                Line(metric=guest_memory.GUEST_HUGEPAGES, verb="", together="sum", subject="in hugepages"),
                Line(metric=guest_memory.GUEST_SWAPPED, verb="", together="sum", subject="swapped out by the host"),
                Line(metric=guest_memory.GUEST_BALLOON, verb="", together="sum", subject="given by the balloon"),
                Line(metric=guest_memory.GUEST_BALLOON_USABLE, verb="", together="sum", subject="usable inside"),
            ),
        ),
        Panel(
            axis="waits for a disk, /s",
            unit=TIMES,
            least=1,
            lines=(
                Line(metric=guest_memory.GUEST_MAJOR_FAULTS, verb="", together="sum", subject="major faults"),
                Line(
                    metric=guest_memory.GUEST_INNER_MAJOR_FAULTS,
                    verb="",
                    together="sum",
                    subject="major faults inside",
                ),
            ),
        ),
    ),
)


def _spent(metric: Metric, on: str) -> Line:
    return Line(metric=metric, verb="", together="mean", subject=on)


HOST_CPU = Question(
    what="host.cpu",
    text="What do the host's CPUs spend their time on?",
    of="host",
    part="CPU",
    absent="its CPUs are not counted",
    panels=(
        Panel(
            axis="% of all CPUs",
            unit=PERCENT,
            least=10,
            lines=(
                _spent(host_cpu.HOST_CPU_USER, "programs and guests"),
                _spent(host_cpu.HOST_CPU_SYSTEM, "kernel"),
                _spent(host_cpu.HOST_CPU_SOFTIRQ, "softirq"),
                _spent(host_cpu.HOST_CPU_IOWAIT, "idle, waits for a disk"),
                _spent(host_cpu.HOST_CPU_STEAL, "steal"),
                _spent(host_cpu.HOST_CPU_GUEST, "of it guests under KVM"),
            ),
        ),
        Panel(
            axis="busy, % of one CPU",
            unit=PERCENT,
            least=100,
            lines=(
                Line(metric=host_cpu.HOST_CPU_BUSY, verb="", together="highest", subject="busiest CPU"),
                Line(metric=host_cpu.HOST_CPU_BUSY, verb="", together="mean", subject="mean CPU"),
            ),
        ),
    ),
)
HOST_PRESSURE = Question(
    what="host.pressure",
    text="What does work on this host stand still for?",
    of="host",
    part="for",
    absent="its kernel does not count pressure (psi=0, or Linux before 4.20)",
    panels=(
        Panel(
            axis="some wait, % of time",
            unit=PERCENT,
            least=10,
            lines=(Line(metric=HOST_PRESSURE_SOME, verb="", crowd=("highest",)),),
        ),
        Panel(
            axis="all wait, % of time",
            unit=PERCENT,
            least=10,
            lines=(Line(metric=HOST_PRESSURE_FULL, verb="", crowd=("highest",)),),
        ),
    ),
)
HOST_DISK = Question(
    what="host.disk",
    text="How fast do the host's disks answer, and how busy are they?",
    of="host",
    part="",
    absent="none of its disks had a request",
    panels=(
        Panel(
            axis="bytes/s",
            unit=BYTES,
            least=1000,
            lines=(
                Line(metric=host_disk.HOST_DISK_READ_BYTES, verb="reads"),
                Line(metric=host_disk.HOST_DISK_WRITTEN_BYTES, verb="writes"),
            ),
        ),
        Panel(
            axis="ms per request",
            unit=MILLISECONDS,
            least=1,
            lines=(
                Line(
                    metric=host_disk.HOST_DISK_READ_SECONDS,
                    per=host_disk.HOST_DISK_READS,
                    verb="reads",
                    crowd=("highest",),
                ),
                Line(
                    metric=host_disk.HOST_DISK_WRITE_SECONDS,
                    per=host_disk.HOST_DISK_WRITES,
                    verb="writes",
                    crowd=("highest",),
                ),
            ),
        ),
        Panel(
            axis="busy, % of time",
            unit=PERCENT,
            least=100,
            lines=(Line(metric=host_disk.HOST_DISK_BUSY, verb="busy", crowd=("highest",)),),
        ),
    ),
)
HOST_NETWORK = Question(
    what="host.network",
    text="What goes through the host's interfaces, and what is lost?",
    of="host",
    part="",
    absent="it has no interface",
    panels=(
        Panel(
            axis="packets/s",
            unit=PACKETS,
            least=1,
            lines=(
                Line(metric=host_nic.HOST_NIC_RECEIVED, verb="in"),
                Line(metric=host_nic.HOST_NIC_SENT, verb="out"),
            ),
        ),
        Panel(
            axis="bytes/s",
            unit=BYTES,
            least=1000,
            lines=(
                Line(metric=host_nic.HOST_NIC_RECEIVED_BYTES, verb="in"),
                Line(metric=host_nic.HOST_NIC_SENT_BYTES, verb="out"),
            ),
        ),
        Panel(
            axis="lost packets/s",
            unit=PACKETS,
            least=1,
            lines=(
                Line(metric=host_nic.HOST_NIC_RECEIVE_DROPS, verb="in"),
                Line(metric=host_nic.HOST_NIC_SEND_DROPS, verb="out"),
                Line(metric=host_nic.HOST_NIC_RING_DROPS, verb="in the ring"),
            ),
        ),
    ),
)
GUESTS = Question(
    what="guests",
    text="Which guest takes the CPU, and which one waits for it?",
    of="guests",
    part="",
    absent="no guest runs here that is seen",
    panels=(
        Panel(
            axis="run, % of one CPU",
            unit=PERCENT,
            least=100,
            lines=(Line(metric=VCPU_RUN, verb="runs", together="sum"),),
        ),
        Panel(
            axis="wait, % of one CPU",
            unit=PERCENT,
            least=5,
            lines=(Line(metric=VCPU_RUN_DELAY, verb="waits", together="sum"),),
        ),
    ),
)

QUESTIONS = (CPU, DISK, NETWORK, MEMORY, GUESTS, HOST_CPU, HOST_PRESSURE, HOST_DISK, HOST_NETWORK)

_BY_WORD = {one.what: one for one in QUESTIONS}
_METRICS = {one.name: one for one in METRICS}


def question(what: str) -> Question:
    """The question of this word, or that of the metric of this name; KvmnbError that lists the words."""
    if what in _BY_WORD:
        return _BY_WORD[what]
    if what in _METRICS:
        return _of_metric(_METRICS[what])
    words = ", ".join(_BY_WORD)
    hint = near(what, (*_BY_WORD, *_METRICS), "each metric of docs/metrics.md can be drawn by its name")
    raise KvmnbError(f"there is no live chart of {what[:60]!r}, {hint} There are charts of {words}.")


def _of_metric(metric: Metric) -> Question:
    """A chart of one metric alone."""
    unit, axis = PLAIN, metric.unit
    if metric.unit == "bytes" and metric.kind == "gauge":
        unit, axis = GIBIBYTES, "GiB"
    elif metric.unit == "bytes":
        unit, axis = BYTES, "bytes/s"
    elif metric.unit == "seconds":
        unit, axis = PERCENT, "% of one second each second"
    elif metric.kind == "counter":
        unit, axis = TIMES, f"{metric.unit}/s"
    line = Line(metric=metric, verb="", crowd=("highest", "mean"))
    whole = Line(metric=metric, verb="", together="sum", subject=metric.name)
    return Question(
        what=metric.name,
        text=f"How does {metric.name} go? {metric.help.split('. ')[0].rstrip('.')}.",
        of=metric.of,
        part={"vcpu": "vCPU", "cpu": "CPU", "node": "node"}.get(metric.label, ""),
        absent=f"nothing is read from {metric.source}",
        panels=(Panel(axis=axis, unit=unit, least=0, lines=(line if metric.label else whole,)),),
    )
