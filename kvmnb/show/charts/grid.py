"""Where each CPU is drawn: a column for each core, a row for each of its threads, a block for each node."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from kvmnb.core.cpuset import CpuSet
from kvmnb.facts.cpu import Cpu
from kvmnb.facts.host import Host

# Wider than this, a cell is too narrow for its number on a screen of 1280 pixels.
_WIDEST = 32
_NARROWEST = 16
_GAP_ROWS = 0.9


@dataclass(frozen=True, slots=True)
class Cell:
    """One CPU's place; ``x`` and ``y`` are of its lower left corner, each cell is 1 wide and high."""

    cpu: Cpu
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Block:
    """One node's cells, and the line of text above them."""

    title: str
    y: float


@dataclass(frozen=True, slots=True)
class Grid:
    """All cells, the blocks they stand in, and how far they reach."""

    cells: tuple[Cell, ...]
    blocks: tuple[Block, ...]
    width: float
    height: float


def grid(host: Host) -> Grid:
    """Each node as a block, the first on top; CPUs that no node lists come last."""
    cells: list[Cell] = []
    blocks: list[Block] = []
    top = 0.0
    for title, cores in _nodes(host):
        blocks.append(Block(title, top))
        top -= _GAP_ROWS
        for start in range(0, len(cores), _columns(host)):
            strip = cores[start : start + _columns(host)]
            deep = max(len(core) for core in strip)
            for column, core in enumerate(strip):
                cells.extend(Cell(cpu, float(column), top - row - 1) for row, cpu in enumerate(core))
            top -= deep + 0.25
        top -= 0.1
    return Grid(tuple(cells), tuple(blocks), float(_columns(host)), -top)


def _columns(host: Host) -> int:
    widest = max((len(cores) for _, cores in _nodes(host)), default=1)
    if widest <= _WIDEST:
        return max(widest, _NARROWEST)
    return next((width for width in range(_WIDEST, _NARROWEST - 1, -1) if widest % width == 0), _WIDEST)


def _nodes(host: Host) -> list[tuple[str, list[list[Cpu]]]]:
    """Each node's title, and its cores as lists of CPUs."""
    places = sorted({(_first(cpu.package), _first(cpu.node)) for cpu in host.cpus if cpu.online})
    nodes = []
    for package, node in places:
        inside = [cpu for cpu in host.cpus if cpu.online and (_first(cpu.package), _first(cpu.node)) == (package, node)]
        title = f"Package {package}, NUMA node {node}" if node >= 0 else f"Package {package}"
        nodes.append((title if package >= 0 else f"NUMA node {node}", list(_cores(inside))))
    offline = [[cpu] for cpu in host.cpus if not cpu.online]
    return [*nodes, ("Offline", offline)] if offline else nodes


def _cores(cpus: list[Cpu]) -> Iterator[list[Cpu]]:
    by_number = {cpu.id: cpu for cpu in cpus}
    done: set[int] = set()
    for cpu in cpus:
        if cpu.id not in done:
            core = (cpu.siblings | CpuSet.of(cpu.id)) & CpuSet(by_number)
            done.update(core)
            yield [by_number[number] for number in core]


def _first(number: int | None) -> int:
    return -1 if number is None else number
