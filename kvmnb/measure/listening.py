"""A window of a sampler's frames that begins now."""

from __future__ import annotations

import math
import threading

from kvmnb.core.errors import KvmnbError
from kvmnb.measure.sampler import Sampler
from kvmnb.measure.series import Frame
from kvmnb.measure.window import Window, window_of

LONGEST_SECONDS = 3600.0


def listen(sampler: Sampler, seconds: float) -> Window:
    """The frames of the next ``seconds``, condensed; it takes that long. KvmnbError where that is no time."""
    if not (math.isfinite(seconds) and 1 <= seconds <= LONGEST_SECONDS):
        raise KvmnbError(f"a window of {seconds:g} s cannot be looked at: give 1 to {LONGEST_SECONDS:g} s")
    frames: list[Frame] = []
    with sampler.subscribe(frames.append, name="a diagnosis"):
        threading.Event().wait(seconds)
    return window_of(frames)
