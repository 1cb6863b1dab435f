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
    """Run every cell of a notebook; nbclient's error where one fails."""
    notebook = NBFORMAT.read(NOTEBOOKS / name, as_version=4)
    client: Any = NotebookClient(
        notebook,
        timeout=CELL_SECONDS,
        kernel_name="python3",
        resources={"metadata": {"path": str(NOTEBOOKS)}},
        store_widget_state=False,
    )
    client.reset_execution_trackers()
    with client.setup_kernel(env={**os.environ, **variables}):
        for number, cell in enumerate(notebook.cells):
            client.execute_cell(cell, number)
        yield Running(client)
