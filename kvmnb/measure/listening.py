"""A window of a sampler's frames that begins now."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable

from kvmnb.core.errors import KvmnbError
from kvmnb.measure.sampler import Sampler
from kvmnb.measure.series import Frame

LONGEST_SECONDS = 3600.0


def listen(sampler: Sampler, seconds: float, meanwhile: Callable[[float], object] | None = None) -> list[Frame]:
    """The frames of the next ``seconds``; it takes that long. KvmnbError where that is no time.

    ``meanwhile`` is done in the place of waiting; it is given the seconds and takes that long.
    """
    frames: list[Frame] = []
    checked_seconds(seconds)
    with sampler.subscribe(frames.append, name="a diagnosis"):
        (meanwhile or threading.Event().wait)(seconds)
    return frames


def checked_seconds(seconds: float) -> float:
    """A window's length; KvmnbError where it is none that can be looked at."""
    if not (math.isfinite(seconds) and 1 <= seconds <= LONGEST_SECONDS):
        raise KvmnbError(f"a window of {seconds:g} s cannot be looked at: give 1 to {LONGEST_SECONDS:g} s")
    return seconds
