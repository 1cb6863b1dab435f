"""Small trees of kernel files, written by hand."""

from __future__ import annotations

from pathlib import Path

CPU = "sys/devices/system/cpu"
NODE = "sys/devices/system/node"


def plant(root: Path, texts: dict[str, str]) -> Path:
    """Write files below a root, each with the line end that the kernel gives it."""
    for path, text in texts.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(f"{text}\n")
    return root


def cores(count: int, threads: int = 1) -> dict[str, str]:
    """The files of a host of one package: CPU n and n + count are threads of one core where there are two."""
    total = count * threads
    texts = {f"{CPU}/online": f"0-{total - 1}" if total > 1 else "0"}
    for cpu in range(total):
        topology = f"{CPU}/cpu{cpu}/topology"
        siblings = ",".join(str(cpu % count + count * thread) for thread in range(threads))
        texts |= {
            f"{topology}/physical_package_id": "0",
            f"{topology}/core_id": str(cpu % count),
            f"{topology}/thread_siblings_list": siblings,
            f"{topology}/core_siblings_list": texts[f"{CPU}/online"],
        }
    return texts
