"""Looks at a small tree that stands still: whose each thread is, and what its quota held back."""

from __future__ import annotations

from pathlib import Path

import pytest

from kvmnb.machine.files import ReadOnlyFiles
from kvmnb.measure.looks import Looks
from kvmnb.measure.moment import CpuAt, Kind, Party, ThreadAt
from tests.measure.collect.test_collectors import put

UUID = "8dd0a7f2-3dc5-4f0d-8b0c-7d3f4ad0b7aa"
GUEST, VHOST = Party(Kind.GUEST, UUID), Party(Kind.VHOST, UUID)


def stat(number: int, name: str, cpu: int, *, state: str = "S", flags: int = 0, ticks: int = 0) -> str:
    rest = [state, *"1" * 5, str(flags), *"0000", str(ticks), "0", *["0"] * 23, str(cpu), "0", "0"]
    return f"{number} ({name}) {' '.join(rest)}"


def thread(folder: str, name: str, cpu: int, run_ms: int, delay_ms: int, state: str = "S") -> dict[str, str]:
    return {
        f"{folder}/comm": name,
        f"{folder}/status": "Cpus_allowed_list:\t0-1\n",
        f"{folder}/stat": stat(1, name, cpu, state=state),
        f"{folder}/schedstat": f"{run_ms * 1_000_000} {delay_ms * 1_000_000} 5",
    }


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A host of two CPUs with a guest of one vCPU, an iothread and a vhost worker, a busy process, and an idle one."""
    qemu = "proc/77/task"
    files = {
        "proc/stat": "cpu 1 1 1 1 1 1 1 1\ncpu0 100 0 50 9 9 2 3 7 0 0\ncpu1 0 0 0 9 9 0 0 0 0 0\nctxt 5\n",
        "proc/77/comm": "qemu-system-x86",
        "proc/77/cmdline": f"qemu\0-name\0guest=a,debug-threads=on\0-uuid\0{UUID}\0",
        "proc/77/stat": stat(77, "qemu-system-x86", 0),
        "proc/77/cgroup": "0::/\n",
        "proc/90/comm": "vhost-77",
        "proc/90/stat": stat(90, "vhost-77", 1, flags=0x200000),
        "proc/200/comm": "backup",
        "proc/200/stat": stat(200, "backup", 1, state="R"),
        "proc/201/comm": "sleeper",
        "proc/201/stat": stat(201, "sleeper", 1),
        "proc/300/comm": "odd",
        "proc/300/stat": "nothing that a kernel says",
    }
    files |= thread(f"{qemu}/77", "qemu-system-x86", 0, 10, 1)
    files |= thread(f"{qemu}/80", "CPU 0/KVM", 1, 400, 300)
    files |= thread(f"{qemu}/81", "IO iothread1", 1, 20, 2)
    files |= thread("proc/90/task/90", "vhost-77", 1, 30, 3)
    files |= thread("proc/200/task/200", "backup", 1, 500, 0, "R")
    put(tmp_path, files)
    return tmp_path


def looks(tree: Path) -> Looks:
    found = Looks(ReadOnlyFiles(tree))
    for _ in found.over(0.01, 20):
        pass
    return found


def test_each_busy_thread_is_somebody_s_and_what_cannot_be_looked_at_is_told(tree: Path) -> None:
    found = looks(tree)
    moment = found.look()
    assert moment.threads == {
        "proc/77/task/77": ThreadAt(GUEST, 0.01, 0.001, 0),
        "proc/77/task/80": ThreadAt(GUEST, 0.4, 0.3, 1, is_vcpu=True),
        "proc/77/task/81": ThreadAt(GUEST, 0.02, 0.002, 1),
        "proc/90/task/90": ThreadAt(VHOST, 0.03, 0.003, 1),
        "proc/200/task/200": ThreadAt(Party(Kind.PROCESS, "backup"), 0.5, 0.0, 1),
    }
    assert moment.cpus == {0: CpuAt(1.55, 0.05, 0.07), 1: CpuAt(0.0, 0.0, 0.0)}
    assert found.names() == {Party(Kind.PROCESS, "backup"): Party(Kind.PROCESS, "backup (pid 200)")}
    assert found.gaps == ("processes that could not be looked at, 1 of them: what they took is unknown",)
    assert found.guests == {UUID: "a"}


@pytest.mark.parametrize("version", [1, 2])
def test_what_quotas_held_back_is_read_from_either_version_of_cgroups(tree: Path, version: int) -> None:
    group = "machine/qemu-1-a.libvirt-qemu"
    root = f"sys/fs/cgroup/{'cpu/' if version == 1 else ''}{group}"
    below = root if version == 1 else f"{root}/libvirt"
    kept = {root: 2_000, f"{below}/vcpu0": 1_000, f"{below}/emulator": None}
    for folder, milliseconds in kept.items():
        quota = -1 if milliseconds is None else 50_000
        if version == 1:
            account = f"nr_periods 9\nnr_throttled 4\nthrottled_time {(milliseconds or 0) * 1_000_000}\n"
            put(tree, {f"{folder}/cpu.cfs_quota_us": str(quota), f"{folder}/cpu.stat": account})
        else:
            account = f"nr_periods 9\nnr_throttled 4\nthrottled_usec {(milliseconds or 0) * 1_000}\n"
            maximum = "max 100000" if milliseconds is None else f"{quota} 100000"
            put(tree, {f"{folder}/cpu.max": maximum, f"{folder}/cpu.stat": account})
    line = f"4:cpu,cpuacct:/{group}/emulator\n" if version == 1 else f"0::/{group}/libvirt/emulator\n"
    put(tree, {"proc/77/cgroup": line})
    moment = looks(tree).look()
    assert moment.held == {UUID: 2.0}
    throttled = {folder: one.throttled for folder, one in moment.threads.items() if one.throttled}
    assert throttled == {"proc/77/task/80": 1.0}


def test_a_guest_that_is_stopped_is_no_victim_and_the_reason_is_told(tree: Path) -> None:
    put(tree, thread("proc/77/task/80", "CPU 0/KVM", 1, 400, 300, "T"))
    found = looks(tree)
    assert not any(one.is_vcpu for one in found.look().threads.values())
    assert "a could not be looked at: its QEMU is stopped by a signal (SIGSTOP)" in found.gaps
