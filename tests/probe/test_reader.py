"""Files read into values or gaps."""

from __future__ import annotations

from pathlib import Path

import pytest

from kvmnb.core.cpuset import CpuSet
from kvmnb.facts.gap import Gap
from kvmnb.machine.files import ReadOnlyFiles
from kvmnb.probe.reader import Reader
from tests.probe.trees import plant


def gap_of(found: object) -> Gap:
    assert isinstance(found, Gap)
    return found


@pytest.fixture
def read(tmp_path: Path) -> Reader:
    texts = {"list": "0-1", "mask": "00000000,00000003", "other": "2-3", "empty": "", "minus": "-1", "word": "on"}
    plant(tmp_path, texts)
    (tmp_path / "binary").write_bytes(b"\xff\x00\x01")
    (tmp_path / "folder").mkdir()
    return Reader(ReadOnlyFiles(tmp_path))


def test_a_file_that_is_not_there_is_a_gap_unless_its_absence_means_something(read: Reader) -> None:
    assert gap_of(read.integer("none", "f")) == Gap("f", "/none: No such file or directory")
    assert read.integer("none", "f", 7) == 7
    assert read.integer("list/below/a/file", "f", 7) == 7


def test_the_kernels_minus_one_is_no_number(read: Reader) -> None:
    assert read.integer("minus", "f", None) is None


@pytest.mark.parametrize("path", ["empty", "binary", "folder"])
def test_what_holds_no_word_is_a_gap_even_where_absence_would_mean_something(read: Reader, path: str) -> None:
    found = read.word(path, "f", None)
    assert isinstance(found, Gap)
    assert found.reason.startswith(f"/{path}: ")


def test_a_set_is_taken_from_the_first_sound_file(read: Reader) -> None:
    assert read.sharing(1, "f", ["none", "list"], ["mask"]) == CpuSet.of(0, 1)
    assert read.sharing(1, "f", ["binary", "other"], ["mask"]) == CpuSet.of(0, 1)
    assert read.sharing(1, "f", ["none"], ["none"]) is None


def test_a_set_without_the_cpu_itself_is_broken(read: Reader) -> None:
    assert gap_of(read.sharing(1, "f", ["other"], [])) == Gap("f", "/other: the set '2-3' lacks CPU 1 itself")


def test_a_folder_that_is_not_there_has_no_names_and_a_file_in_its_place_is_a_gap(read: Reader) -> None:
    assert read.folder("none", "f") == []
    assert gap_of(read.folder("word", "f")) == Gap("f", "/word: Not a directory")
    assert read.folder("folder", "f") == []
