"""Units for people: from what a series holds to what a reader sees."""

from __future__ import annotations

from dataclasses import dataclass

STEPS = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit: how a series' values become it, and how they are written."""

    name: str
    """As it stands on an axis."""
    suffix: str
    """Behind a number."""
    scale: float = 1.0
    """What a series' value times this is."""
    steps: bool = False
    """Whether large numbers are written with k, M and G, which are powers of 1000."""
    digits: int = 2
    """Digits behind the point that are kept."""

    def text(self, value: float | None) -> str:
        """A number for people, three digits at most.

        >>> PERCENT.text(98.34), PERCENT.text(0.31), PERCENT.text(0.04), PERCENT.text(None)
        ('98 %', '0.3 %', '0 %', 'not known')
        >>> BYTES.text(4_196_000), BYTES.text(12.0), MILLISECONDS.text(0.125)
        ('4.2 MB/s', '12 B/s', '0.12 ms')
        """
        if value is None:
            return "not known"
        if self is PERCENT:
            return "0 %" if abs(value) < 0.05 else f"{value:.0f} %" if value >= 9.95 else f"{value:.1f} %"
        for step, letter in STEPS if self.steps else ():
            if abs(value) >= step:
                return f"{_short(value / step)} {letter}{self.suffix.strip()}"
        return f"{_short(value)}{self.suffix if self.suffix.startswith(' ') else ' ' + self.suffix}"

    def rounded(self, value: float) -> float:
        """As many digits as cross the wire."""
        return round(value, self.digits)


def _short(value: float) -> str:
    if value == 0:
        return "0"
    if abs(value) >= 9.95:
        return f"{value:.0f}"
    return f"{value:.1f}" if abs(value) >= 1 else f"{value:.2g}"


PERCENT = Unit("%", " %", 100.0)
REQUESTS = Unit("requests/s", " /s", steps=True)
PACKETS = Unit("packets/s", " /s", steps=True)
TIMES = Unit("per second", " /s", steps=True)
BYTES = Unit("bytes/s", "B/s", steps=True, digits=0)
MILLISECONDS = Unit("ms", " ms", 1000.0, digits=3)
GIBIBYTES = Unit("GiB", " GiB", 1 / 1024**3, digits=4)
PLAIN = Unit("", "", steps=True, digits=4)
