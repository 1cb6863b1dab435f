"""Recordings as archives: packed without anything of this system, unpacked without trust.

An archive may come from anybody. So nothing is unpacked by a library: each member's name is checked, its
bytes are counted while they are decompressed, and only plain files and folders are made, in a new folder.
"""

from __future__ import annotations

import contextlib
import gzip
import lzma
import os
import tarfile
import tempfile
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, cast

from kvmnb.core.errors import SourceError

ENDINGS = (".tar.zst", ".tar.xz", ".tar.gz", ".tgz", ".tar")

MAX_MEMBERS = 200_000
MAX_TOTAL_BYTES = 512 * 1024**2
MAX_FILE_BYTES = 4 * 1024**2
MAX_NAME = 255
MAX_PATH = 1024
MAX_DEPTH = 40
# A recording packs about 1 to 30, mostly small equal files; a bomb a thousand and more.
MAX_RATIO = 400
_FREE_BYTES = 16 * 1024**2
_CHUNK = 65_536


def pack(folder: Path, archive: Path) -> None:
    """Pack a folder; owners, times and modes are the same for all, so equal folders make equal archives."""
    with _writing(archive) as stream, tarfile.open(fileobj=stream, mode="w|", format=tarfile.PAX_FORMAT) as tar:
        for place, folders, names in os.walk(folder):
            folders.sort()
            inside = os.path.relpath(place, folder)
            for name in sorted([*names, *(one for one in folders if not os.listdir(os.path.join(place, one)))]):
                path = Path(place) / name
                member = tarfile.TarInfo(os.path.normpath(os.path.join(inside, name)))
                if path.is_dir():
                    member.type, member.mode = tarfile.DIRTYPE, 0o755
                    tar.addfile(member)
                    continue
                member.size, member.mode = path.stat().st_size, 0o644
                with path.open("rb") as content:
                    tar.addfile(member, content)


class Unpacked:
    """A recording unpacked into a private folder, which goes with this object or at ``remove``."""

    def __init__(self, archive: Path) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="kvmnb-recording-")
        try:
            self.recording = unpack(archive, Path(self._folder.name))
        except BaseException:
            self.remove()
            raise

    def remove(self) -> None:
        """Remove the folder; a second call does nothing."""
        self._folder.cleanup()


def open_archive(archive: Path) -> Unpacked:
    """Unpack a recording's archive into a private folder; SourceError where it is none."""
    return Unpacked(archive)


def unpack(archive: Path, into: Path) -> Path:
    """Unpack a recording into the folder ``into``, which must be empty; the folder of the recording in it.

    Raises SourceError, naming what is wrong, at the first thing that no recording has: a link, a device,
    a path that leads out, a name that is no name, too many or too large files, or a bomb.
    """
    try:
        _unpack(archive, into)
    except (OSError, EOFError, ValueError, tarfile.TarError, lzma.LZMAError) as problem:
        if isinstance(problem, OSError) and problem.errno is not None and problem.filename is not None:
            said = f"{problem.strerror}"
        else:
            said = str(problem) or type(problem).__name__
        raise SourceError(f"{archive} cannot be read as an archive of a recording: {said}") from problem
    except Exception as problem:
        if type(problem).__name__ != "ZstdError":
            raise
        raise SourceError(f"{archive} cannot be read as an archive of a recording: {problem}") from problem
    return _recording_in(archive, into)


def _unpack(archive: Path, into: Path) -> None:
    packed = archive.stat().st_size
    made: set[str] = set()
    with (
        _reading(archive) as stream,
        tarfile.open(fileobj=cast(IO[bytes], _Counted(stream, packed, archive)), mode="r|") as tar,
    ):
        count = total = 0
        for member in tar:
            count += 1
            if count > MAX_MEMBERS:
                raise SourceError(f"{archive} holds more than {MAX_MEMBERS} files; it is no recording")
            path = _checked(member, archive)
            if path in ("", "."):
                continue
            if member.isdir():
                (into / path).mkdir(parents=True, exist_ok=True, mode=0o700)
                continue
            if path in made:
                raise SourceError(f"{archive} holds {_shown(path)} twice")
            made.add(path)
            total += member.size
            if member.size > MAX_FILE_BYTES:
                raise SourceError(f"{archive}: {_shown(path)} is larger than {MAX_FILE_BYTES // 1024**2} MiB")
            if total > MAX_TOTAL_BYTES:
                raise SourceError(f"{archive} unpacks to more than {MAX_TOTAL_BYTES // 1024**2} MiB")
            content = tar.extractfile(member)
            assert content is not None
            _write(into, path, content.read(MAX_FILE_BYTES + 1))


def _write(into: Path, path: str, raw: bytes) -> None:
    target = into / path
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    # O_EXCL and O_NOFOLLOW: nothing that is there is ever written through.
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(raw)


