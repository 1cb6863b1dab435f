"""Each collector on a small tree: what it makes of the kernel's files."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from kvmnb.machine.files import ReadOnlyFiles
from kvmnb.measure.collect.census import Census
from kvmnb.measure.collect.collector import Batch, Clocked
from kvmnb.measure.collect.guest_memory import GuestMemory, GuestProcesses
from kvmnb.measure.collect.host_disks import HostDisks
from kvmnb.measure.collect.host_memory import HostMemory
from kvmnb.measure.collect.host_nics import Nics
from kvmnb.measure.collect.interrupts import Interrupts
from kvmnb.measure.collect.pressure import Pressure
from kvmnb.measure.collect.quotas import Quotas
from kvmnb.measure.series import HOST, Reading, Series

UUID = "8dd0a7f2-3dc5-4f0d-8b0c-7d3f4ad0b7aa"
DEV = """Inter-|   Receive  |  Transmit
 face |bytes packets errs drop fifo frame ... |bytes packets errs drop fifo colls ...
  eth0: 1000 10 1 2 0 0 0 0 2000 20 3 4 0 0 0 0
 vnet7: 300 3 0 1 0 0 0 0 500 5 0 6 0 0 0 0
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A host of two CPUs on one node with one guest, which holds the tap vnet7."""
    put(
        tmp_path,
        {
            "proc/77/comm": "qemu-system-x86",
            "proc/77/cmdline": f"qemu\0-name\0guest=a,debug-threads=on\0-uuid\0{UUID}\0",
            "proc/77/stat": "77 (qemu) S " + " ".join(map(str, range(4, 53))),
            "proc/77/status": "VmRSS:\t  2048 kB\nVmSwap:\t 4 kB\nHugetlbPages:\t 1024 kB\n",
            "proc/77/task/77/comm": "qemu-system-x86",
            "proc/77/task/77/status": "Cpus_allowed_list:\t0-1\n",
            "proc/77/fdinfo/3": "pos:\t0\n",
            "proc/77/fdinfo/9": "pos:\t0\nflags:\t0104002\niff:\tvnet7\n",
            "proc/77/cgroup": "4:cpu,cpuacct:/machine/qemu-1-a.libvirt-qemu/emulator\n0::/x\n",
            "proc/net/dev": DEV,
            "proc/net/softnet_stat": "0000000a 00000001 00000002\n",
            "proc/pressure/cpu": "some avg10=1.00 avg60=0.50 avg300=0.10 total=2500000\n",
            "proc/pressure/io": "some avg10=0 avg60=0 avg300=0 total=10\nfull avg10=0 avg60=0 avg300=0 total=5\n",
            "proc/diskstats": "8 0 sda 10 1 80 500 20 2 160 1500 3 900 2000 0 0 0 0 7 70\n"
            "8 1 sda1 9 0 9 9 9 9 9 9 9 9 9\n"
            "7 0 loop0 0 0 0 0 0 0 0 0 0 0 0\n",
            "sys/block/sda/dev": "8:0",
            "sys/block/loop0/dev": "7:0",
            "proc/interrupts": "           CPU0       CPU1\n  24:  5  7  IO-APIC  2-edge  eth0\n LOC: 9 9 Local timer\n"
            "  25:  1  0  PCI-MSI  disk\n ERR: 0\n",
            "proc/meminfo": "MemTotal: 8 kB\nMemAvailable: 4 kB\nSwapTotal: 10 kB\nSwapFree: 7 kB\n",
            "sys/devices/system/node/node0/cpulist": "0-1",
            "sys/devices/system/node/node0/meminfo": "Node 0 MemTotal: 8 kB\nNode 0 MemFree: 3 kB\n",
            "sys/devices/system/node/node0/hugepages/hugepages-2048kB/nr_hugepages": "6",
            "sys/devices/system/node/node0/hugepages/hugepages-2048kB/free_hugepages": "2",
        },
    )
    return tmp_path


def put(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def told(readings: Iterable[Reading]) -> dict[tuple[str, int | str], float]:
    return {(one.series.metric, one.series.part): one.value for one in readings}


def of_guest(readings: Iterable[Reading]) -> dict[tuple[str, int | str], float]:
    return told(one for one in readings if one.series.guest == UUID)


def test_a_tap_is_its_guests_interface_with_the_directions_turned_round(tree: Path) -> None:
    files = ReadOnlyFiles(tree)
    found = list(Nics(files, Census(files)).collect())
    assert of_guest(found) == {
        ("kvm_nic_sent_bytes_total", "vnet7"): 300,
        ("kvm_nic_sent_packets_total", "vnet7"): 3,
        ("kvm_nic_send_errors_total", "vnet7"): 0,
        ("kvm_nic_send_dropped_packets_total", "vnet7"): 1,
        ("kvm_nic_received_bytes_total", "vnet7"): 500,
        ("kvm_nic_received_packets_total", "vnet7"): 5,
        ("kvm_nic_receive_errors_total", "vnet7"): 0,
        ("kvm_nic_receive_dropped_packets_total", "vnet7"): 6,
    }
    host = told(one for one in found if not one.series.guest)
    assert {part for _, part in host} == {"eth0", 0}
    assert host["host_nic_send_dropped_packets_total", "eth0"] == 4
    assert host["host_softnet_squeezes_total", 0] == 2


def test_a_line_of_the_softnet_file_names_its_cpu_where_the_kernel_does(tree: Path) -> None:
    words = ["00000001", "00000000", "00000000", *(["00000000"] * 9), "00000005"]
    put(tree, {"proc/net/softnet_stat": " ".join(words) + "\n"})
    files = ReadOnlyFiles(tree)
    assert told(Nics(files, Census(files)).collect())["host_softnet_packets_total", 5] == 1


@pytest.mark.parametrize(
    ("version", "files", "quota"),
    [
        (
            "v1",
            {
                "sys/fs/cgroup/cpu,cpuacct/machine/qemu-1-a.libvirt-qemu/cpu.cfs_quota_us": "-1",
                "sys/fs/cgroup/cpu,cpuacct/machine/qemu-1-a.libvirt-qemu/vcpu0/cpu.cfs_quota_us": "20000",
                "sys/fs/cgroup/cpu,cpuacct/machine/qemu-1-a.libvirt-qemu/vcpu0/cpu.stat": "nr_periods 9\n"
                "nr_throttled 4\nthrottled_time 2500000000\n",
            },
            "vcpu0",
        ),
        (
            "v2",
            {
                "proc/77/cgroup": "0::/machine.slice/machine-qemu.scope/libvirt/emulator\n",
                "sys/fs/cgroup/machine.slice/machine-qemu.scope/cpu.max": "50000 100000",
                "sys/fs/cgroup/machine.slice/machine-qemu.scope/cpu.stat": "usage_usec 1\nnr_periods 9\n"
                "nr_throttled 4\nthrottled_usec 2500000\n",
                "sys/fs/cgroup/machine.slice/machine-qemu.scope/libvirt/vcpu0/cpu.max": "max 100000",
                "sys/fs/cgroup/machine.slice/machine-qemu.scope/libvirt/vcpu0/cpu.stat": "usage_usec 1\n",
            },
            "guest",
        ),
    ],
)
def test_a_quota_is_read_where_one_is_set_in_either_version_of_cgroups(
    tree: Path, version: str, files: dict[str, str], quota: str
) -> None:
    put(tree, files)
    seen = ReadOnlyFiles(tree)
    assert of_guest(Quotas(seen, Census(seen)).collect()) == {
        ("kvm_guest_throttled_seconds_total", quota): 2.5,
        ("kvm_guest_quota_periods_total", quota): 9,
        ("kvm_guest_throttled_periods_total", quota): 4,
    }


def test_a_guests_memory_and_time_are_those_of_its_process(tree: Path) -> None:
    files = ReadOnlyFiles(tree)
    census = Census(files)
    assert of_guest([*GuestMemory(files, census).collect(), *GuestProcesses(files, census).collect()]) == {
        ("kvm_guest_resident_bytes", ""): 2048 * 1024,
        ("kvm_guest_swapped_bytes", ""): 4096,
        ("kvm_guest_hugepage_bytes", ""): 1024 * 1024,
        # Fields 14 and 15 in ticks of 10 ms, and field 12: each holds its own number here.
        ("kvm_guest_cpu_seconds_total", ""): pytest.approx(0.29),
        ("kvm_guest_major_faults_total", ""): 12,
    }


def test_disks_are_whole_devices_that_had_a_request(tree: Path) -> None:
    assert told(HostDisks(ReadOnlyFiles(tree)).collect()) == {
        ("host_disk_reads_total", "sda"): 10,
        ("host_disk_read_bytes_total", "sda"): 80 * 512,
        ("host_disk_read_seconds_total", "sda"): 0.5,
        ("host_disk_writes_total", "sda"): 20,
        ("host_disk_written_bytes_total", "sda"): 160 * 512,
        ("host_disk_write_seconds_total", "sda"): 1.5,
        ("host_disk_in_flight", "sda"): 3,
        ("host_disk_busy_seconds_total", "sda"): pytest.approx(0.9),
        ("host_disk_queued_seconds_total", "sda"): 2.0,
        ("host_disk_flushes_total", "sda"): 7,
        ("host_disk_flush_seconds_total", "sda"): pytest.approx(0.07),
    }


def test_device_interrupts_are_added_up_by_cpu(tree: Path) -> None:
    assert told(Interrupts(ReadOnlyFiles(tree)).collect()) == {
        ("host_interrupts_total", 0): 6,
        ("host_interrupts_total", 1): 7,
    }


def test_pressure_is_in_seconds_and_absent_where_the_kernel_counts_none(tree: Path) -> None:
    assert told(Pressure(ReadOnlyFiles(tree)).collect()) == {
        ("host_pressure_some_seconds_total", "cpu"): 2.5,
        ("host_pressure_some_seconds_total", "io"): pytest.approx(1e-5),
        ("host_pressure_full_seconds_total", "io"): pytest.approx(5e-6),
    }


def test_memory_is_told_by_node_and_pool_and_ksm_is_absent_without_it(tree: Path) -> None:
    assert told(HostMemory(ReadOnlyFiles(tree)).collect()) == {
        ("host_memory_available_bytes", ""): 4096,
        ("host_swap_used_bytes", ""): 3072,
        ("host_node_memory_bytes", 0): 8192,
        ("host_node_free_bytes", 0): 3072,
        ("host_hugepages", "0:2048kB"): 6,
        ("host_hugepages_free", "0:2048kB"): 2,
    }


def test_a_collector_is_read_when_it_is_due_and_tells_its_period(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clocked = Clocked(HostMemory(ReadOnlyFiles(tree)))
    now = [1000.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    series = Series("host_swap_used_bytes", "", "")
    read = []
    for _ in range(25):
        batch = Batch()
        clocked.read(batch, 1.0)
        if series in batch.values:
            read.append((now[0], batch.periods.get(series)))
        now[0] += 1.0
    assert read == [(1000.0, None), (1010.0, 10.0), (1020.0, 10.0)]


def test_the_gap_of_a_source_that_cannot_be_read_stays_until_it_is_read_again(tree: Path) -> None:
    (tree / "proc/meminfo").unlink()
    clocked = Clocked(HostMemory(ReadOnlyFiles(tree)))
    gaps = []
    for _ in range(2):
        batch = Batch()
        clocked.read(batch, 1.0)
        gaps.append(batch.gaps[HOST])
    assert gaps[0] == gaps[1]
    assert gaps[0].startswith("the host cannot be read: ")
