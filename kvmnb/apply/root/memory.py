"""Where running guests' memory lies, which root alone may read."""

from __future__ import annotations

from collections.abc import Sequence

from kvmnb.apply.root.answer import Memory
from kvmnb.machine.files import Files
from kvmnb.machine.processes import qemu_processes


def memory_of(guests: Sequence[str], files: Files) -> tuple[Memory, ...]:
    """The kernel's texts of these guests' QEMU processes; a guest that does not run is left out."""
    found = []
    for process in qemu_processes(files) if guests else ():
        if process.uuid not in guests:
            continue
        folder = f"proc/{process.pid}"
        try:
            texts = files.read(f"{folder}/numa_maps"), files.read(f"{folder}/smaps_rollup")
            # The same process still, not a later one with its number.
            same = int(files.read(f"{folder}/stat").rpartition(")")[2].split()[19]) == process.start_ticks
        except (OSError, ValueError, IndexError):
            # It ended meanwhile, or the kernel was built without NUMA.
            continue
        if same:
            found.append(Memory(process.uuid, process.pid, *texts))
    return tuple(found)
