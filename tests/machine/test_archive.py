"""An archive from anybody is unpacked into plain files of its own folder, or refused in a sentence."""

from __future__ import annotations

import gzip
import io
import lzma
import os
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from backports import zstd
from hypothesis import given
from hypothesis import strategies as st

from kvmnb.core.errors import SourceError
from kvmnb.machine import archive as archives
from kvmnb.machine import sources
from kvmnb.machine.archive import open_archive, pack, unpack
from tests.small_host import write_guest, write_host

COVER = b'{"schema": "kvmnb.recording/1", "made_at": "x", "kvmnb": "0", "title": "t", "origin": "o"}'


def member(name: str, raw: bytes = b"x", **fields: object) -> tuple[tarfile.TarInfo, bytes]:
    found = tarfile.TarInfo(name)
    found.size = len(raw)
    for key, value in fields.items():
        setattr(found, key, value)
    return found, raw


def tar_of(*members: tuple[tarfile.TarInfo, bytes], form: int = tarfile.PAX_FORMAT) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as tar:
        for info, raw in (member("recording.json", COVER), *members):
            tar.addfile(info, io.BytesIO(raw))
    return out.getvalue()


def unpacked(raw: bytes, folder: Path) -> Path:
    (folder / "a.tar").write_bytes(raw)
    (folder / "into").mkdir()
    return unpack(folder / "a.tar", folder / "into")


LINK = {"type": tarfile.SYMTYPE, "linkname": "/etc", "size": 0}
ATTACKS = {
    "a path that is absolute": (member("/etc/cron.d/x"), "leads out"),
    "a path that climbs out": (member("sys/../../x"), "leads out"),
    "a path that climbs first": (member("../x"), "leads out"),
    "backslashes": (member("..\\x"), "leads out"),
    "a symbolic link": (member("sys", b"", **LINK), "link"),
    "a hard link": (member("x", b"", type=tarfile.LNKTYPE, linkname="recording.json", size=0), "link"),
    "a character device": (member("x", b"", type=tarfile.CHRTYPE, devmajor=1, devminor=3, size=0), "device"),
    "a block device": (member("x", b"", type=tarfile.BLKTYPE, devmajor=8, size=0), "device"),
    "a named pipe": (member("x", b"", type=tarfile.FIFOTYPE, size=0), "device"),
    "a control character": (member("sys/\x1b[2Jx"), "no name"),
    "a new line": (member("sys/a\nb"), "no name"),
    "a character that turns the writing around": (member("sys/\u202efdp.x"), "no name"),
    "a name of 256 bytes": (member("sys/" + "n" * 256), "no name"),
    "an endless path": (member("/".join(["d" * 200] * 8)), "longer"),
    "a deep path": (member("/".join(["d"] * 60)), "longer"),
    "the cover twice": (member("recording.json", COVER), "twice"),
    "a file too large": (member("sys/big", bytes(archives.MAX_FILE_BYTES + 1)), "larger"),
}


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_an_attack_is_refused_and_leaves_nothing_outside(
    attack: tuple[tuple[tarfile.TarInfo, bytes], str], tmp_path: Path
) -> None:
    entry, word = attack
    with pytest.raises(SourceError, match=word) as told:
        unpacked(tar_of(entry), tmp_path)
    assert "\x1b" not in str(told.value) and "\n" not in str(told.value) and "\u202e" not in str(told.value)
    assert sorted(os.listdir(tmp_path)) == ["a.tar", "into"]
    assert not [one for one in (tmp_path / "into").rglob("*") if one.is_symlink()]


def test_a_link_and_a_path_through_it_write_nothing(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    link = member("sys", b"", type=tarfile.SYMTYPE, linkname=str(tmp_path / "outside"), size=0)
    with pytest.raises(SourceError):
        unpacked(tar_of(link, member("sys/evil")), tmp_path)
    assert not list((tmp_path / "outside").iterdir())


def test_a_file_in_a_folders_place_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="cannot be read"):
        unpacked(tar_of(member("sys"), member("sys/x")), tmp_path)


def test_names_that_are_odd_but_names_are_kept(tmp_path: Path) -> None:
    """Kernel file names hold colons, and two of them may differ in case alone."""
    names = ("sys/bus/pci/0000:00:1f.2", "sys/A", "sys/a", "sys/ü", "sys/a b", "sys/cciss!c0d0", "sys/-rf")
    where = unpacked(tar_of(*(member(name, name.encode()) for name in names)), tmp_path)
    assert {name: (where / name).read_bytes().decode() for name in names} == {name: name for name in names}


