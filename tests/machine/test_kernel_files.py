"""What kvmnb-root writes lands in the kernel's own trees, or in kvmnb's own files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from kvmnb.core.errors import Refused
from kvmnb.machine.kernel_files import KernelFiles, file_system, open_beneath

PROC_MAGIC = 0x9FA0


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A folder with a file, a link inside, and links that lead out of it in every way."""
    (tmp_path / "secret").write_text("root's")
    root = tmp_path / "root"
    (root / "deep").mkdir(parents=True)
    (root / "deep/file").write_text("0")
    (root / "inside").symlink_to("deep")
    (root / "up").symlink_to("..")
    (root / "absolute").symlink_to(tmp_path)
    (root / "deep/secret").symlink_to(tmp_path / "secret")
    (root / "loop").symlink_to("loop")
    return root


@pytest.mark.parametrize("path", ["deep/file", "inside/file"])
def test_a_link_inside_the_tree_is_followed(tree: Path, path: str) -> None:
    descriptor = open_beneath(str(tree), path)
    assert os.path.samestat(os.fstat(descriptor), (tree / "deep/file").stat())
    os.close(descriptor)


@pytest.mark.parametrize(
    "path", ["up/secret", "absolute/secret", "deep/secret", "loop/x", "../secret", "deep/../../secret"]
)
def test_no_link_and_no_climbing_leads_out(tree: Path, path: str) -> None:
    with pytest.raises(Refused, match="leads out of"):
        open_beneath(str(tree), path)


def test_a_link_of_proc_to_another_process_is_not_followed() -> None:
    with pytest.raises(Refused, match="leads out of"):
        open_beneath("/proc", "self/root/etc/hostname")


@pytest.mark.parametrize(
    "path", ["etc/passwd", "sys", "proc/", "dev/null", "sysx/kernel", "/sys/kernel/mm/ksm/run", "sys/../etc/passwd"]
)
def test_no_other_tree_is_written(path: str) -> None:
    with pytest.raises((Refused, OSError)) as told:
        KernelFiles().write(path, "1")
    assert isinstance(told.value, Refused)


def test_the_file_system_of_an_open_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("")
    for path, proc in (("/proc/self/stat", True), (str(tmp_path / "plain"), False)):
        descriptor = os.open(path, os.O_RDONLY)
        assert (file_system(descriptor) == PROC_MAGIC) is proc
        os.close(descriptor)


@pytest.mark.parametrize(
    "path",
    [
        "etc/passwd",
        "etc/sysctl.d/10-network.conf",
        "etc/sysctl.d/../cron.d/kvmnb.conf",
        "etc/cron.d/kvmnb.conf",
        "etc/sysctl.d/kvmnb.conf/x",
        "etc/systemd/system/kvmnb.service",
    ],
)
def test_no_file_but_kvmnbs_own_is_made_or_taken_away(path: str) -> None:
    for deed in (lambda: KernelFiles().put(path, "x"), lambda: KernelFiles().remove(path)):
        with pytest.raises(Refused):
            deed()
