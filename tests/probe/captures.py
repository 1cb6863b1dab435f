"""Captures of other projects' machines, unpacked, and what they hold when read by the simplest means.

The simple readings share no code with the probes: they read every CPU for itself, either the lists or the
masks, so that they prove them.
"""

from __future__ import annotations

import re
import tarfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.archives import extract

# What the probes and the simple readings read; the rest of a capture is not unpacked.
_WANTED = re.compile(
    r"(?:^|/)(?:sys/(?:devices/(?:system/(?:cpu|node)|cpu_\w+)|kernel/mm|fs/cgroup)"
    r"|proc/(?:meminfo|mounts|cpuinfo|self/(?:cpuset|status|cgroup))|dev/cpuset)(?:/|$)"
)
_UNWANTED = re.compile(
    r"/(?:power|thermal_throttle|acpi_cppc|microcode|stats|firmware_node|subsystem|memory\d+|node\d+/cpu\d+"
    r"|cpu\d+/node\d+|crash_notes\w*|cpuidle/state\d+/(?!name|latency|disable)\w+"
    r"|cache/index\d+/(?!level|type|size|shared)\w+)(?:/|$)"
)

Sets = frozenset[frozenset[int]]


def unpack(archive: Path, into: Path) -> Path:
    """Unpack what matters of one capture and name the folder above its ``sys`` or ``proc``."""
    with tarfile.open(archive) as packed:
        if any(re.match(r"(\./)?system/", member.name) for member in packed):
            target = into / "sys/devices"
            target.mkdir(parents=True)
            extract(packed, target)
            return into
        extract(packed, into, [one for one in packed if _wanted(one.name)])
    tops = sorted(
        path.parent for path in into.glob("**/sys") if path.is_dir() and len(path.relative_to(into).parts) < 4
    )
    if tops:
        return tops[0]
    (into / "proc").mkdir(exist_ok=True)
    return into


def _wanted(name: str) -> bool:
    return bool(_WANTED.search(name)) and not _UNWANTED.search(name)


def reference(expected: dict[str, Any]) -> dict[str, Any]:
    """An expected answer in the form of a simple reading."""
    return {
        "online": frozenset(expected["online"]),
        "packages": _sets(package["cpus"] for package in expected["packages"]),
        "cores": _sets(expected["cores"]),
        "nodes": {node["id"]: frozenset(node["cpus"]) for node in expected["numa"] if node["cpus"]},
        "memory": {node["id"]: node["mem_kb"] * 1024 for node in expected["numa"] if node.get("mem_kb")},
        "l3": _sets(cache["cpus"] for cache in expected["caches"].get("L3", ())),
    }


def reading(root: Path, form: str) -> dict[str, Any]:
    """A tree read by the simplest means; ``form`` is ``lists`` or ``masks``."""
    cpu, node = root / "sys/devices/system/cpu", root / "sys/devices/system/node"
    folders = {int(path.name[3:]): path for path in cpu.glob("cpu[0-9]*") if path.name[3:].isdigit()}
    listed = _text(cpu / "online")
    online = frozenset(folders) if listed is None else _list(listed) & frozenset(folders)

    def shared(path: Path, name: str) -> frozenset[int] | None:
        text = _text(path / (f"{name}_list" if form == "lists" else _MASK.get(name, name)))
        return None if text is None else (_list if form == "lists" else _mask)(text) & online

    def groups(name: str) -> Sets:
        return _sets(s for n in online if (s := shared(folders[n] / "topology", name)) is not None and n in s)

    caches = [
        (n, path) for n in online for path in (folders[n] / "cache").glob("index*") if _text(path / "level") == "3"
    ]
    nodes = {int(path.name[4:]): path for path in node.glob("node[0-9]*")}
    of_node = {
        n: (_list(text) if (text := _text(path / "cpulist")) is not None else _mask(_text(path / "cpumap") or "0"))
        & online
        for n, path in nodes.items()
    }
    meminfo = {n: path / "meminfo" for n, path in nodes.items()}
    if not nodes:
        of_node, meminfo = {0: online}, {0: root / "proc/meminfo"}
    return {
        "online": online,
        "packages": groups("core_siblings") or groups("package_cpus"),
        "cores": groups("thread_siblings") or _sets([n] for n in online),
        "nodes": {n: cpus for n, cpus in of_node.items() if cpus},
        "memory": {n: size for n, path in meminfo.items() if (size := _memory(_text(path)))},
        "l3": _sets(s for n, path in caches if (s := shared(path, "shared_cpu")) is not None and n in s),
    }


_MASK = {"shared_cpu": "shared_cpu_map"}


def _text(path: Path) -> str | None:
    try:
        return path.read_text().strip().strip("\0")
    except (OSError, UnicodeDecodeError):
        return None


def _sets(groups: Iterable[Iterable[int]]) -> Sets:
    return frozenset(frozenset(group) for group in groups)


def _list(text: str) -> frozenset[int]:
    bounds = (part.partition("-") for part in text.split(",") if part)
    return frozenset(n for low, _, high in bounds for n in range(int(low), int(high or low) + 1))


def _mask(text: str) -> frozenset[int]:
    bits = int(text.replace(",", "") or "0", 16)
    return frozenset(n for n in range(bits.bit_length()) if bits >> n & 1)


def _memory(text: str | None) -> int:
    match = re.search(r"MemTotal:\s*(\d+) kB", text or "")
    return int(match[1]) * 1024 if match else 0
