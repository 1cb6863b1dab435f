"""A JupyterLab of the tests' own, and a notebook in it as a reader's hands and eyes meet it."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat

NBFORMAT: Any = nbformat  # It comes without types.
REPO = Path(__file__).resolve().parents[2]
START_SECONDS = 60.0
RUN_SECONDS = 120.0

# No news, no updates, all cells drawn at once: a screenshot shows the whole notebook.
OVERRIDES = {
    "@jupyterlab/apputils-extension:notification": {
        "fetchNews": "false",
        "checkForUpdates": False,
    },
    "@jupyterlab/notebook-extension:tracker": {"windowingMode": "none", "recordTiming": False},
    "@jupyterlab/docmanager-extension:plugin": {"autosave": False},
}
# A resize is worked off in frames, so frames are counted beside the time.
STILL = """() => new Promise((done) => {
    const sizes = () => [...document.querySelectorAll('.jp-OutputArea-output, .js-plotly-plot .main-svg')]
        .map((one) => `${one.clientWidth} ${one.clientHeight} ${one.getAttribute('style')}`).join();
    const begun = performance.now();
    let before = sizes(), since = begun, frames = 0;
    const look = (now) => {
        const found = sizes();
        frames = found === before ? frames + 1 : 0;
        since = frames === 0 ? now : since;
        before = found;
        if ((frames > 10 && now - since > 400) || now - begun > 5000) done(); else requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
})"""


class Server:
    """A running JupyterLab on localhost."""

    def __init__(self, url: str, token: str, root: Path) -> None:
        self.url = url
        self.token = token
        self.root = root


@contextmanager
def jupyterlab(**variables: str) -> Iterator[Server]:
    """Start JupyterLab over a copy of the notebooks, with folders of its own, and end it."""
    # Not below pytest's folder: the names of ipc sockets have room for 107 letters.
    with tempfile.TemporaryDirectory(prefix="kvmnb-ui.") as scratch:
        base = Path(scratch)
        root = base / "notebooks"
        root.mkdir()
        for notebook in sorted((REPO / "notebooks").glob("*.ipynb")):
            shutil.copy(notebook, root)
        (base / "app").mkdir()
        (base / "app" / "overrides.json").write_text(json.dumps(OVERRIDES))
        token = secrets.token_hex(16)
        folders = {
            "XDG_STATE_HOME": "state",
            "XDG_CONFIG_HOME": "xdg-config",
            "XDG_DATA_HOME": "xdg-data",
            "JUPYTER_CONFIG_DIR": "config",
            "JUPYTER_RUNTIME_DIR": "run",
            "JUPYTERLAB_SETTINGS_DIR": "settings",
            "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
            "IPYTHONDIR": "ipython",
        }
        environment = {**os.environ, **{name: str(base / folder) for name, folder in folders.items()}, **variables}
        command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"]
        command += [
            f"--ServerApp.root_dir={root}",
            "--ServerApp.ip=127.0.0.1",
            "--ServerApp.port=0",
            f"--IdentityProvider.token={token}",
            "--LabApp.expose_app_in_browser=True",
            "--LabApp.extension_manager=readonly",
            "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
            f"--LabApp.app_settings_dir={base / 'app'}",
            "--KernelManager.transport=ipc",
        ]
        with open(base / "log", "w+") as log:
            process = subprocess.Popen(command, cwd=root, env=environment, stdout=log, stderr=subprocess.STDOUT)
            try:
                yield Server(_url(base / "run", process, base / "log"), token, root)
            finally:
                process.terminate()
                try:
                    process.wait(20)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()


def _url(runtime: Path, process: subprocess.Popen[bytes], log: Path) -> str:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise AssertionError(f"JupyterLab ended with code {process.returncode}:\n{log.read_text()[-2000:]}")
        for found in runtime.glob("jpserver-*.json"):
            try:
                url = json.loads(found.read_text())["url"]
            except ValueError:
                continue
            if "/lab" in log.read_text():
                return str(url)
        time.sleep(0.1)
    raise AssertionError(f"JupyterLab was not up within {START_SECONDS:g} s:\n{log.read_text()[-2000:]}")


def write_notebook(path: Path, *cells: str) -> None:
    """Write a notebook of these cells of code."""
    made = NBFORMAT.v4.new_notebook(cells=[NBFORMAT.v4.new_code_cell(one) for one in cells])
    # Without it JupyterLab asks which kernel to take.
    made.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    NBFORMAT.write(made, path)


class Notebook:
    """One open notebook in a browser's page."""

    def __init__(self, page: Any, server: Server, name: str) -> None:
        self.page = page
        page.goto(f"{server.url}lab/tree/{name}?token={server.token}&reset")
        page.wait_for_function("() => window.jupyterapp !== undefined", timeout=60_000)
        page.wait_for_function(
            """() => {
                const session = jupyterapp.shell.currentWidget?.context?.sessionContext?.session;
                return session?.kernel?.connectionStatus === 'connected' && session.kernel.status === 'idle';
            }""",
            timeout=60_000,
        )

    def theme(self, dark: bool) -> None:
        """Change JupyterLab's theme."""
        name = "JupyterLab Dark" if dark else "JupyterLab Light"
        self.page.evaluate(f"jupyterapp.commands.execute('apputils:change-theme', {{theme: '{name}'}})")
        light = "false" if dark else "true"
        self.page.wait_for_selector(f"body[data-jp-theme-light='{light}']", state="attached", timeout=30_000)

    def run_all(self) -> None:
        """Run every cell, and wait until the last has run."""
        # The kernel's ends of cells are the word here: a cell may have run before, and its number be old.
        self.page.evaluate("jupyterapp.commands.execute('notebook:clear-all-cell-outputs')")
        self.page.evaluate(
            "() => { jupyterapp.commands.execute('notebook:run-all-cells').then(() => window.ranAll = true) }"
        )
        self.page.wait_for_function("() => window.ranAll", timeout=RUN_SECONDS * 1000)

    def run_cell(self, cell_id: str) -> None:
        """Run the cell of this id and wait for its end."""
        self.page.evaluate(
            """async (id) => {
                const notebook = jupyterapp.shell.currentWidget.content;
                notebook.activeCellIndex = notebook.widgets.findIndex((cell) => cell.model.id === id);
                await jupyterapp.commands.execute('notebook:run-cell');
            }""",
            cell_id,
        )

    def outputs(self) -> list[dict[str, Any]]:
        """All outputs as the notebook's file would hold them."""
        found: list[dict[str, Any]] = self.page.evaluate(
            """() => jupyterapp.shell.currentWidget.content.model.toJSON()
                .cells.flatMap((cell) => cell.outputs ?? [])"""
        )
        return found

    def complaints(self) -> list[str]:
        """Errors and warnings that stand in a cell."""
        return [
            str(output.get("text") or output.get("evalue"))
            for output in self.outputs()
            if output["output_type"] == "error" or output.get("name") == "stderr"
        ]

    def text(self) -> str:
        """All that the outputs show, as text."""
        return "\n".join(self.page.locator(".jp-OutputArea-output").all_inner_texts())

    def cut_off(self) -> list[str]:
        """What is wider than the place it has, where nothing lets a reader scroll there."""
        found: list[str] = self.page.evaluate(
            """() => [...document.querySelectorAll('.jp-OutputArea-output .kvmnb *')].filter((one) =>
                one.scrollWidth > one.clientWidth + 2 && one.clientWidth > 0
                && !['auto', 'scroll'].includes(getComputedStyle(one).overflowX) && !one.closest('pre, .wide')
                && getComputedStyle(one).display !== 'inline').map((one) => one.outerHTML.slice(0, 200))"""
        )
        return found

    def wait_still(self) -> None:
        """Wait till figures and outputs have kept their sizes for a while, after the window or the theme changed."""
        self.page.evaluate(STILL)

    def shoot(self, folder: Path, name: str, width: int, *, dark: bool) -> Path:
        """A picture of the whole notebook at this width of the window."""
        self.page.set_viewport_size({"width": width, "height": 900})
        self.theme(dark)
        self.wait_still()
        height = self.page.evaluate(
            "Math.max(...[...document.querySelectorAll('.jp-WindowedPanel-outer')].map((one) => one.scrollHeight))"
        )
        self.page.set_viewport_size({"width": width, "height": min(int(height) + 160, 16_000)})
        self.page.evaluate("document.querySelectorAll('.jp-WindowedPanel-outer').forEach((one) => one.scrollTo(0, 0))")
        self.wait_still()
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{name}-{'dark' if dark else 'light'}-{width}.png"
        self.page.screenshot(path=path)
        self.page.set_viewport_size({"width": width, "height": 900})
        return path
