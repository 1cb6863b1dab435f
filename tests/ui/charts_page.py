"""A page of live charts in JupyterLab, and what it costs: bytes on the wire, browser heap, the kernel's threads."""

from __future__ import annotations

import json
from typing import Any

import nbformat

from tests.ui.jupyter import REPO, Notebook, Server

NAME = "charts.ipynb"
OPEN = """import kvmnb
from IPython.display import display
here = kvmnb.open(demo=True)"""
TWELVE = """names = ["build01", "cache01", "db01", "mail01", "router01", "web01", "win10"]
charts = [here.watch(name) for name in names] + [here.watch(what="guests")]
charts += [here.watch(name, "kvm_vcpu_run_delay_seconds_total") for name in names[:4]]
for chart in charts:
    display(chart)"""
BOTH = """from pathlib import Path
from kvmnb.machine.files import Files
from kvmnb.measure.live import LiveSource
from kvmnb.measure.sampler import Sampler
from kvmnb.show.live import questions
from kvmnb.show.live.chart import LiveChart
charts = [here.watch(name) for name in ("db01", "web01", "build01", "mail01")]
charts += [here.watch(name, "kvm_vcpu_run_delay_seconds_total") for name in ("db01", "web01", "build01", "mail01")]
live = Sampler(LiveSource(Files(Path("/"))))
asked = (questions.HOST_CPU, questions.HOST_PRESSURE, questions.HOST_DISK, questions.HOST_NETWORK)
charts += [LiveChart("this host", question, "", live) for question in asked]
for chart in charts:
    display(chart)"""
MANY = """from kvmnb.measure.sampler import Sampler
from kvmnb.show.live.chart import LiveChart
from kvmnb.show.live.questions import GUESTS
from tests.ui.made import Made
made = Made(guests=50)
charts = [LiveChart("all guests", GUESTS, "", Sampler(made), names=made.names)]
display(charts[0])"""
ASKED = """import time
cpu = time.process_time()
import asyncio, gc, json, os, threading
from ipywidgets.widgets.widget import _instances
gc.collect()
print(json.dumps({"threads": len(threading.enumerate()), "tasks": len(asyncio.all_tasks()), "widgets": len(_instances),
    "fds": len(os.listdir("/proc/self/fd")), "cpu": cpu, "ticks": charts[0].n,
    "rss": int(open("/proc/self/statm").read().split()[1]) * os.sysconf("SC_PAGESIZE")}))"""


class ChartsPage:
    """A notebook whose second cell draws charts and whose third one tells of the kernel."""

    def __init__(self, page: Any, server: Server, draw: str = TWELVE, name: str = NAME) -> None:
        self.received = 0
        """Bytes that came over web sockets."""
        self.rows = 0
        """Messages with new rows for a chart."""
        self.page = page
        page.on("websocket", lambda socket: socket.on("framereceived", self._take))
        cells = {"open": OPEN, "draw": draw, "asked": ASKED}
        book = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(text, id=cell) for cell, text in cells.items()],
            metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
        )
        nbformat.write(book, server.root / name)
        self.notebook = Notebook(page, server, name)
        self._devtools = page.context.new_cdp_session(page)
        self.notebook.run_cell("open")

    def draw(self, count: int) -> None:
        """Run the cell of the charts, and wait till so many are drawn with lines."""
        self.notebook.run_cell("draw")
        self.drawn(count)

    def drawn(self, count: int) -> None:
        """Wait till so many charts are drawn, and the page has no others."""
        self.page.wait_for_function(
            """(count) => {
                const plots = [...document.querySelectorAll('.kvmnb-live .kvmnb-plot')];
                return plots.length === count && plots.every((one) => one.querySelector('.main-svg, canvas'));
            }""",
            arg=count,
            timeout=120_000,
        )

    def kernel(self) -> dict[str, float]:
        """What the kernel says of itself."""
        self.notebook.run_cell("asked")
        text = self.page.evaluate(
            """() => jupyterapp.shell.currentWidget.content.model.toJSON().cells
                .find((cell) => cell.id === 'asked').outputs.map((one) => one.text ?? one.evalue).join('')"""
        )
        found: dict[str, float] = json.loads(text)
        return found

    def heap(self) -> int:
        """Bytes of the page's JavaScript heap after a collection."""
        for _ in range(3):
            self._devtools.send("HeapProfiler.collectGarbage")
        return int(self._devtools.send("Runtime.getHeapUsage")["usedSize"])

    def busy(self) -> dict[str, float]:
        """Seconds that the page's main thread has worked since it was opened."""
        self._devtools.send("Performance.enable")
        told = self._devtools.send("Performance.getMetrics")["metrics"]
        return {one["name"]: one["value"] for one in told}

    def wait_rows(self, count: int) -> None:
        """Wait till so many more messages with rows came."""
        goal = self.rows + count
        while self.rows < goal:
            self.page.wait_for_timeout(50)

    def _take(self, payload: str | bytes) -> None:
        raw = payload.encode() if isinstance(payload, str) else payload
        self.received += len(raw)
        self.rows += raw.count(b'"rows"')


def variables() -> dict[str, str]:
    """What the kernels need beside their own folders."""
    return {"KVMNB_HOST": "demo", "PYTHONPATH": str(REPO)}
