"""The marks of a recording: events as they come, and one gap for each time in which values are missing."""

from __future__ import annotations

from kvmnb.measure.recording.cover import GAP, MOST_MARKS, Mark
from kvmnb.measure.series import Event, Frame


class Marking:
    """Gathers the marks of one frame after the other."""

    def __init__(self, most: int = MOST_MARKS) -> None:
        self.left_out = 0
        self._most = most
        self._marks: list[Mark] = []
        self._open: dict[tuple[str, str], tuple[float, float]] = {}
        """Gaps that may go on, by key and reason: since when, and until when."""

    @property
    def marks(self) -> tuple[Mark, ...]:
        """All of them, by time."""
        running = (_gap(key, span) for key, span in self._open.items())
        return tuple(sorted((*self._marks, *running), key=lambda one: one.at))

    def add(self, frame: Frame) -> None:
        """Take a frame's events and gaps."""
        for event in frame.events:
            self.note(event)
        now = set(frame.gaps.items())
        for key in [key for key in self._open if key not in now]:
            self._keep(_gap(key, self._open.pop(key)))
        for key in frame.gaps.items():
            since, _ = self._open.get(key, (frame.at, frame.at))
            self._open[key] = since, frame.at

    def note(self, event: Event) -> None:
        """Take an event."""
        self._keep(Mark(at=event.at, kind=event.kind, guest=event.guest, text=event.text))

    def _keep(self, mark: Mark) -> None:
        if len(self._marks) < self._most:
            self._marks.append(mark)
        else:
            self.left_out += 1


def _gap(key: tuple[str, str], span: tuple[float, float]) -> Mark:
    return Mark(at=span[0], until=span[1], kind=GAP, guest=key[0], text=key[1])
