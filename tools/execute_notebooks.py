"""Run the notebooks on the demo host and save them with their outputs.

Each runs in a fresh state folder, so that nothing of this machine gets into an output. Views of widgets are left
out: without a kernel they are empty, and the text beside them is shown instead.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import nbclient
import nbformat

REPO = Path(__file__).resolve().parent.parent
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
CELL_SECONDS = 120

# It comes without types.
NBFORMAT: Any = nbformat


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("notebooks", nargs="*", type=Path, help="default: all of notebooks/")
    chosen = parser.parse_args(argv).notebooks or sorted((REPO / "notebooks").glob("*.ipynb"))
    for path in chosen:
        notebook = execute(path)
        NBFORMAT.write(notebook, path)
        print(f"{path.name}: {path.stat().st_size / 1000:.0f} kB")
    return 0


def execute(path: Path) -> Any:
    """The notebook with fresh outputs; nbclient's error where a cell fails."""
    notebook = NBFORMAT.read(path, as_version=4)
    with tempfile.TemporaryDirectory(prefix="kvmnb-execute.") as scratch:
        folders = {name: f"{scratch}/{name}" for name in ("XDG_STATE_HOME", "XDG_CONFIG_HOME", "IPYTHONDIR")}
        client = nbclient.NotebookClient(
            notebook,
            timeout=CELL_SECONDS,
            kernel_name="python3",
            resources={"metadata": {"path": str(path.parent)}},
            store_widget_state=False,
            record_timing=False,
        )
        client.execute(env={**os.environ, **folders, "KVMNB_HOST": "demo", "PYTHONDONTWRITEBYTECODE": "1"})
    return cleaned(notebook)


def cleaned(notebook: Any) -> Any:
    """Only what a reader needs: no versions of this machine's Python, no views without a kernel."""
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    for cell in notebook.cells:
        cell.metadata = {key: value for key, value in cell.metadata.items() if key in ("tags", "jupyter")}
        for output in cell.get("outputs", ()):
            output.get("data", {}).pop(WIDGET_VIEW, None)
    return notebook


if __name__ == "__main__":
    sys.exit(main())
