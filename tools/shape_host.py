"""Make a recorded host of a machine that is known only as a topology: the kernel files that such a machine shows.

    python -m tools.shape_host TOPOLOGY.xml FOLDER --title TEXT --origin TEXT

TOPOLOGY.xml is what ``lstopo FILE.xml`` writes. Packages, cores, the last cache, nodes, their memory and
distances are taken over; what the file does not tell has no kernel file either.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from lxml import etree

from kvmnb.core.cpuset import CpuSet
from tools.trim_host import write

_CPU, _NODE = "sys/devices/system/cpu", "sys/devices/system/node"


def shape(path: Path) -> dict[str, bytes]:
    """The kernel files of a topology, by path."""
    root = etree.parse(str(path), etree.XMLParser(resolve_entities=False, no_network=True)).getroot()
    texts: dict[str, str] = {}
    online = _cpus(next(root.iter("object")))
    texts[f"{_CPU}/online"] = texts[f"{_CPU}/present"] = str(online)
    for package in _objects(root, "Package", "Socket"):
        for cpu in _cpus(package):
            texts[f"{_CPU}/cpu{cpu}/topology/physical_package_id"] = package.get("os_index", "0")
        texts[f"{_CPU}/cpu{_cpus(package).first}/topology/core_siblings_list"] = str(_cpus(package))
    for core in _objects(root, "Core"):
        for cpu in _cpus(core):
            texts[f"{_CPU}/cpu{cpu}/topology/core_id"] = core.get("os_index", "0")
        texts[f"{_CPU}/cpu{_cpus(core).first}/topology/thread_siblings_list"] = str(_cpus(core))
    for cache in _objects(root, "L3Cache", "Cache"):
        if cache.get("depth") == "3":
            folder = f"{_CPU}/cpu{_cpus(cache).first}/cache/index3"
            texts[f"{folder}/level"], texts[f"{folder}/type"] = "3", "Unified"
            texts[f"{folder}/size"] = f"{int(cache.get('cache_size', '0')) // 1024}K"
            texts[f"{folder}/shared_cpu_list"] = str(_cpus(cache))
    _nodes(root, texts)
    return {path: f"{text}\n".encode() for path, text in texts.items()}


def _nodes(root: etree._Element, texts: dict[str, str]) -> None:
    nodes = {int(node.get("os_index", "0")): node for node in _objects(root, "NUMANode")}
    homes: dict[str, int] = {}
    for number, node in sorted(nodes.items()):
        size = int(node.get("local_memory", "0"))
        if not size:
            continue
        # Of nodes at one place only the first has the CPUs: the kernel shows a faster or slower memory apart.
        home = homes.setdefault(node.get("cpuset", ""), number)
        folder = f"{_NODE}/node{number}"
        texts[f"{folder}/cpulist"] = str(_cpus(node)) if home == number else ""
        texts[f"{folder}/cpumap"] = f"{sum(1 << cpu for cpu in _cpus(node)):x}" if home == number else "0"
        texts[f"{folder}/meminfo"] = f"Node {number} MemTotal: {size // 1024} kB"
    for matrix in root.iter("distances2"):
        if matrix.get("type") == "NUMANode" and matrix.get("name") == "NUMALatency":
            order = [int(word) for one in matrix.iter("indexes") for word in (one.text or "").split()]
            values = [int(word) for one in matrix.iter("u64values") for word in (one.text or "").split()]
            for row, number in enumerate(order):
                told = dict(zip(order, values[row * len(order) : (row + 1) * len(order)], strict=True))
                texts[f"{_NODE}/node{number}/distance"] = " ".join(str(told[other]) for other in sorted(order))


def _objects(root: etree._Element, *types: str) -> list[etree._Element]:
    return [one for one in root.iter("object") if one.get("type") in types]


def _cpus(element: etree._Element) -> CpuSet:
    # A word of zeros is left out: 0x38,,0x38.
    words = [int(word or "0", 16) for word in element.get("cpuset", "0x0").split(",")]
    mask = 0
    for word in words:
        mask = mask << 32 | word
    return CpuSet(bit for bit in range(mask.bit_length()) if mask >> bit & 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("topology", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--title", required=True)
    parser.add_argument("--origin", required=True)
    options = parser.parse_args()
    files = shape(options.topology)
    write(files, options.folder, options.title, options.origin)
    print(f"{options.folder}: {len(files) + 1} files")


if __name__ == "__main__":
    main()
