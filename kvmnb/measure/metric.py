"""What a metric is: one row of the table that the sampler, the charts and the documentation share.

Names follow the conventions of Prometheus: base units, the unit in the name, ``_total`` at the end of a
counter. What a series of a counter holds is its rate per second, so a counter of seconds reads as seconds
per second: the share of one CPU, or the mean number of requests under way.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["counter", "gauge"]

TICK = 1.0
"""The period of what is read at every tick, in seconds, where nobody asks for another one."""
SLOW = 10.0
"""The period of what changes slowly or costs more than a small file."""
RARE = 60.0
"""The period of what is dear to read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One counter or gauge, and what a reader has to know about it."""

    name: str
    kind: Kind
    unit: str
    """Of the counter or gauge itself; a counter's series hold this per second."""
    of: Literal["guest", "host"]
    label: str
    """What tells its series of one guest, or of the host, apart: ``vcpu``, ``disk``, ...; empty for a single one."""
    help: str
    source: str
    cost: str
    period: float
    """Seconds from one reading to the next by default; each frame tells the true ones."""
