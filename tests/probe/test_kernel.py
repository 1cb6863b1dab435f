"""The kernel's facts are read as the kernel writes them, and owners are named."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from kvmnb import demo
from kvmnb.core.sysctl_d import parse_settings
from kvmnb.facts.gap import NotSeen
from kvmnb.facts.kernel import Kernel
from kvmnb.machine.files import Files
from kvmnb.probe.kernel import probe_kernel
from kvmnb.probe.reader import Reader


def kernel_of(folder: Path) -> Kernel:
    return probe_kernel(Reader(Files(folder)))


def write(folder: Path, **texts: str) -> Path:
    for path, text in texts.items():
        target = folder / path.replace("__", "/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
    return folder


def test_the_demo_hosts_kernel_reads_whole() -> None:
    kernel = kernel_of(demo.path())
    assert kernel.gaps() == ()
    assert (kernel.release, kernel.sysctl("vm.zone_reclaim_mode"), kernel.sysctl("kernel.io_uring_disabled")) == (
        "6.1.0-41-amd64",
        "1",
        None,
    )
    assert kernel.thp is not None
    assert (kernel.thp.enabled, kernel.thp.defrag) == ("never", "madvise")
    assert kernel.ksm is not None
    assert (kernel.ksm.run, kernel.ksm.merge_across_nodes, kernel.ksm.general_profit) == (1, 1, None)
    assert kernel.parameter("kvm_intel", "ept") == "Y"
    assert kernel.parameter("kvm_amd", "npt") is None
    assert kernel.cpu_vendor == "GenuineIntel"
    assert "vmx" in kernel.cpu_flags
    stalls = {one.resource: one.full_avg60 for one in kernel.pressures}
    assert stalls == {"cpu": 0.0, "memory": 0.08, "io": 1.08}
    dirty = next(one for one in kernel.sysctls if one.key == "vm.dirty_ratio")
    assert (dirty.value, dirty.set_by, dirty.set_to) == ("40", "etc/sysctl.d/90-tuning.conf", "40")


def test_this_kernels_settings_agree_with_sysctl() -> None:
    try:
        said = subprocess.run(["/sbin/sysctl", "-a"], capture_output=True, text=True, check=False, timeout=30).stdout
    except FileNotFoundError:
        pytest.skip("sysctl (procps) is not installed")
    listed = parse_settings(said)
    mine = {one.key: one.value for one in kernel_of(Path("/")).sysctls if one.value is not None}
    moving = {"fs.aio-nr", "net.netfilter.nf_conntrack_count"}
    assert {key: listed.get(key) for key in mine.keys() - moving} == {key: mine[key] for key in mine.keys() - moving}
    assert len(mine) > 15


def test_the_last_file_of_sysctl_d_wins_and_an_earlier_folder_hides_a_name(tmp_path: Path) -> None:
    write(
        tmp_path,
        **{
            "usr__lib__sysctl.d__10-a.conf": "vm.swappiness=60\nvm.dirty_ratio=10\n",
            "etc__sysctl.d__10-a.conf": "vm.swappiness=1\n",
            "etc__sysctl.d__99-z.conf": "-vm/swappiness = 5  \n; no\n",
        },
    )
    found = {one.key: (one.set_by, one.set_to) for one in kernel_of(tmp_path).sysctls}
    assert found["vm.swappiness"] == ("etc/sysctl.d/99-z.conf", "5")
    assert found["vm.dirty_ratio"] == (None, None)


def test_an_empty_host_has_gaps_where_a_kernel_must_answer_and_none_where_it_need_not(tmp_path: Path) -> None:
    kernel = kernel_of(tmp_path)
    assert (kernel.thp, kernel.ksm, kernel.swaps, kernel.pressures, kernel.clocksource, kernel.cgroup_version) == (
        None,
        None,
        (),
        (),
        None,
        None,
    )
    for field in ("release", "command_line", "memory_bytes", "cpu_flags", "cpu_model"):
        with pytest.raises(NotSeen):
            getattr(kernel, field)


@pytest.mark.parametrize("text", ["", "no brackets", "[", "\x00\x01"])
def test_a_broken_choice_is_a_gap_and_no_word(tmp_path: Path, text: str) -> None:
    write(tmp_path, sys__kernel__mm__transparent_hugepage__enabled=text)
    thp = kernel_of(tmp_path).thp
    assert thp is not None
    with pytest.raises(NotSeen):
        _ = thp.enabled
    assert thp.shmem is None


@pytest.mark.parametrize("text", ["", "some", "some avg10=x avg60=1", "full avg10=0.00 avg60=0.00 total=0"])
def test_a_broken_pressure_is_a_gap(tmp_path: Path, text: str) -> None:
    write(tmp_path, proc__pressure__io=text)
    (pressure,) = kernel_of(tmp_path).pressures
    with pytest.raises(NotSeen):
        _ = pressure.some_avg60


def test_a_service_is_seen_by_its_process_and_tuned_tells_its_profile(tmp_path: Path) -> None:
    write(
        tmp_path,
        usr__sbin__tuned="",
        proc__77__comm="tuned\n",
        proc__78__comm="NetworkManager\n",
        etc__tuned__active_profile="virtual-host\n",
    )
    owners = {one.name: (one.installed, one.running, one.profile) for one in kernel_of(tmp_path).owners}
    assert owners["tuned"] == (True, True, "virtual-host")
    assert owners["NetworkManager"] == (False, True, None)
    assert owners["irqbalance"] == (False, False, None)
