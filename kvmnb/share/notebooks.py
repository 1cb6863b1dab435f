"""Running a notebook on a recorded host, for a reader elsewhere."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from kvmnb.advise.intent import Intent
from kvmnb.core.errors import KvmnbError, SourceError
from kvmnb.share.deeds import Deeds
from kvmnb.show import template
from kvmnb.show.cards import deeds as cards

REPORT = "90-report.ipynb"
CELL_SECONDS = 300
_JOURNAL_CELL = "journal"


def shipped_notebooks() -> Path:
    """The folder of the notebooks that ship with kvmnb: in the package, or in the checkout it runs from."""
    package = Path(__file__).resolve().parents[1]
    for folder in (package / "notebooks", package.parent / "notebooks"):
        if folder.is_dir():
            return folder
    raise KvmnbError(f"the notebooks are not where kvmnb was installed ({package}); install kvmnb anew")


def own_prose(path: Path) -> str:
    """What a shipped notebook says itself, lower case; nothing of one that somebody may have edited."""
    shipped = shipped_notebooks() / path.name
    if not (shipped.is_file() and path.is_file() and shipped.samefile(path)):
        return ""
    cells = json.loads(shipped.read_text("utf-8"))["cells"]
    return "\n".join("".join(cell["source"]) for cell in cells).lower()


def executed(path: Path, recording: Path, intent: Intent, journals: tuple[Deeds, ...], scratch: Path) -> Any:
    """A notebook that ran on a recording, with what was done on its host in the place of the recording's journals.

    SourceError where it cannot be read, KvmnbError where a cell fails.
    """
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError
    from traitlets.config import Config

    reader: Any = nbformat
    try:
        notebook = reader.read(path, as_version=4)
    except OSError as problem:
        raise SourceError(f"the notebook {path} cannot be read: {problem.strerror}") from problem
    except (ValueError, reader.ValidationError) as problem:
        raise SourceError(f"{path} is no notebook: {str(problem)[:200]}") from problem
    config = scratch / "config" / "kvmnb"
    config.mkdir(parents=True)
    (config / "kvmnb.toml").write_text(_as_toml(intent), "utf-8")
    places = {"XDG_CONFIG_HOME": config.parent, "XDG_STATE_HOME": scratch / "state", "IPYTHONDIR": scratch / "ipython"}
    client: Any = NotebookClient(
        notebook,
        timeout=CELL_SECONDS,
        kernel_name="python3",
        resources={"metadata": {"path": str(scratch)}},
        store_widget_state=False,
        record_timing=False,
        # Not TCP, on which others of this system could listen.
        config=Config({"KernelManager": {"transport": "ipc", "ip": str(scratch / "kernel")}}),
    )
    try:
        client.execute(
            env={**os.environ, **{key: str(place) for key, place in places.items()}, "KVMNB_HOST": str(recording)}
        )
    except CellExecutionError as problem:
        raise KvmnbError(f"the notebook {path.name} does not run on this host: {problem.ename}") from problem
    except RuntimeError as problem:
        # nbclient's words for a kernel that does not start, dies, or takes too long.
        raise KvmnbError(f"the notebook {path.name} could not be run: {problem}") from problem
    return _cleaned(notebook, template.enclose(cards.fragment(journals)))


def _cleaned(notebook: Any, journals: str) -> Any:
    """Without what only a kernel fills, and with the journals of the host itself."""
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    for cell in notebook.cells:
        cell.metadata = {key: value for key, value in cell.metadata.items() if key in ("tags", "jupyter")}
        for output in cell.get("outputs", ()):
            output.get("data", {}).pop("application/vnd.jupyter.widget-view+json", None)
            if cell.get("id") == _JOURNAL_CELL and "text/html" in output.get("data", {}):
                output["data"]["text/html"] = journals
    return notebook


def _as_toml(intent: Intent) -> str:
    """The intent as ``kvmnb.toml`` has it; JSON's strings are TOML's too."""
    lines = [f"goal = {json.dumps(str(intent.aim))}"]
    for name, said in intent.guest.items():
        goal = "+".join(word.value for word in (said.goal, *sorted(said.overlays, key=str)) if word is not None)
        words = {"goal": goal, "policy": said.policy.value if said.policy else "", "os": said.os or ""}
        lines += [f"[guest.{json.dumps(name)}]", *(f"{key} = {json.dumps(one)}" for key, one in words.items() if one)]
    if intent.threshold:
        lines += [
            "[threshold]",
            *(f"{json.dumps(name)} = {_number(value)}" for name, value in intent.threshold.items()),
        ]
    for mute in intent.mutes:
        lines += ["[[mute]]", f"id = {json.dumps(mute.id)}", f"reason = {json.dumps(mute.reason)}"]
        lines += [f"subject = {json.dumps(mute.subject)}"] if mute.subject else []
        lines += [f"until = {mute.until.isoformat()}"] if mute.until else []
    return "\n".join(lines) + "\n"


def _number(value: float) -> str:
    """A number as whole as it is: a threshold in pieces takes no fraction."""
    return str(int(value)) if float(value).is_integer() else repr(value)
