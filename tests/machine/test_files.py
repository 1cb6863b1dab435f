"""A machine's files are read within their tree and written only where that is allowed."""

from __future__ import annotations

from pathlib import Path

import pytest

from kvmnb.core.errors import Refused
from kvmnb.machine.files import MAX_BYTES, Files, ReadOnlyFiles


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "tree/sys/a").mkdir(parents=True)
    (tmp_path / "tree/sys/a/value").write_text("12\n")
    (tmp_path / "outside").write_text("secret")
    return tmp_path / "tree"


def test_a_text_is_read_without_its_trailing_white_space(tree: Path) -> None:
    files = Files(tree)
    assert files.read("sys/a/value") == "12"
    assert files.names("sys/a") == ["value"]
    assert files.exists("sys/a/value")
    assert not files.exists("sys/b")


def test_a_proc_file_is_read_whole() -> None:
    text = Path("/proc/self/smaps").read_text()
    assert len(Files(Path("/")).read_bytes("proc/self/smaps")) > 0.5 * len(text)


@pytest.mark.parametrize("path", ["/etc/passwd", "sys/../../outside", "../outside", "sys/a\0b"])
def test_a_path_out_of_the_tree_is_refused(tree: Path, path: str) -> None:
    with pytest.raises(Refused):
        Files(tree).read(path)


def test_a_link_out_of_a_recorded_tree_is_not_followed(tree: Path) -> None:
    (tree / "sys/out").symlink_to(tree.parent)
    (tree / "sys/inside").symlink_to("a")
    files = Files(tree)
    with pytest.raises(PermissionError, match="leads out"):
        files.read("sys/out/outside")
    assert files.read("sys/inside/value") == "12"


def test_a_binary_or_endless_file_is_a_value_error(tree: Path) -> None:
    (tree / "sys/binary").write_bytes(b"ab\0cd")
    (tree / "sys/latin").write_bytes(b"\xe9")
    (tree / "sys/large").write_bytes(b"x" * (MAX_BYTES + 1))
    files = Files(tree)
    for name in ("binary", "latin", "large"):
        with pytest.raises(ValueError, match=r"binary|decode|larger"):
            files.read(f"sys/{name}")


def test_a_pipe_in_a_tree_does_not_hang_the_reader(tree: Path) -> None:
    import os

    os.mkfifo(tree / "sys/pipe")
    assert Files(tree).read("sys/pipe") == ""


def test_a_recording_takes_no_write(tree: Path) -> None:
    files = ReadOnlyFiles(tree)
    assert not files.writable("sys/a/value")
    with pytest.raises(Refused, match="takes no writes"):
        files.write("sys/a/value", "1")
    Files(tree).write("sys/a/value", "7")
    assert files.read("sys/a/value")[0] == "7"
