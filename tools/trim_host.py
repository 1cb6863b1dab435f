"""Make a small recorded host of a large tree: only the files that the CPU and memory probes open.

    python -m tools.trim_host TREE FOLDER --title TEXT --origin TEXT [--without WORD]...

TREE holds ``sys/`` and ``proc/``; FOLDER is made. ``--without cpuidle`` leaves out files whose path
has the word as one of its parts, to keep a large machine small.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from kvmnb.machine.files import ReadOnlyFiles
from kvmnb.probe.cpu import online_cpus, probe_cpus
from kvmnb.probe.cpu_system import probe_cpu_system
from kvmnb.probe.memory import probe_nodes
from kvmnb.probe.odd import oddities
from kvmnb.probe.reader import Reader


class NotedFiles(ReadOnlyFiles):
    """A tree that notes which files were read, and hides some."""

    def __init__(self, root: Path, without: frozenset[str]) -> None:
        super().__init__(root)
        self.noted: dict[str, bytes] = {}
        self._without = without

    def read_bytes(self, path: str) -> bytes:
        if self._without.intersection(path.split("/")):
            raise FileNotFoundError(2, "No such file or directory", path)
        raw = super().read_bytes(path)
        self.noted[path] = raw
        return raw

    def names(self, path: str) -> list[str]:
        if self._without.intersection(path.split("/")):
            raise FileNotFoundError(2, "No such file or directory", path)
        return super().names(path)


def trim(tree: Path, without: frozenset[str]) -> dict[str, bytes]:
    """What the probes read of a tree, by path."""
    files = NotedFiles(tree, without)
    read = Reader(files)
    online = online_cpus(read)
    nodes = probe_nodes(read, online)
    node_of = {cpu: node.id for node in nodes if node.gap_of("cpus") is None for cpu in node.cpus}
    cpus = probe_cpus(read, node_of)
    oddities(read, cpus, nodes, probe_cpu_system(read, online))
    for cpu in cpus:
        # An offline CPU is seen by its folder alone.
        folder = f"sys/devices/system/cpu/cpu{cpu.id}"
        if not any(path.startswith(f"{folder}/") for path in files.noted):
            files.noted[f"{folder}/online"] = b"0\n"
    return files.noted


def write(files: dict[str, bytes], folder: Path, title: str, origin: str) -> None:
    """Write a recorded host."""
    cover = {
        "schema": "kvmnb.recording/1",
        "made_at": "2026-01-01T00:00:00Z",
        "kvmnb": "0.1.0",
        "title": title,
        "origin": origin,
    }
    files = {**files, "recording.json": (json.dumps(cover, indent=2) + "\n").encode()}
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(text)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tree", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--title", required=True)
    parser.add_argument("--origin", required=True)
    parser.add_argument("--without", action="append", default=[])
    options = parser.parse_args()
    files = trim(options.tree, frozenset(options.without))
    write(files, options.folder, options.title, options.origin)
    print(f"{options.folder}: {len(files) + 1} files")


if __name__ == "__main__":
    main()
