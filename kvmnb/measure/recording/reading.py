"""Opens a recording of series: the one file, or the parts that a killed recorder left."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from heapq import heappop, heappush
from math import inf
from pathlib import Path
from typing import Any

from kvmnb.core.errors import KvmnbError, SourceError
from kvmnb.measure.recording import form
from kvmnb.measure.recording.arrow import arrow
from kvmnb.measure.recording.cover import KEY, LATEST, Cover, read_cover
from kvmnb.measure.recording.kinds import ENDING, MAGIC, folder_of
from kvmnb.measure.recording.pages import Chunk, pages, told_groups
from kvmnb.measure.recording.parts import COVER, is_made_now, parts_in

# A day of a host of 1000 guests is below; what says of itself to be more is refused before it is read.
MOST_ROWS = 500_000_000
MOST_GROUP_ROWS = 4 * form.GROUP_ROWS
MOST_GROUP_BYTES = 64 * 1024**2
# What is read at once, with some 60 bytes a row: two minutes of a host of 1000 guests.
MOST_TOGETHER = 8_000_000
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
    rows: int
    chunks: tuple[Chunk, ...]


@dataclass(frozen=True, slots=True)
class Run:
    """Groups that follow each other in a file and tell of the same time, as those of one part do."""

    groups: tuple[Group, ...]

    @property
    def begins(self) -> int:
        """When its first reading was made, in microseconds since the epoch."""
        return min(one.begins for one in self.groups)

    @property
    def ends(self) -> int:
        """The same of its last one."""
        return max(one.ends for one in self.groups)

    @property
    def rows(self) -> int:
        """How many rows it has."""
        return sum(one.rows for one in self.groups)


@dataclass(frozen=True, slots=True)
class Stored:
    """A recording on disk, whose values are read as they are asked for."""

    path: Path
    cover: Cover
    groups: tuple[Group, ...]
    """As they stand in the files."""
    early: str | None
    """Why it ends early; None where its recorder closed it."""

    @property
    def fine_since(self) -> float:
        """From when on values are kept as they were read, in seconds since the epoch; infinite where none is."""
        return min((one.begins for one in self.groups if not one.stretch), default=inf) * 1e-6

    def runs(self) -> list[Run]:
        """The groups that are read together, by time; SourceError where they are more than memory is for."""
        found: list[list[Group]] = []
        begins = ends = 0
        for group in self.groups:
            before = found[-1][-1] if found else None
            along = before is not None and (before.file, before.stretch) == (group.file, group.stretch)
            if along and group.begins <= ends and begins <= group.ends:
                found[-1].append(group)
                begins, ends = min(begins, group.begins), max(ends, group.ends)
            else:
                found.append([group])
                begins, ends = group.begins, group.ends
        runs = sorted((Run(tuple(groups)) for groups in found), key=lambda one: (one.begins, one.ends))
        self._check(runs)
        return runs

    def _check(self, runs: list[Run]) -> None:
        """See that no more than MOST_TOGETHER rows tell of the same time."""
        running: list[tuple[int, int]] = []
        together = 0
        for run in runs:
            while running and running[0][0] < run.begins:
                together -= heappop(running)[1]
            together += run.rows
            heappush(running, (run.ends, run.rows))
            if together > MOST_TOGETHER:
                raise SourceError(
                    f"{self.path} holds {together} rows of the same time; at most {MOST_TOGETHER} are read at once"
                )

    def table(self, group: Group) -> Any:
        """One group's rows; ``told`` says why they cannot be read."""
        _check_pages(group)
        with form.opened(group.file) as file:
            return form.table(file, group.number)


def is_ours(path: Path) -> bool:
    """Whether a file is a recording of series of kvmnb, of this version's form."""
    try:
        return path.is_file() and bool(opened(path))
    except KvmnbError:
        return False


