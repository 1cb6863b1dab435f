"""Write the demo host's folder anew, or tell what differs from it."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from tools.demo_host import shape
from tools.demo_host.cpus import put_cpus
from tools.demo_host.hypervisor import KEPT, nic_models, put_hypervisor
from tools.demo_host.interrupts import put_interrupts
from tools.demo_host.kernel import put_kernel
from tools.demo_host.memory import put_memory
from tools.demo_host.network import put_network
from tools.demo_host.offloads import put_offloads
from tools.demo_host.storage import put_storage
from tools.demo_host.tree import Tree

SHIPPED = Path(__file__).parents[2] / "kvmnb" / "demo" / "host"


def build(kept: Path = SHIPPED) -> dict[str, str]:
    """Every file of the recording with its text; texts that libvirt printed are read from ``kept``."""
    tree = Tree()
    cover = {
        "schema": "kvmnb.recording/1",
        "made_at": shape.MADE_AT.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "kvmnb": "0.1.0",
        "title": "Demo host: 2 × Xeon Gold 6326, 256 GiB, eight guests",
        "origin": "constructed",
    }
    tree.put("recording.json", json.dumps(cover, indent=2, ensure_ascii=False))
    put_cpus(tree)
    put_memory(tree)
    put_kernel(tree)
    put_storage(tree)
    put_network(tree)
    put_hypervisor(tree, kept)
    put_interrupts(tree)
    put_offloads(tree, nic_models(tree))
    return tree.texts


def differences(folder: Path = SHIPPED) -> list[str]:
    """The paths that are missing, changed or too many in the folder."""
    wanted = build(folder)
    there = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    changed = {path for path in there & wanted.keys() if (folder / path).read_text(encoding="utf-8") != wanted[path]}
    return sorted((there ^ wanted.keys()) | changed)


def write(folder: Path = SHIPPED) -> int:
    """Bring the folder to what is wanted; the number of files written or removed."""
    wanted = build(folder)
    odd = differences(folder)
    for path in odd:
        target = folder / path
        if path in wanted:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(wanted[path], encoding="utf-8", newline="")
        else:
            target.unlink()
            for above in target.parents:
                if above == folder or any(above.iterdir()):
                    break
                above.rmdir()
    return len(odd)


def main() -> int:
    """The command line: no argument writes, ``--check`` only tells."""
    parser = argparse.ArgumentParser(prog="python -m tools.demo_host", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 where the folder differs")
    if not parser.parse_args().check:
        print(f"{write()} files written or removed; {len(build())} in all, {len(KEPT)} of them kept as they are")
        return 0
    odd = differences()
    print("\n".join(odd) if odd else "the folder is what the generator makes")
    return 1 if odd else 0


if __name__ == "__main__":
    sys.exit(main())
