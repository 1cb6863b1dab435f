"""A scratch copy answers a write as the kernel does."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from kvmnb.core.errors import Refused
from kvmnb.machine.scratch_files import ScratchFiles

POLICY = "sys/devices/system/cpu/cpufreq/policy0"
THP = "sys/kernel/mm/transparent_hugepage/enabled"


@pytest.fixture
def files(tmp_path: Path) -> ScratchFiles:
    for path, text in {
        f"{POLICY}/scaling_governor": "powersave\n",
        f"{POLICY}/scaling_available_governors": "performance powersave\n",
        f"{POLICY}/scaling_driver": "intel_pstate\n",
        THP: "always [madvise] never\n",
        "sys/kernel/mm/ksm/run": "0\n",
    }.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    return ScratchFiles(tmp_path)


def test_a_governor_that_is_offered_is_taken(files: ScratchFiles) -> None:
    files.write(f"{POLICY}/scaling_governor", "performance")
    assert files.read(f"{POLICY}/scaling_governor") == "performance"


def test_a_word_that_is_not_offered_is_einval_and_changes_nothing(files: ScratchFiles) -> None:
    for path, value in ((f"{POLICY}/scaling_governor", "turbo"), (THP, "noop"), ("sys/kernel/mm/ksm/run", "x")):
        before = files.read(path)
        with pytest.raises(OSError, match="Invalid argument") as refused:
            files.write(path, value)
        assert refused.value.errno == errno.EINVAL
        assert files.read(path) == before


def test_a_choice_keeps_its_list(files: ScratchFiles) -> None:
    files.write(THP, "never")
    assert files.read(THP) == "always madvise [never]"


def test_a_file_whose_answer_is_not_known_refuses(files: ScratchFiles) -> None:
    with pytest.raises(Refused, match="cannot tell how the kernel would answer"):
        files.write(f"{POLICY}/scaling_driver", "x")
    assert not files.writable(f"{POLICY}/scaling_driver")
