"""docs/benchmarks.md: each benchmark writes its own part, with the words of the machine it ran on."""

from __future__ import annotations

import os
import platform
import re
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs/benchmarks.md"
HEAD = """# Benchmarks

Measured figures, with the words of the machine they were measured on. `make bench` measures anew and writes this page.
"""
ORDER = ("What sampling costs", "What live charts cost", "What a recording takes")


def write_part(title: str, text: str, page: Path = PAGE) -> None:
    """Put a part into the page, in the place of the one of this title; the others stay."""
    before = page.read_text(encoding="utf-8") if page.exists() else ""
    parts = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", before, re.MULTILINE | re.DOTALL))
    parts[title] = f"\n{text.strip()}\n"
    known = [one for one in ORDER if one in parts]
    page.write_text(HEAD + "".join(f"\n## {one}\n\n{parts[one].strip()}\n" for one in known), encoding="utf-8")


def machine() -> str:
    """The machine in words, and what else it had to do before the benchmark began."""
    return (
        f"{os.cpu_count()} CPUs ({_model()}), Linux {platform.release()}, Python {platform.python_version()}; of other "
        f"programs a load average of {os.getloadavg()[0]:.1f} before the start"
    )


def _model() -> str:
    text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    found = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return " ".join(found[1].split()) if found else platform.machine()
