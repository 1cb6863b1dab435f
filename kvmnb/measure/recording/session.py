"""Recording a machine's series, and diagnosing what was recorded."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from kvmnb import __version__
from kvmnb.core.errors import KvmnbError
from kvmnb.machine.machine import Machine
from kvmnb.measure.diagnose.below import devices_below
from kvmnb.measure.diagnose.diagnosis import Diagnosis, diagnose
from kvmnb.measure.diagnose.signals import Signals
from kvmnb.measure.listening import LONGEST_SECONDS, checked_seconds
from kvmnb.measure.neighbourhood import told_by
from kvmnb.measure.recording.cover import Cover, below_of
from kvmnb.measure.recording.playing import newest
from kvmnb.measure.recording.reading import Stored, opened
from kvmnb.measure.recording.recorder import Known, Recorder
from kvmnb.measure.replay import Replay
from kvmnb.measure.series import GUESTS, HOST, LIBVIRT, Frame
from kvmnb.measure.sources import sampler_of
from kvmnb.measure.window import window_of
from kvmnb.probe.survey import Survey, probe

_recorders: list[Recorder] = []


def record(
    machine: Machine, survey: Survey, target: Path, *, period: float | None = None, instead: bool = False
) -> Recorder:
    """Record a machine's series into ``target`` until the recorder is stopped; NotAnswered where it has none.

    ``survey`` is what is known of its guests now; of those that come later it is probed anew.
    """
    sampler = sampler_of(machine)
    source = sampler.source
    note = f"recorded on {machine.title}"
    if isinstance(source, Replay):
        note = source.title_note if machine.series is not None else f"{note} ({source.title_note})"
    known = _known(survey)
    cover = Cover(
        kvmnb=__version__,
        began_at=time.time(),
        note=note,
        guests=known.names,
        below=known.below,
    )
    recorder = Recorder(sampler, target, cover, known=lambda: _known(probe(machine)), period=period, instead=instead)
    _recorders[:] = [*(one for one in _recorders if one.running), recorder]
    return recorder


def close_recorders() -> None:
    """Stop every recorder that still records, and write its file."""
    while _recorders:
        recorder = _recorders.pop()
        if recorder.running:
            recorder.stop()


class _Newest:
    """The newest seconds of a recording, read anew each time they are gone through."""

    def __init__(self, stored: Stored, seconds: float) -> None:
        self._stored = stored
        self._seconds = seconds

    def __iter__(self) -> Iterator[Frame]:
        return newest(self._stored, self._seconds)


def diagnose_recording(path: Path, seconds: float | None = None) -> Diagnosis:
    """What was slow over the last ``seconds`` of a recording, by default an hour; KvmnbError where that is no time."""
    stored = opened(path)
    some = _Newest(stored, LONGEST_SECONDS if seconds is None else checked_seconds(seconds))
    window = window_of(some)
    if not stored.groups:
        raise KvmnbError(f"the recording {path} holds no readings")
    seen = {series.guest for series in window.spans} | {key.rpartition(":")[2] for key in window.gaps}
    guests = {uuid: name for uuid, name in stored.cover.guests.items() if uuid in seen - {"", GUESTS, HOST, LIBVIRT}}
    return diagnose(Signals(window, guests, stored.cover.devices, told_by(some)))


def _known(survey: Survey) -> Known:
    names = {one.uuid: one.name for one in survey.domains}
    return Known(names, below_of(devices_below(survey.host, survey.domains)))
