"""What live charts cost the kernel and the browser, beside a yardstick that was measured in the same run.

``python -m tools.bench.charts --write`` opens twelve charts of the demo host, and one chart of a hundred lines, in
JupyterLab in a headless Chromium that draws without a graphics card, and writes the table to docs/benchmarks.md. The
yardsticks are a fixed loop in the page and one in Python: a slow or busy machine slows them too.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.bench.page import machine, write_part

TITLE = "What live charts cost"
HEAD = """A page in JupyterLab, in a window of 1280 by 900; what is out of sight is not drawn. To open is from the start
of its cell till the last chart has its axes. A tick is one second; the kernel's time is CPU time of its process,
sampling included; the browser's is what the page's main thread worked. The bounds for the twelve charts: 3 s and 3 MB
to open, 5 ms of the kernel and 12 KB on the wire a tick.

Machine: {machine}. Yardsticks: ten million additions take {page:.0f} ms in this page and {python:.0f} ms in this
Python.

| page | opens in | sent to open | kernel a tick | sent a tick | browser a tick |
|---|---|---|---|---|---|
"""
LOOP = """() => {
    const began = performance.now();
    let sum = 0;
    for (let number = 0; number < 1e7; number++) sum += number;
    return performance.now() - began + 0 * sum;
}"""
WINDOW = {"width": 1280, "height": 900}


@dataclass(frozen=True, slots=True)
class Cost:
    """One page of charts."""

    open_seconds: float
    open_bytes: int
    kernel_ms: float
    tick_bytes: float
    browser_ms: float


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description="What live charts cost the kernel and the browser.")
    parser.add_argument("--ticks", type=int, default=20)
    parser.add_argument("--write", action="store_true", help="write docs/benchmarks.md")
    options = parser.parse_args()
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    from tests.ui.charts_page import MANY, TWELVE, variables
    from tests.ui.jupyter import jupyterlab

    chromium = os.environ.get("KVMNB_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if not chromium:
        print("live charts are not measured: no Chromium is installed; KVMNB_CHROMIUM names one elsewhere")
        return 0
    from playwright.sync_api import sync_playwright

    words, rows = machine(), []
    with sync_playwright() as playwright, jupyterlab(**variables(), KVMNB_TICK="1") as server:
        # Chromium's sandbox needs a user that is not root; the pages are our own.
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page_ms = browser.new_page().evaluate(LOOP)
        for name, draw, count in (("twelve charts of a guest each", TWELVE, 12), ("one chart of 100 lines", MANY, 1)):
            cost = _measured(browser, server, draw, count, options.ticks)
            cells = (
                name,
                f"{cost.open_seconds:.1f} s",
                f"{cost.open_bytes / 1e6:.2f} MB",
                f"{cost.kernel_ms:.1f} ms",
                f"{cost.tick_bytes / 1e3:.1f} KB",
                f"{cost.browser_ms:.0f} ms",
            )
            rows.append("| " + " | ".join(cells) + " |\n")
            print(rows[-1], end="", flush=True)
        browser.close()
    if options.write:
        write_part(TITLE, HEAD.format(machine=words, page=page_ms, python=_python_ms()) + "".join(rows))
    return 0


def _measured(browser: Any, server: Any, draw: str, count: int, ticks: int) -> Cost:
    from tests.ui.charts_page import ChartsPage

    context = browser.new_context(viewport=WINDOW)
    charts = ChartsPage(context.new_page(), server, draw, f"bench-{count}.ipynb")
    charts.busy()
    received, began = charts.received, time.perf_counter()
    charts.draw(count)
    opened, sent = time.perf_counter() - began, charts.received - received
    charts.wait_rows(3 * count)
    kernel, busy, received, rows = charts.kernel(), charts.busy(), charts.received, charts.rows
    charts.wait_rows(ticks * count)
    after, worked, seen = charts.busy(), charts.received - received, (charts.rows - rows) / count
    now = charts.kernel()
    context.close()
    return Cost(
        open_seconds=opened,
        open_bytes=sent,
        kernel_ms=1000 * (now["cpu"] - kernel["cpu"]) / (now["ticks"] - kernel["ticks"]),
        tick_bytes=worked / seen,
        browser_ms=1000 * (after["TaskDuration"] - busy["TaskDuration"]) / seen,
    )


def _python_ms() -> float:
    began, total = time.perf_counter(), 0
    for number in range(10_000_000):
        total += number
    return 1000 * (time.perf_counter() - began)


if __name__ == "__main__":
    sys.exit(main())
