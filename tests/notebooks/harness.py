"""A notebook that runs in a kernel of its own, and cells that somebody runs in it afterwards.

The shipped notebooks press no button. A test does: it runs the notebook to its end, as ``Run All`` does, and then
a cell of its own in the same kernel.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat
from jupyter_client.manager import KernelManager
from nbclient import NotebookClient

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
CELL_SECONDS = 120

# It comes without types.
NBFORMAT: Any = nbformat


class Running:
    """A notebook whose cells have all run, and its kernel."""

    def __init__(self, client: Any) -> None:
        self._client = client

    @property
    def outputs(self) -> list[dict[str, Any]]:
        """All outputs so far."""
        return [output for cell in self._client.nb.cells for output in cell.get("outputs", ())]

    def cell(self, code: str) -> str:
        """Run a cell that is not the notebook's; what it prints."""
        cell = NBFORMAT.v4.new_code_cell(code)
        self._client.nb.cells.append(cell)
        self._client.execute_cell(cell, len(self._client.nb.cells) - 1)
        return "".join(output["text"] for output in cell.outputs if output.get("name") == "stdout")


@contextmanager
def running(name: str, **variables: str) -> Iterator[Running]:
    """Run every cell of a notebook in a kernel of its own; nbclient's error where one fails."""
    client = _client(name)
    with client.setup_kernel(env={**os.environ, **variables}):
        yield _run(client)


class Kernel:
    """A kernel in which notebooks run one after the other, each without the names of the one before."""

    def __init__(self, folder: Path, **variables: str) -> None:
        state = {name: str(folder / name) for name in ("XDG_STATE_HOME", "XDG_CONFIG_HOME")}
        self._manager: Any = KernelManager(kernel_name="python3")
        self._manager.start_kernel(env={**os.environ, **state, **variables}, cwd=str(NOTEBOOKS))

    def run(self, name: str) -> list[dict[str, Any]]:
        """Run every cell of a notebook; all its outputs."""
        client = _client(name, km=self._manager)
        client.nb.cells.insert(0, NBFORMAT.v4.new_code_cell("get_ipython().reset(new_session=True)"))
        with client.setup_kernel():
            try:
                return _run(client).outputs
            finally:
                client.kc.stop_channels()

    def end(self) -> None:
        self._manager.shutdown_kernel(now=True)


def _client(name: str, **words: Any) -> Any:
    client: Any = NotebookClient(
        NBFORMAT.read(NOTEBOOKS / name, as_version=4),
        timeout=CELL_SECONDS,
        kernel_name="python3",
        resources={"metadata": {"path": str(NOTEBOOKS)}},
        store_widget_state=False,
        **words,
    )
    client.reset_execution_trackers()
    return client


def _run(client: Any) -> Running:
    for number, cell in enumerate(client.nb.cells):
        client.execute_cell(cell, number)
    return Running(client)