@pytest.mark.parametrize(
    "compress", [gzip.compress, lzma.compress, zstd.compress, bytes], ids=["gzip", "xz", "zstd", "plain"]
)
def test_a_bomb_is_stopped_while_it_unpacks(compress: Callable[[bytes], bytes], tmp_path: Path) -> None:
    """Twenty thousand files of nothing but zeros: the total, not one file, is what is too much."""
    files = [member(f"sys/{number}", bytes(200_000)) for number in range(400)]
    raw = compress(tar_of(*files))
    if compress is bytes:
        assert unpacked(raw, tmp_path)
        return
    assert len(raw) < 1_000_000
    with pytest.raises(SourceError, match="bomb"):
        unpacked(raw, tmp_path)


def test_too_many_members_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MAX_MEMBERS", 100)
    with pytest.raises(SourceError, match="more than 100 files"):
        unpacked(tar_of(*(member(f"sys/{number}", b"") for number in range(100))), tmp_path)


def test_too_many_bytes_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MAX_TOTAL_BYTES", 1000)
    with pytest.raises(SourceError, match="unpacks to"):
        unpacked(tar_of(*(member(f"sys/{number}", bytes(100)) for number in range(20))), tmp_path)


def test_a_size_that_a_header_claims_is_not_believed(tmp_path: Path) -> None:
    info, raw = member("sys/x", bytes(1000))
    whole = bytearray(tar_of((info, raw)))
    # The archive ends in the middle of what the header announces.
    with pytest.raises(SourceError, match="cannot be read"):
        unpacked(bytes(whole[: len(COVER) // 512 * 512 + 512 * 3 + 600]), tmp_path)


@given(st.binary(max_size=4096))
def test_no_bytes_make_a_traceback(tmp_path_factory: pytest.TempPathFactory, raw: bytes) -> None:
    folder = tmp_path_factory.mktemp("bytes")
    for head in (b"", b"\x28\xb5\x2f\xfd", b"\xfd7zXZ\x00", b"\x1f\x8b"):
        (folder / "a").write_bytes(head + raw)
        with pytest.raises(SourceError):
            open_archive(folder / "a")


@given(st.integers(0, 10_000), st.integers(0, 255))
def test_a_broken_byte_makes_a_sentence_or_a_recording(
    tmp_path_factory: pytest.TempPathFactory, at: int, value: int
) -> None:
    raw = bytearray(zstd.compress(tar_of(member("sys/a"), member("proc/b"))))
    raw[at % len(raw)] = value
    folder = tmp_path_factory.mktemp("broken")
    (folder / "a").write_bytes(raw)
    said = ""
    try:
        open_archive(folder / "a").remove()
    except SourceError as problem:
        said = str(problem)
    assert "\n" not in said


def test_what_was_packed_is_unpacked_and_equal_folders_make_equal_archives(tmp_path: Path) -> None:
    host = write_host(tmp_path / "host")
    write_guest(host, "web")
    (host / "sys/empty").mkdir()
    for name in ("a.tar.zst", "b.tar.zst", "c.tar.xz", "d.tar.gz"):
        pack(host, tmp_path / name)
    assert (tmp_path / "a.tar.zst").read_bytes() == (tmp_path / "b.tar.zst").read_bytes()
    for name in ("a.tar.zst", "c.tar.xz", "d.tar.gz"):
        opened = open_archive(tmp_path / name)
        where = opened.recording
        assert {path.relative_to(host): path.read_bytes() for path in host.rglob("*") if path.is_file()} == {
            path.relative_to(where): path.read_bytes() for path in where.rglob("*") if path.is_file()
        }
        assert (where / "sys/empty").is_dir()
        assert where.stat().st_mode & 0o077 == 0
        opened.remove()
        assert not where.exists()


def test_a_recording_in_a_folder_of_its_archive_is_found(tmp_path: Path) -> None:
    """As `tar` packs it when a person does it by hand."""
    raw = io.BytesIO()
    host = write_host(tmp_path / "my-host")
    with tarfile.open(fileobj=raw, mode="w:gz") as tar:
        tar.add(host, "my-host")
    (tmp_path / "x.tar.gz").write_bytes(raw.getvalue())
    machine = sources.recorded(tmp_path / "x.tar.gz")
    assert machine.tree.read("sys/devices/system/cpu/online") == "0-3"
    machine.close()


def test_an_archive_without_a_cover_is_no_recording(tmp_path: Path) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        info, raw = member("etc/passwd")
        tar.addfile(info, io.BytesIO(raw))
    with pytest.raises(SourceError, match=r"no recording\.json"):
        unpacked(out.getvalue(), tmp_path)
