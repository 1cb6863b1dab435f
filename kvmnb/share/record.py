"""Recording a machine: capture, scrub, write, search for what must not be left, and only then put in place."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from kvmnb import __version__
from kvmnb.core import codec
from kvmnb.core.errors import KvmnbError, Refused
from kvmnb.machine.archive import ENDINGS, pack
from kvmnb.machine.machine import Machine, state_folder
from kvmnb.machine.sources import Recording, recorded
from kvmnb.share.capture import Capture, capture
from kvmnb.share.leaks import Search
from kvmnb.share.pseudonyms import Pseudonyms, lasting_salt
from kvmnb.share.redact import Tree, redact

SCHEMA = "kvmnb.recording/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What was recorded, and where."""

    path: Path
    files: int
    bytes: int
    dropped: tuple[str, ...]
    """Files that were read and are left out, as their paths in the recording."""


def record(machine: Machine, out: Path, *, window: float | None = None) -> Written:
    """Record a machine into a new folder, or into a ``.tar.zst`` (``.tar.xz``, ``.tar.gz``) archive.

    With ``window`` the counters are read twice, so many seconds apart, and kept; of a recording, those that it holds.

    Raises Refused, with nothing left behind, where ``out`` exists or an original would be in the recording.
    """
    if os.path.lexists(out):
        raise Refused(f"recording to {out}: it is there already; name a folder or file that is not")
    made = Pseudonyms(lasting_salt(state_folder()))
    tree = redact(capture(machine, window), made)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(dir=out.parent, prefix=".recording-"))
    except OSError as problem:
        raise KvmnbError(f"recording to {out}: its folder cannot be written: {problem.strerror}") from problem
    try:
        folder = beside / "host"
        size = write_tree(tree, cover_of(tree), folder)
        refuse_leaks(folder, made, f"recording to {out}")
        if out.name.endswith(ENDINGS):
            pack(folder, beside / out.name)
            os.rename(beside / out.name, out)
        else:
            os.chmod(folder, 0o755)
            os.rename(folder, out)
    except OSError as problem:
        raise KvmnbError(f"recording to {out}: {problem.strerror or problem}") from problem
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return Written(path=out, files=len(tree.texts), bytes=size, dropped=tuple(sorted(tree.dropped)))


def scrubbed(found: Capture, made: Pseudonyms, folder: Path) -> Machine:
    """What was captured as a recorded machine in a new folder; Refused where an original would be in it."""
    tree = redact(found, made)
    write_tree(tree, cover_of(tree), folder)
    refuse_leaks(folder, made, "scrubbing what was read")
    return recorded(folder)


def cover_of(tree: Tree) -> Recording:
    """The cover of a recording that is made now."""
    return Recording(
        schema=SCHEMA,
        made_at=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        kvmnb=__version__,
        title=title_of(tree),
        origin="recorded",
    )


def write_tree(tree: Tree, cover: Recording, folder: Path) -> int:
    """Write a recording's files; how many bytes they have."""
    total = 0
    folder.mkdir()
    for path in sorted(tree.folders):
        (folder / path).mkdir(parents=True, exist_ok=True)
    own = {
        "recording.json": codec.to_json(cover, indent=1) + "\n",
        "dropped.json": codec.to_json(dict(sorted(tree.dropped.items())), indent=1) + "\n",
    }
    for path, text in {**tree.texts, **own}.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        raw = text.encode("utf-8", "surrogateescape")
        target.write_bytes(raw)
        total += len(raw)
    return total


def title_of(tree: Tree) -> str:
    """A title without a name in it: the CPUs, the guests, the day is on the cover."""
    online = tree.texts.get("sys/devices/system/cpu/online", "").strip()
    model = next(
        (
            line.partition(":")[2].strip()
            for line in tree.texts.get("proc/cpuinfo", "").splitlines()
            if line.startswith("model name")
        ),
        "",
    )
    guests = len({path.split("/")[2] for path in tree.texts if path.startswith("libvirt/domains/")})
    parts = [f"CPUs {online}" if online else "", model, f"{guests} guests"]
    return "Recorded host: " + ", ".join(part for part in parts if part)


def refuse_leaks(folder: Path, made: Pseudonyms, doing: str) -> None:
    """Raise Refused, with what was being done, where an original stands in a recording's paths or texts."""
    field = Search(made).field_of_leak("\n".join(_everything(folder)))
    if field is not None:
        raise Refused(
            f"{doing}: an original value of {field} was still found in the scrubbed files, "
            "so nothing was kept; please report which kind of field it is"
        )


def _everything(folder: Path) -> Iterator[str]:
    """Every path and every text of a folder."""
    for place, _, names in os.walk(folder):
        inside = os.path.relpath(place, folder)
        yield inside
        for name in names:
            yield f"{inside}/{name}"
            yield (Path(place) / name).read_bytes().decode("utf-8", "replace")
