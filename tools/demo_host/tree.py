"""A tree of small text files that is filled before it is written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping


class Tree:
    """Paths below the recording's folder, each with its text; a path is set once."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}

    def put(self, path: str, value: object) -> None:
        """Set one file to a value and a newline, as the kernel ends its lines."""
        self.put_text(path, f"{value}\n")

    def put_text(self, path: str, text: str) -> None:
        """Set one file to exactly this text."""
        if path in self.texts:
            raise ValueError(f"{path} is set twice")
        self.texts[path] = text

    def put_all(self, folder: str, values: Mapping[str, object]) -> None:
        """Set several files of one folder."""
        for name, value in values.items():
            self.put(f"{folder}/{name}", value)


def cpu_list(cpus: Iterable[int]) -> str:
    """The kernel's list of these CPUs.

    >>> cpu_list([0, 1, 2, 8, 10, 11])
    '0-2,8,10-11'
    """
    runs: list[list[int]] = []
    for cpu in sorted(cpus):
        if runs and cpu == runs[-1][1] + 1:
            runs[-1][1] = cpu
        else:
            runs.append([cpu, cpu])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in runs)


def columns(rows: Iterable[tuple[str, int]]) -> str:
    """Lines of ``/proc/meminfo``: a label of 16 columns, the value, and its unit where it has one."""
    lines = []
    for name, value in rows:
        unit = "" if name.startswith("HugePages_") else " kB"
        lines.append(f"{name + ':':<16}{value:>8}{unit}\n")
    return "".join(lines)
