"""Which series a machine has, and the one sampler of each machine."""

from __future__ import annotations

import threading
from pathlib import Path

from kvmnb.core.errors import NotAnswered, SourceError
from kvmnb.machine.machine import Machine, state_folder
from kvmnb.machine.statistics import Statistics, end_events
from kvmnb.measure.journals import Journals
from kvmnb.measure.live import AwaySource, LiveSource
from kvmnb.measure.replay import Loop, read_series
from kvmnb.measure.rounds import Rounds
from kvmnb.measure.sampler import Sampler
from kvmnb.measure.series import Source

SERIES_FILE = "series/threads.jsonl"

_samplers: dict[tuple[str, str], Sampler] = {}
_lock = threading.Lock()


def series_source(machine: Machine) -> Source:
    """Where the series of a machine come from; NotAnswered says in a sentence why it has none."""
    if machine.series is not None:
        from kvmnb.measure.recording.playing import Playing
        from kvmnb.measure.recording.reading import opened

        return Playing(opened(machine.series))
    files = machine.files
    away = files is None or files.root != Path("/")
    if machine.kind == "live" and machine.hypervisor is not None and away:
        return AwaySource(_rounds(machine.hypervisor.uri, away=True))
    if files is None:
        raise NotAnswered(
            f"There are no live series of {machine.title}: they are read from /proc of the host itself, and "
            f"{machine.files_gap}. Run kvmnb on that host to see them."
        )
    if files.root == Path("/"):
        own = machine.hypervisor is not None and machine.kind == "live"
        return LiveSource(files, _rounds(machine.libvirt.uri, away=False) if own else None, _journals())
    text = files.read(SERIES_FILE) if files.exists(SERIES_FILE) else _shipped(machine)
    if text is None:
        raise NotAnswered(
            f"There are no series of {machine.title}: it is a recorded host, and none were recorded with it."
        )
    uuids = {record.name: record.uuid for record in machine.libvirt.domains()} if machine.hypervisor else {}
    return Loop(read_series(text, f"{SERIES_FILE} of {machine.title}"), uuids)


def sampler_of(machine: Machine) -> Sampler:
    """The sampler of a machine, made where it has none; NotAnswered where it has no series."""
    key = (machine.kind, machine.origin)
    with _lock:
        for known, sampler in list(_samplers.items()):
            if not sampler.subscribers:
                del _samplers[known]
        if key not in _samplers:
            _samplers[key] = Sampler(series_source(machine))
        return _samplers[key]


def close_samplers() -> None:
    """End every sampler's thread and wait for its end."""
    with _lock:
        samplers = tuple(_samplers.values())
        _samplers.clear()
    for sampler in samplers:
        sampler.close()
    end_events()


def _rounds(uri: str, *, away: bool) -> Rounds:
    """libvirt's counters, over connections of their own."""
    return Rounds(lambda: Statistics(uri, keepalive=away), away=away)


def _journals() -> Journals | None:
    """This user's journals; None where there can be none, because no folder can be made for them."""
    try:
        return Journals(state_folder() / "journal")
    except SourceError:
        return None


def _shipped(machine: Machine) -> str | None:
    """The series of the demo host, which ship beside its tree; None for another recording."""
    demo = Path(__file__).parents[1] / "demo"
    if machine.kind != "demo" and Path(machine.origin).resolve() != (demo / "host").resolve():
        return None
    path = demo / SERIES_FILE
    return path.read_text(encoding="utf-8") if path.exists() else None
