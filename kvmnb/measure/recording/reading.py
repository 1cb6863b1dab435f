"""Opens a recording of series: the one file, or the parts that a killed recorder left."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Any

from kvmnb.core.errors import KvmnbError, SourceError
from kvmnb.measure.recording import form
from kvmnb.measure.recording.arrow import arrow
from kvmnb.measure.recording.cover import KEY, Cover, read_cover
from kvmnb.measure.recording.kinds import ENDING, MAGIC, folder_of
from kvmnb.measure.recording.parts import COVER, is_made_now, parts_in

# A day of a host of 1000 guests is below; what says of itself to be more is refused before it is read.
MOST_ROWS = 500_000_000
MOST_GROUP_ROWS = 4 * form.GROUP_ROWS
MOST_GROUP_BYTES = 256 * 1024**2
MOST_COVER_BYTES = 16 * 1024**2


@dataclass(frozen=True, slots=True)
class Group:
    """Rows that are read at once."""

    file: Path
    number: int
    begins: int
    """When its first reading was made, in microseconds since the epoch."""
    ends: int
    stretch: int
    """Seconds of which its values are means; 0 where they are as they were read."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A recording on disk, whose values are read as they are asked for."""

    path: Path
    cover: Cover
    groups: tuple[Group, ...]
    """By time."""
    early: str | None
    """Why it ends early; None where its recorder closed it."""

    @property
    def fine_since(self) -> float:
        """From when on values are kept as they were read, in seconds since the epoch; infinite where none is."""
        return min((one.begins for one in self.groups if not one.stretch), default=inf) * 1e-6

    def table(self, group: Group) -> Any:
        """One group's rows; SourceError where they cannot be read."""
        with _told(self.path), form.opened(group.file) as file:
            return form.table(file, group.number)


def is_ours(path: Path) -> bool:
    """Whether a file is a recording of series of kvmnb, of this version's form."""
    try:
        return path.is_file() and bool(opened(path))
    except KvmnbError:
        return False


def opened(path: Path) -> Stored:
    """The recording at ``path``, or of the parts beside it; SourceError says in a sentence what is wrong with it."""
    if path.is_dir() and path.name.endswith(ENDING):
        return _of_parts(path, path)
    if not path.exists() and folder_of(path).is_dir():
        return _of_parts(folder_of(path), path)
    if path.exists() and not path.is_file():
        raise SourceError(f"{path} is no file, so it is no recording of series")
    with _told(path):
        with open(path, "rb") as stream:
            if stream.read(len(MAGIC)) != MAGIC:
                raise SourceError(f"{path} is no recording of series of kvmnb")
        file = form.opened(path)
        raw = (file.schema_arrow.metadata or {}).get(KEY)
        if raw is None:
            raise SourceError(f"{path} is a Parquet file, but no recording of series of kvmnb")
        cover = _cover(raw, path)
        return Stored(path, cover, tuple(sorted(_groups(path, file), key=_place)), None)


def _of_parts(folder: Path, path: Path) -> Stored:
    with _told(path):
        cover = _cover((folder / COVER).read_bytes(), path)
        groups: list[Group] = []
        for part in parts_in(folder):
            # After a power cut the newest pieces may be empty files.
            if (folder / part.name).stat().st_size:
                groups += _groups(folder / part.name, form.opened(folder / part.name))
    now = is_made_now(folder)
    early = "it is still being recorded" if now else cover.end or "its recorder was killed"
    return Stored(path, cover, tuple(sorted(groups, key=_place)), early)


def _place(group: Group) -> tuple[int, int, int]:
    return group.begins, group.ends, group.number


def _cover(raw: bytes, path: Path) -> Cover:
    if len(raw) > MOST_COVER_BYTES:
        raise SourceError(f"the cover of {path} is larger than {MOST_COVER_BYTES // 1024**2} MiB and was not read")
    return read_cover(raw, str(path))


def _groups(path: Path, file: Any) -> Iterator[Group]:
    """The row groups of a file, by what its end says of them."""
    if not file.schema_arrow.equals(form.schema()):
        raise SourceError(f"{path} has other columns than a recording of series of kvmnb")
    told = file.metadata
    if told.num_rows > MOST_ROWS:
        raise SourceError(f"{path} says that it holds {told.num_rows} rows; at most {MOST_ROWS} are read")
    for number in range(told.num_row_groups):
        group = told.row_group(number)
        if group.num_rows > MOST_GROUP_ROWS or group.total_byte_size > MOST_GROUP_BYTES:
            raise SourceError(f"{path} holds a group of rows that is too large to be kvmnb's")
        if not group.num_rows:
            continue
        told_of = [group.column(column).statistics for column in (0, group.num_columns - 1)]
        if any(one is None or not one.has_min_max for one in told_of):
            raise SourceError(f"{path} does not tell when its rows begin and end, so it is not kvmnb's")
        times, stretches = told_of
        yield Group(path, number, times.min_raw, times.max_raw, stretches.min_raw)


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """What may go wrong with a file, in a sentence."""
    pa = arrow()
    try:
        yield
    except FileNotFoundError as problem:
        raise SourceError(f"there is no recording {path}") from problem
    except (OSError, pa.ArrowException, ValueError, EOFError, MemoryError) as problem:
        reason = problem.strerror if isinstance(problem, OSError) and problem.strerror else str(problem)
        first = (reason or type(problem).__name__).splitlines()[0][:200]
        raise SourceError(f"the recording {path} cannot be read: {first}") from problem
