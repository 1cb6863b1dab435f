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


def test_a_hugepage_pool_grows_into_free_memory_and_keeps_what_is_in_use(files: ScratchFiles) -> None:
    node = "sys/devices/system/node/node0"
    pool = f"{node}/hugepages/hugepages-2048kB"
    for path, text in {
        f"{node}/meminfo": "Node 0 MemTotal: 99999 kB\nNode 0 MemFree: 20480 kB\n",
        f"{pool}/nr_hugepages": "4\n",
        f"{pool}/free_hugepages": "1\n",
    }.items():
        (files.root / path).parent.mkdir(parents=True, exist_ok=True)
        (files.root / path).write_text(text)
    files.write(f"{pool}/nr_hugepages", "1000")
    assert (files.read(f"{pool}/nr_hugepages"), files.read(f"{pool}/free_hugepages")) == ("14", "11")
    assert "MemFree: 0 kB" in files.read(f"{node}/meminfo")
    files.write(f"{pool}/nr_hugepages", "0")
    assert (files.read(f"{pool}/nr_hugepages"), files.read(f"{pool}/free_hugepages")) == ("3", "0")


def test_a_sysctl_takes_as_many_numbers_as_it_has(files: ScratchFiles) -> None:
    path = files.root / "proc/sys/net/ipv4/tcp_rmem"
    path.parent.mkdir(parents=True)
    path.write_text("4096\t131072\t6291456\n")
    files.write("proc/sys/net/ipv4/tcp_rmem", "4096 131072 8388608")
    assert files.read("proc/sys/net/ipv4/tcp_rmem").split() == ["4096", "131072", "8388608"]
    with pytest.raises(OSError, match="Invalid argument"):
        files.write("proc/sys/net/ipv4/tcp_rmem", "1")


def test_a_file_whose_answer_is_not_known_refuses(files: ScratchFiles) -> None:
    with pytest.raises(Refused, match="cannot tell how the kernel would answer"):
        files.write(f"{POLICY}/scaling_driver", "x")
    assert not files.writable(f"{POLICY}/scaling_driver")
