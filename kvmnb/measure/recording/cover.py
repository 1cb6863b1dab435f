"""What a recording of series says of itself, and the marks on its time axis."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from kvmnb.core import codec
from kvmnb.core.errors import SourceError
from kvmnb.facts.gap import Gap
from kvmnb.measure.metrics import METRICS
from kvmnb.measure.series import Event

SCHEMA = "kvmnb.series/2"
KEY = b"kvmnb"
"""Where the cover stands in a file's metadata."""
PANDAS_KEY = b"PANDAS_ATTRS"
"""Where pandas looks for a table's ``attrs``."""

GAP: Literal["gap"] = "gap"
LATEST = 253_402_300_799
"""Seconds since the epoch, of the last year that has four digits."""
# A guest whose QEMU comes and goes for a day makes some thousand marks; more would be read by nobody.
MOST_MARKS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Something that happened, or a time in which values are missing."""

    at: float
    """Seconds since the epoch."""
    until: float | None = None
    """Of a gap: when its last reading was made."""
    kind: Literal["guest started", "guest stopped", "plan applied", "plan undone", "note", "gap"]
    guest: str
    """The guest's UUID; of a gap its key in a frame."""
    text: str

    @property
    def event(self) -> Event:
        """The same as a sampler tells it; a gap is none."""
        assert self.kind != GAP, "a gap is no event"
        return Event(self.at, self.kind, self.guest, self.text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Below:
    """On which block device of the host a guest's disk lay, or why that was not known."""

    guest: str
    disk: str
    device: str | None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricTold:
    """What a reader of the file has to know about one metric."""

    kind: str
    unit: str
    help: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cover:
    """The metadata of a recording."""

    schema: str = SCHEMA
    kvmnb: str
    """The version that made it."""
    began_at: float
    """Seconds since the epoch."""
    note: str
    """Where and how it was made, for the reader: it stands in titles."""
    guests: dict[str, str] = field(default_factory=dict)
    """The name of each guest that was seen, by UUID."""
    below: tuple[Below, ...] = ()
    marks: tuple[Mark, ...] = ()
    left_out: int = 0
    """How many marks were too many to be kept."""
    end: str | None = None
    """How it ended; None while it runs, and where it was killed."""
    metrics: dict[str, MetricTold] = field(default_factory=dict)

    @property
    def devices(self) -> dict[tuple[str, str], str | Gap]:
        """The host's device below each disk, by the guest's UUID and the disk's target."""
        return {
            (one.guest, one.disk): Gap(f"the device below {one.disk}", one.reason) if one.device is None else one.device
            for one in self.below
        }


def below_of(devices: Mapping[tuple[str, str], str | Gap]) -> tuple[Below, ...]:
    """What facts tell of the devices below disks, to be kept."""
    return tuple(
        Below(guest=guest, disk=disk, device=None, reason=told.reason)
        if isinstance(told, Gap)
        else Below(guest=guest, disk=disk, device=told)
        for (guest, disk), told in devices.items()
    )


def metrics_told(names: Iterable[str]) -> dict[str, MetricTold]:
    """What the table of metrics says of these."""
    wanted = set(names)
    return {one.name: MetricTold(kind=one.kind, unit=one.unit, help=one.help) for one in METRICS if one.name in wanted}


def metadata(cover: Cover) -> dict[bytes, bytes]:
    """The cover in a file's metadata: for kvmnb, and as the ``attrs`` of a table that pandas reads."""
    text = codec.to_json(cover).encode()
    return {KEY: text, PANDAS_KEY: text}


def read_cover(raw: bytes | str, what: str) -> Cover:
    """Decode a cover; SourceError says what is wrong with it."""
    cover = codec.from_json(raw, Cover, f"the cover of {what}")
    if cover.schema != SCHEMA:
        raise SourceError(f"{what} has the form {cover.schema[:60]!r}; this version reads {SCHEMA}")
    times = [cover.began_at, *(at for mark in cover.marks for at in (mark.at, mark.until) if at is not None)]
    if not all(0 <= at <= LATEST for at in times):
        raise SourceError(f"the cover of {what} tells of times that are none")
    return cover


def renamed(cover: Cover, names: Mapping[str, str], uuids: Mapping[str, str], scrub: Mapping[str, str]) -> Cover:
    """The cover with other names of guests, other UUIDs, and other words in its texts."""

    def text(told: str) -> str:
        for old, new in sorted(scrub.items(), key=lambda one: -len(one[0])):
            told = told.replace(old, new)
        return told

    def who(key: str) -> str:
        head, colon, uuid = key.rpartition(":")
        return f"{head}{colon}{uuids.get(uuid, uuid)}"

    return replace(
        cover,
        note=text(cover.note),
        guests={uuids.get(uuid, uuid): names.get(name, name) for uuid, name in cover.guests.items()},
        below=tuple(
            replace(one, guest=uuids.get(one.guest, one.guest), reason=text(one.reason)) for one in cover.below
        ),
        marks=tuple(replace(one, guest=who(one.guest), text=text(one.text)) for one in cover.marks),
    )
