"""A host's device interrupts, from ``/proc/interrupts`` and ``/proc/irq``."""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import lru_cache
from typing import NamedTuple

from kvmnb.core.cpuset import CpuSet
from kvmnb.facts.interrupt import Interrupt
from kvmnb.probe.reader import Reader, seen

# What stands between the controller's name and the names of those who asked: "512000-edge", "27 Level",
# "0-edge", "-ioapic-edge" or, by old kernels, nothing.
_TRIGGER = re.compile(
    r"(\S+)"
    r"(?:\s+(?:\d*-[a-z][a-z0-9-]*|\d+\s+(?:Level|Edge|None)(?:\s+-\S+)?|\d+|(?:Level|Edge|None)(?=\s|$)))?"
    r"\s*(.*)"
)


class InterruptRow(NamedTuple):
    """One line of ``/proc/interrupts``: ``24``, or ``LOC`` and its like."""

    label: str
    counts: str
    """How often it came on each CPU of the header, as the kernel wrote it."""
    chip: str
    name: str


def probe_interrupts(read: Reader, only: Collection[int] | None = None) -> tuple[Interrupt, ...]:
    """Every numbered interrupt, or those of ``only``, by number."""
    rows = read.parse("proc/interrupts", "host.interrupts", lambda text: parse_interrupts(text)[1])
    if not seen(rows):
        return rows  # type: ignore[return-value]
    found = []
    for row in rows:
        if not row.label.isdecimal() or (only is not None and int(row.label) not in only):
            continue
        path, fact = f"proc/irq/{row.label}", f"host.interrupts[{row.label}]"
        found.append(
            Interrupt(
                number=int(row.label),
                chip=row.chip,
                name=row.name,
                affinity=read.parse(f"{path}/smp_affinity_list", f"{fact}.affinity", _cpus),
                effective_affinity=read.parse(
                    f"{path}/effective_affinity_list", f"{fact}.effective_affinity", _cpus, None
                ),
            )
        )
    return tuple(sorted(found, key=lambda interrupt: interrupt.number))


def parse_interrupts(text: str) -> tuple[tuple[int, ...], list[InterruptRow]]:
    """The CPUs of the columns, and the lines; ValueError where the header is none.

    >>> cpus, rows = parse_interrupts("     CPU0   CPU1\\n 24:  5  0  PCI-MSI 81920-edge      eth0-rx-0, eth0-tx-0")
    >>> cpus, rows[0].label, rows[0].counts.split(), rows[0].chip, rows[0].name
    ((0, 1), '24', ['5', '0'], 'PCI-MSI', 'eth0-rx-0, eth0-tx-0')
    """
    head, _, body = text.partition("\n")
    names = head.split()
    if not names or not all(re.fullmatch(r"CPU\d{1,5}", name) for name in names):
        raise ValueError("it does not begin with the line of CPUs")
    # The kernel writes 8 blanks more before its first column than labels are wide, and 11 letters for each.
    indent = len(head) - len(head.lstrip())
    end = indent - 8 + 1 + 11 * len(names) if indent > 8 else 0
    line = re.compile(rf"\s*([0-9A-Za-z]+):((?:\s+\d+){{{len(names)}}})(?:\s+(.*))?$")
    rows = []
    for one in body.splitlines():
        label, _, counts = one[:end].partition(":")
        rest = one[end:]
        if not counts or counts.strip(" 0123456789") or rest[:1] != " " or rest.lstrip()[:1].isdecimal():
            # Of another width, as where somebody took the blanks away.
            match = line.match(one)
            if match is None:
                if re.match(r"\s*\d", one):
                    raise ValueError(f"the line {one[:40]!r} is cut off")
                # ERR and MIS have one number for all CPUs.
                continue
            label, counts, rest = match[1], match[2], match[3] or ""
        label, rest = label.strip(), rest.lstrip()
        if label.isdecimal() and len(label) < 10:
            parts = _TRIGGER.match(rest)
            rows.append(InterruptRow(label, counts, parts[1] if parts else "", parts[2].strip() if parts else ""))
        else:
            rows.append(InterruptRow(label, counts, "", rest.strip()))
    return tuple(int(name[3:]) for name in names), rows


@lru_cache(4096)
def _cpus(text: str) -> CpuSet:
    """A CPU list; thousands of interrupts share a few."""
    return CpuSet.parse(text)
