"""How long probing takes, each figure beside a yardstick that was measured in the same run.

``python -m tools.bench.probing``; the yardstick is the time to open and read as many plain files of the same
tree in a bare loop, so that a slow or busy machine slows both.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

REPEATS = 7


def main() -> None:
    """Print each figure with its bound."""
    print(f"{'what':<58} {'median ms':>10} {'bound':>7}  beside it")
    _imports()
    from kvmnb.machine import sources
    from kvmnb.probe.survey import probe

    folder = Path(tempfile.mkdtemp(prefix="kvmnb-bench-"))
    try:
        big = wide_host(folder / "wide")
        machine = sources.tree(big)
        took = median(lambda: probe(machine))
        files = [path for path in big.rglob("*") if path.is_file()]
        beside = median(lambda: [_read(path) for path in files])
        line(
            "probe 512 CPUs, 8 nodes, 64 block devices, 64 NICs", took, 150, f"{len(files)} bare reads {beside:.0f} ms"
        )
        demo = sources.recorded(_demo())
        line("probe the demo host with its eight guests", median(lambda: probe(demo)), None, "")
        here = sources.tree("/")
        files_alone = median(lambda: probe(here))
        _with_libvirt(files_alone)
    finally:
        shutil.rmtree(folder)


def _with_libvirt(files_alone: float) -> None:
    """This machine with libvirt's answers, through a lab's libvirtd and one small guest."""
    from kvmnb.machine import sources
    from kvmnb.probe.survey import probe

    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    from tests.lab.daemon import Lab, missing
    from tests.lab.guest import Guest

    why = missing()
    if why:
        line("probe this machine's files", files_alone, 60, f"without libvirt's answers: {why}")
        return
    with Lab() as lab:
        guest = Guest.start(lab, "bench")
        guest.wait_ready()
        live = sources.live(lab.uri)
        took = median(lambda: probe(live))
        line("probe this machine with libvirt's answers", took, 60, f"its files alone {files_alone:.1f} ms")
        live.close()
        guest.remove()


def line(what: str, took: float, bound: float | None, beside: str) -> None:
    """One row of the table."""
    said = "" if bound is None else f"{bound:.0f}"
    print(f"{what:<58} {took:>10.1f} {said:>7}  {beside}")


def median(call: Callable[[], object]) -> float:
    """The median of several runs, in milliseconds, after one that warms the caches."""
    call()
    times = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        call()
        times.append((time.perf_counter() - began) * 1000)
    return statistics.median(times)


def _imports() -> None:
    bare = _process("pass")
    line("import kvmnb", _process("import kvmnb") - bare, 150, f"an empty Python {bare:.0f} ms")
    line("import kvmnb.verbs", _process("import kvmnb.verbs") - bare, None, "")


def _process(code: str) -> float:
    return median(lambda: subprocess.run([sys.executable, "-c", code], check=True))


def _read(path: Path) -> bytes:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return os.read(descriptor, 65_536)
    finally:
        os.close(descriptor)


def _demo() -> Path:
    from kvmnb import demo

    return demo.path()


def wide_host(folder: Path) -> Path:
    """A tree of 512 CPUs on 8 nodes with 64 block devices and 64 NICs, made from the demo host's files."""
    source = _demo()
    cpus, nodes = "sys/devices/system/cpu", "sys/devices/system/node"
    for number in range(512):
        node = number % 256 // 32
        first = number % 256
        shutil.copytree(source / cpus / "cpu0/topology", folder / cpus / f"cpu{number}/topology")
        shutil.copytree(source / cpus / "cpu0/cache", folder / cpus / f"cpu{number}/cache")
        topology = folder / cpus / f"cpu{number}/topology"
        pair = f"{first},{first + 256}"
        for name in ("thread_siblings_list", "core_cpus_list"):
            (topology / name).write_text(pair + "\n")
        (topology / "physical_package_id").write_text(f"{node // 4}\n")
        (topology / "core_id").write_text(f"{first % 128}\n")
        shared = f"{node * 32}-{node * 32 + 31},{256 + node * 32}-{256 + node * 32 + 31}"
        for index in range(4):
            place = folder / cpus / f"cpu{number}/cache/index{index}/shared_cpu_list"
            place.write_text((shared if index == 3 else pair) + "\n")
    (folder / cpus / "online").write_text("0-511\n")
    for number in range(8):
        shutil.copytree(source / nodes / "node0", folder / nodes / f"node{number}")
        cpulist = f"{number * 32}-{number * 32 + 31},{256 + number * 32}-{256 + number * 32 + 31}"
        (folder / nodes / f"node{number}/cpulist").write_text(cpulist + "\n")
        distances = " ".join("10" if other == number else "20" for other in range(8))
        (folder / nodes / f"node{number}/distance").write_text(distances + "\n")
    for number in range(64):
        shutil.copytree(source / "sys/block/nvme0n1", folder / f"sys/block/nvme{number}n1")
        shutil.copytree(source / "sys/class/net/ens1f0np0", folder / f"sys/class/net/eth{number}")
    for name in ("proc", "etc"):
        shutil.copytree(source / name, folder / name)
    for name in ("sys/kernel", "sys/module"):
        shutil.copytree(source / name, folder / name)
    return folder


if __name__ == "__main__":
    main()
