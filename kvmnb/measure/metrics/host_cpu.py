"""The host's CPUs."""

from __future__ import annotations

from dataclasses import replace

from kvmnb.measure.metric import SLOW, TICK, Metric

STAT = "/proc/stat, lines cpu<N>"
WITH_BUSY = "none of its own: it comes with the busy time"

HOST_CPU_BUSY = Metric(
    name="host_cpu_busy_seconds_total",
    kind="counter",
    unit="seconds",
    of="host",
    label="cpu",
    help="Time a host CPU did work of any kind: guests, processes, the kernel and its interrupts. Idle, I/O "
    "wait and time stolen by a hypervisor below this host are left out. Counted in steps of 10 ms.",
    source=f"{STAT}: user + nice + system + irq + softirq",
    cost="one read for all CPUs",
    period=TICK,
)


def _part(name: str, help: str, column: str) -> Metric:
    source = f"{STAT}: {column}"
    return replace(HOST_CPU_BUSY, name=f"host_cpu_{name}_seconds_total", help=help, source=source, cost=WITH_BUSY)


HOST_CPU_USER = _part("user", "Time a host CPU ran programs; that of guests is part of it.", "user + nice")
HOST_CPU_GUEST = _part(
    "guest", "Time a host CPU ran guests under KVM; under TCG a guest's time is a program's.", "guest + guest_nice"
)
HOST_CPU_SYSTEM = _part("system", "Time a host CPU ran the kernel on behalf of programs.", "system")
HOST_CPU_IOWAIT = _part(
    "iowait", "Time a host CPU was idle while a program that last ran on it waited for a disk.", "iowait"
)
HOST_CPU_IRQ = _part("irq", "Time a host CPU served interrupts, where the kernel accounts it.", "irq")
HOST_CPU_SOFTIRQ = _part(
    "softirq", "Time a host CPU worked off what interrupts left behind, mostly network packets.", "softirq"
)
HOST_CPU_STEAL = _part(
    "steal", "Time a hypervisor below this host ran something else than this CPU, which wanted to run.", "steal"
)
HOST_CPU_IDLE = _part("idle", "Time a host CPU had nothing to do and waited for nothing.", "idle")
HOST_SWITCHES = Metric(
    name="host_context_switches_total",
    kind="counter",
    unit="switches",
    of="host",
    label="",
    help="Context switches of all host CPUs.",
    source="/proc/stat, line ctxt",
    cost=WITH_BUSY,
    period=TICK,
)
HOST_RUNNABLE = replace(
    HOST_SWITCHES,
    name="host_runnable_threads",
    kind="gauge",
    unit="threads",
    help="Threads that run or are ready to run at the moment of the reading.",
    source="/proc/stat, line procs_running",
)
HOST_INTERRUPTS = replace(
    HOST_CPU_BUSY,
    name="host_interrupts_total",
    unit="interrupts",
    help="Device interrupts that each host CPU served: how evenly they are spread. The CPU's own (timer, calls "
    "between CPUs) are left out.",
    source="/proc/interrupts, lines with a number, by column",
    cost="one read; the file grows with CPUs times interrupts, to some MiB on the largest hosts",
    period=SLOW,
)

METRICS = (
    HOST_CPU_BUSY,
    HOST_CPU_USER,
    HOST_CPU_GUEST,
    HOST_CPU_SYSTEM,
    HOST_CPU_IOWAIT,
    HOST_CPU_IRQ,
    HOST_CPU_SOFTIRQ,
    HOST_CPU_STEAL,
    HOST_CPU_IDLE,
    HOST_SWITCHES,
    HOST_RUNNABLE,
    HOST_INTERRUPTS,
)