def opened(path: Path) -> Stored:
    """The recording at ``path``, or of the parts beside it; SourceError says in a sentence what is wrong with it."""
    with told(path):
        if path.is_dir() and path.name.endswith(ENDING):
            return _of_parts(path, path)
        if not path.exists() and folder_of(path).is_dir():
            return _of_parts(folder_of(path), path)
        if path.exists() and not path.is_file():
            raise SourceError(f"{path} is no file, so it is no recording of series")
        with open(path, "rb") as stream:
            if stream.read(len(MAGIC)) != MAGIC:
                raise SourceError(f"{path} is no recording of series of kvmnb")
        groups = tuple(_groups(path))
        with form.opened(path) as file:
            raw = (file.schema_arrow.metadata or {}).get(KEY)
            if raw is None:
                raise SourceError(f"{path} is a Parquet file, but no recording of series of kvmnb")
            _check_columns(path, file)
            return Stored(path, _cover(raw, path), groups, None)


def _of_parts(folder: Path, path: Path) -> Stored:
    cover = _cover(_own(folder / COVER).read_bytes(), path)
    groups: list[Group] = []
    for part in parts_in(folder):
        # After a power cut the newest pieces may be empty files.
        if _own(folder / part.name).stat().st_size:
            groups += _groups(folder / part.name)
            with form.opened(folder / part.name) as file:
                _check_columns(path, file)
    now = is_made_now(folder)
    early = "it is still being recorded" if now else cover.end or "its recorder was killed"
    return Stored(path, cover, tuple(groups), early)


def _own(path: Path) -> Path:
    """The same; SourceError where no recorder wrote it, such as a pipe, of which a reader would wait for ever."""
    if path.exists() and not path.is_file():
        raise SourceError(f"{path} is no file, so it is no part of a recording of series")
    return path


def _cover(raw: bytes, path: Path) -> Cover:
    if len(raw) > MOST_COVER_BYTES:
        raise SourceError(f"the cover of {path} is larger than {MOST_COVER_BYTES // 1024**2} MiB and was not read")
    return read_cover(raw, str(path))


def _groups(path: Path) -> Iterator[Group]:
    """The row groups of a file, by what its end says of them."""
    rows = 0
    for number, group in enumerate(told_groups(path)):
        rows += group.rows
        if rows > MOST_ROWS:
            raise SourceError(f"{path} says that it holds more than {MOST_ROWS} rows; so many are not read")
        if group.rows > MOST_GROUP_ROWS or group.unpacked > MOST_GROUP_BYTES:
            raise SourceError(f"{path} holds a group of rows that is too large to be kvmnb's")
        if len(group.chunks) != len(form.schema()):
            raise SourceError(f"{path} has other columns than a recording of series of kvmnb")
        if not group.rows:
            continue
        times, stretches = group.chunks[0], group.chunks[-1]
        begins, ends, stretch = (_number(one) for one in (times.least, times.most, stretches.least))
        if begins is None or ends is None or stretch is None:
            raise SourceError(f"{path} does not tell when its rows begin and end, so it is not kvmnb's")
        if not 0 <= begins <= ends <= LATEST * 1_000_000:
            raise SourceError(f"{path} tells of times that are none")
        yield Group(path, number, begins, ends, stretch, group.rows, group.chunks)


def _number(raw: bytes | None) -> int | None:
    return int.from_bytes(raw, "little", signed=True) if raw is not None and len(raw) in (4, 8) else None


def _check_columns(path: Path, file: Any) -> None:
    if not file.schema_arrow.equals(form.schema()):
        raise SourceError(f"{path} has other columns than a recording of series of kvmnb")


def _check_pages(group: Group) -> None:
    """See that a group of rows takes no more memory than its file says; ValueError where it does."""
    size = 0
    with open(group.file, "rb") as stream:
        for chunk in group.chunks:
            for page in pages(stream, chunk, group.rows):
                size += page.unpacked
                if size > MOST_GROUP_BYTES:
                    raise ValueError("a group of its rows unpacks to more than kvmnb writes")


@contextmanager
def told(path: Path) -> Iterator[None]:
    """What may go wrong with a file, in a sentence."""
    pa = arrow()
    try:
        yield
    except FileNotFoundError as problem:
        raise SourceError(f"there is no recording {path}") from problem
    except (OSError, pa.ArrowException, ValueError, LookupError, EOFError, MemoryError, OverflowError) as problem:
        reason = problem.strerror if isinstance(problem, OSError) and problem.strerror else str(problem)
        if isinstance(problem, LookupError):
            reason = "what it says of its rows does not fit them"
        first = (reason or type(problem).__name__).splitlines()[0][:200]
        raise SourceError(f"the recording {path} cannot be read: {first}") from problem
