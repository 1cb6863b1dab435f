"""The series of a report: what a recording holds, or a short time of a live machine."""

from __future__ import annotations

import threading
from collections.abc import Mapping

from kvmnb.core.errors import KvmnbError, NotAnswered
from kvmnb.machine.machine import Machine
from kvmnb.measure.listening import LONGEST_SECONDS
from kvmnb.measure.replay import Replay
from kvmnb.measure.series import Frame
from kvmnb.measure.sources import sampler_of
from kvmnb.show import template
from kvmnb.show.charts.run_and_wait import RunAndWait

WHY_NONE = "There are no series of this machine: {}."


def series_of(machine: Machine, names: Mapping[str, str], seconds: float) -> RunAndWait | str:
    """The lines of the guests in ``names`` (by UUID), or the HTML of a sentence that says why there are none."""
    if not 0 <= seconds <= LONGEST_SECONDS:
        raise KvmnbError(f"series over {seconds:g} s cannot be read: give 0 to {LONGEST_SECONDS:g} s")
    try:
        sampler = sampler_of(machine)
    except NotAnswered:
        # Its own words name the machine.
        kind = "none were recorded with it" if machine.kind != "live" else "the host's files cannot be read from here"
        return template.fragment("note", text=WHY_NONE.format(kind))
    source = sampler.source
    if isinstance(source, Replay):
        rows = source.recorded()
        moments = [number * source.period_seconds for number in range(len(rows))]
        return RunAndWait(rows, moments, names, "recorded series")
    if not seconds:
        return template.fragment("note", text=WHY_NONE.format("none were asked for"))
    frames: list[Frame] = []
    with sampler.subscribe(frames.append, name="a report"):
        threading.Event().wait(seconds)
    first = frames[0].at if frames else 0.0
    return RunAndWait([one.values for one in frames], [one.at - first for one in frames], names, "live")
