"""The interrupts: ``/proc/interrupts``, and which CPUs each may and does go to."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from tools.demo_host import shape
from tools.demo_host.network import PORTS
from tools.demo_host.storage import NVME_QUEUES, queue_cpus
from tools.demo_host.tree import Tree, cpu_list

WIDTH = 4
"""How wide the kernel writes a number where it has more than 999 of them."""
FIRST_MSI = 64

# label, meaning, about how often on a CPU, and whether /proc/stat counts it
ARCHITECTURE = (
    ("NMI", "Non-maskable interrupts", 88e3, True),
    ("LOC", "Local timer interrupts", 610e6, True),
    ("SPU", "Spurious interrupts", 0, False),
    ("PMI", "Performance monitoring interrupts", 88e3, False),
    ("IWI", "IRQ work interrupts", 1.4e6, True),
    ("RTR", "APIC ICR read retries", 0, True),
    ("RES", "Rescheduling interrupts", 410e6, True),
    ("CAL", "Function call interrupts", 290e6, True),
    ("TLB", "TLB shootdowns", 3.1e6, False),
    ("TRM", "Thermal event interrupts", 0, True),
    ("THR", "Threshold APIC interrupts", 0, True),
    ("DFR", "Deferred Error APIC interrupts", 0, False),
    ("MCE", "Machine check exceptions", 0, True),
    ("MCP", "Machine check polls", 0, True),
    ("PIN", "Posted-interrupt notification event", 120e6, False),
    ("NPI", "Nested posted-interrupt event", 0, False),
    ("PIW", "Posted-interrupt wakeup event", 38e6, False),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One numbered interrupt."""

    number: int
    chip: str
    pin: str
    """The number at its controller, and how it is triggered."""
    name: str
    cpus: tuple[int, ...]
    """Those that it may go to."""
    goes_to: int
    count: int


@cache
def lines() -> tuple[Line, ...]:
    """Every numbered interrupt, in order."""
    draw = random.Random(7)
    found = [
        _at_io_apic(0, "2-edge", "timer", 0, 42),
        _at_io_apic(8, "8-edge", "rtc0", 3, 1),
        _at_io_apic(9, "9-fasteoi", "acpi", 5, 18),
    ]

    def add(address: str, vector: int, name: str, cpus: tuple[int, ...], goes_to: int, about: float) -> None:
        number = FIRST_MSI + len(found)
        count = int(about * draw.uniform(0.7, 1.3))
        pin = f"{_at_pci(address) + vector}-edge"
        found.append(
            Line(number=number, chip="IR-PCI-MSI", pin=pin, name=name, cpus=cpus, goes_to=goes_to, count=count)
        )

    add("0000:00:17.0", 0, "ahci[0000:00:17.0]", shape.cpus_of(0), 9, 96e6)
    for drive, (address, node, about) in enumerate((("0000:31:00.0", 0, 118e6), ("0000:b1:00.0", 1, 46e6))):
        near = shape.cpus_of(node)
        add(address, 0, f"nvme{drive}q0", near, near[drive], 41)
        for queue in range(NVME_QUEUES):
            cpus = queue_cpus(queue)
            add(address, queue + 1, f"nvme{drive}q{queue + 1}", cpus, cpus[0], about)
    for port in PORTS:
        near = shape.cpus_of(port.numa_node)
        each = (port.counted[1] + port.counted[7]) / 20 / port.channels
        if port.driver == "igb":
            add(port.address, 0, port.name, near, near[10], 12)
            for channel in range(port.channels):
                cpu = near[16 + channel]
                add(port.address, channel + 1, f"{port.name}-TxRx-{channel}", near, cpu, each * 10)
        else:
            # The driver hands one CPU of the card's node to each channel; it knows nothing of pinned guests.
            add(port.address, 0, f"mlx5_async@pci:{port.address}", near, near[12], 31e3)
            for channel in range(port.channels):
                cpu = near[channel]
                add(port.address, channel + 1, f"mlx5_comp{channel}@pci:{port.address}", (cpu,), cpu, each)
    return tuple(found)


@cache
def architecture() -> dict[str, tuple[int, ...]]:
    """The counts of the interrupts that have a name instead of a number, on each CPU."""
    draw = random.Random(11)
    counts = {
        label: tuple(int(about * draw.uniform(0.8, 1.2)) for _ in shape.CPUS) for label, _, about, _ in ARCHITECTURE
    }
    # Each comes from the performance counters, and the banks are looked at every five minutes.
    return {**counts, "PMI": counts["NMI"], "MCP": (shape.UPTIME_SECONDS // 300,) * len(shape.CPUS)}


def total() -> int:
    """How many there were since boot, as ``/proc/stat`` sums them."""
    named = sum(sum(architecture()[label]) for label, _, _, counted in ARCHITECTURE if counted)
    return named + sum(line.count for line in lines())


def put_interrupts(tree: Tree) -> None:
    """The table, the affinities, and which numbers belong to which NIC."""
    rows = [" " * (WIDTH + 8) + "".join(f"CPU{cpu:<8d}" for cpu in shape.CPUS)]
    for line in lines():
        counts = (line.count if cpu == line.goes_to else 0 for cpu in shape.CPUS)
        pin, _, trigger = line.pin.partition("-")
        rows.append(f"{_row(line.number, counts)} {line.chip:>8} {pin:>{WIDTH}}-{trigger:<8}  {line.name}")
        folder = f"proc/irq/{line.number}"
        tree.put(f"{folder}/smp_affinity_list", cpu_list(line.cpus))
        tree.put(f"{folder}/effective_affinity_list", line.goes_to)
    for label, meaning, _, _ in ARCHITECTURE:
        if label == "PIN":
            rows += [f"{one:>{WIDTH}}: {0:>10}" for one in ("ERR", "MIS")]
        rows.append(f"{_row(label, architecture()[label])}  {meaning}")
    tree.put("proc/interrupts", "\n".join(rows))
    for port in PORTS:
        first = _at_pci(port.address)
        for line in lines():
            if line.chip == "IR-PCI-MSI" and 0 <= int(line.pin.removesuffix("-edge")) - first < 2048:
                tree.put(f"sys/class/net/{port.name}/device/msi_irqs/{line.number}", "msix")


def _row(label: int | str, counts: Iterable[int]) -> str:
    return f"{label:>{WIDTH}}: " + "".join(f"{count:>10} " for count in counts)


def _at_io_apic(number: int, pin: str, name: str, goes_to: int, count: int) -> Line:
    return Line(number=number, chip="IR-IO-APIC", pin=pin, name=name, cpus=shape.CPUS, goes_to=goes_to, count=count)


def _at_pci(address: str) -> int:
    """The kernel's number of a device's first vector: 2048 for each PCI function."""
    _, bus, rest = address.split(":")
    slot, function = rest.split(".")
    return (int(bus, 16) << 8 | int(slot, 16) << 3 | int(function)) << 11