def _checked(member: tarfile.TarInfo, archive: Path) -> str:
    """A member's path; SourceError where it is no plain file or folder with a plain name."""
    name = member.name
    if not (member.isreg() or member.isdir()) or member.issparse():
        raise SourceError(f"{archive}: {_shown(name)} is a link, a device or a sparse file, and recordings hold none")
    parts = name.removeprefix("./").rstrip("/").split("/")
    if name.startswith("/") or ".." in parts or "\\" in name:
        raise SourceError(f"{archive}: {_shown(name)} is a path that leads out of the recording")
    if len(name) > MAX_PATH or len(parts) > MAX_DEPTH:
        raise SourceError(f"{archive}: {_shown(name)} is a longer or deeper path than any host has")
    for part in parts:
        odd = any(unicodedata.category(letter) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp") for letter in part)
        if odd or len(part.encode("utf-8", "surrogateescape")) > MAX_NAME or (part in ("", ".") and len(parts) > 1):
            raise SourceError(f"{archive}: {_shown(name)} is no name of a file in a recording")
    return "/".join(parts)


def _recording_in(archive: Path, into: Path) -> Path:
    """Where the cover lies: at the top, or in the one folder that is there."""
    if (into / "recording.json").is_file():
        return into
    inner = [one for one in into.iterdir() if one.is_dir()]
    if len(inner) == 1 and (inner[0] / "recording.json").is_file():
        return inner[0]
    raise SourceError(f"{archive} holds no recording.json, so it is no recording of a host")


class _Counted:
    """A stream that stops where more comes out than any recording packs into so few bytes."""

    def __init__(self, stream: IO[bytes], packed: int, archive: Path) -> None:
        self._stream = stream
        # Headers and padding of small files come on top of their bytes.
        self._most = min(MAX_TOTAL_BYTES + 1536 * MAX_MEMBERS, max(_FREE_BYTES, packed * MAX_RATIO))
        self._archive = archive
        self._total = 0

    def read(self, size: int = _CHUNK) -> bytes:
        raw = self._stream.read(size)
        self._total += len(raw)
        if self._total > self._most:
            raise SourceError(f"{self._archive} unpacks to far more than a recording of its size holds; it is a bomb")
        return raw


@contextlib.contextmanager
def _reading(archive: Path) -> Iterator[IO[bytes]]:
    """The archive's bytes, decompressed."""
    with archive.open("rb") as raw:
        magic = raw.read(6)
        raw.seek(0)
        if magic[:4] == b"\x28\xb5\x2f\xfd":
            zstd = _zstd()
            # A frame that asks for a window of gigabytes would take that much memory.
            options = {zstd.DecompressionParameter.window_log_max: 27}
            with zstd.ZstdFile(raw, "rb", options=options) as stream:
                yield cast(IO[bytes], stream)
        elif magic == b"\xfd7zXZ\x00":
            with _Xz(raw) as stream:
                yield cast(IO[bytes], stream)
        elif magic[:2] == b"\x1f\x8b":
            with gzip.open(raw, "rb") as stream:
                yield cast(IO[bytes], stream)
        else:
            yield raw


class _Xz:
    """An xz stream read with a memory limit, which ``lzma.open`` has not."""

    def __init__(self, raw: IO[bytes]) -> None:
        self._raw = raw
        self._decompressor = lzma.LZMADecompressor(format=lzma.FORMAT_XZ, memlimit=256 * 1024**2)

    def __enter__(self) -> _Xz:
        return self

    def __exit__(self, *error: object) -> None:
        return

    def read(self, size: int = _CHUNK) -> bytes:
        while not self._decompressor.eof:
            packed = self._raw.read(_CHUNK) if self._decompressor.needs_input else b""
            if self._decompressor.needs_input and not packed:
                raise EOFError("the archive ends too early")
            out = self._decompressor.decompress(packed, size)
            if out:
                return out
        return b""


@contextlib.contextmanager
def _writing(archive: Path) -> Iterator[IO[bytes]]:
    name = archive.name
    if name.endswith(".zst"):
        with _zstd().open(archive, "wb", level=10) as stream:
            yield stream
    elif name.endswith(".xz"):
        with lzma.open(archive, "wb") as stream:
            yield cast(IO[bytes], stream)
    elif name.endswith(("gz", "tgz")):
        # A stream without a time in its header, so that equal folders make equal archives.
        with archive.open("wb") as raw, gzip.GzipFile(fileobj=raw, filename="", mode="wb", mtime=0) as stream:
            yield cast(IO[bytes], stream)
    else:
        with archive.open("wb") as stream:
            yield stream


def _zstd() -> Any:
    """The Zstandard module: Python's own from 3.14 on, before that its backport."""
    try:
        from compression import zstd  # type: ignore[import-not-found,unused-ignore]
    except ImportError:
        try:
            from backports import zstd  # type: ignore[import-not-found,unused-ignore,no-redef]
        except ImportError as problem:
            raise SourceError(
                "Zstandard archives need the package backports.zstd (`pip install backports.zstd`); "
                "name a folder, or an archive that ends in .tar.xz"
            ) from problem
    return zstd


def _shown(name: str) -> str:
    return repr(name[:80])
