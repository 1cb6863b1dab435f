from __future__ import annotations

import os
from pathlib import Path

import pytest

from kvmnb.core.cpuset import CpuSet
from kvmnb.core.errors import NotAnswered
from kvmnb.core.units import KIB, MIB
from kvmnb.facts.gap import Gap
from kvmnb.facts.running import GuestSystem, GuestThread, NodeMemory
from kvmnb.machine.files import Files
from kvmnb.machine.given import GivenDomains
from kvmnb.machine.processes import Processes, Qemu, guest_processes
from kvmnb.probe.reader import Reader
from kvmnb.probe.running import guest_system, memory_of, probe_running, process_of, system_of

UUID = "17f84a5b-c0d2-4e79-8b63-d52e9f10c716"
ARGUMENTS = ("qemu-system-x86_64", "-name", "guest=web,debug-threads=on", "-uuid", UUID)
STATUS = """\
Name:\tqemu-system-x86
VmLck:\t       0 kB
VmRSS:\t  204800 kB
VmSwap:\t    1024 kB
HugetlbPages:\t  524288 kB
Cpus_allowed_list:\t0-3
"""
LIMITS = """\
Limit                     Soft Limit           Hard Limit           Units
Max locked memory         {0}             {0}             bytes
"""


def stat(pid: int, name: str, cpu: int) -> str:
    fields = ["S", *(["0"] * 18), "4711", *(["0"] * 16), str(cpu), *(["0"] * 13)]
    return f"{pid} ({name}) {' '.join(fields)}"


def put(root: Path, path: str, text: str) -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text, encoding="utf-8")


@pytest.fixture
def host(tmp_path: Path) -> Path:
    """A host that runs one guest with two vCPUs, on a kernel whose vhost thread is a process of its own."""
    put(tmp_path, "proc/100/comm", "qemu-system-x86\n")
    arguments = (*ARGUMENTS, "-machine", "pc-q35-7.2,usb=off", "-accel", "kvm")
    put(tmp_path, "proc/100/cmdline", "\0".join(arguments) + "\0")
    put(tmp_path, "proc/100/stat", stat(100, "qemu-system-x86", 0))
    put(tmp_path, "proc/100/status", STATUS)
    put(tmp_path, "proc/100/limits", LIMITS.format(67108864))
    for number, target in enumerate(
        ["/dev/null", "anon_inode:kvm-vm", "/dev/vhost-net", "socket:[1]", "/dev/vhost-net"]
    ):
        put(tmp_path, f"proc/100/fd/{number}", target)
    for tid, name, cpu, allowed in (
        (100, "qemu-system-x86", 0, "0-3"),
        (101, "IO iothread1", 1, "1"),
        (102, "CPU 0/KVM", 2, "2"),
        (103, "CPU 1/KVM", 3, "3"),
        (104, "worker (a) b", 0, "0-3"),
    ):
        put(tmp_path, f"proc/100/task/{tid}/comm", name + "\n")
        put(tmp_path, f"proc/100/task/{tid}/stat", stat(tid, name, cpu))
        put(tmp_path, f"proc/100/task/{tid}/status", f"Name:\t{name}\nCpus_allowed_list:\t{allowed}\n")
    put(tmp_path, "proc/50/comm", "vhost-100\n")
    put(tmp_path, "proc/50/stat", stat(50, "vhost-100", 3))
    put(tmp_path, "proc/50/status", "Name:\tvhost-100\nCpus_allowed_list:\t0-1\n")
    put(tmp_path, "proc/7/comm", "kthreadd\n")
    return tmp_path


def running(host: Path, uuid: str = UUID, name: str = "web"):
    files = Files(host)
    return probe_running(Reader(files), guest_processes(files), uuid, name, "running")


def test_a_running_guest_is_read_whole(host: Path) -> None:
    found = running(host)
    assert found.gaps() == ()
    assert (found.pid, found.start_ticks, found.accel, found.machine) == (100, 4711, "kvm", "pc-q35-7.2")
    assert (found.kvm, found.vhost_net) == (True, 2)
    assert (found.resident_bytes, found.swapped_bytes, found.locked_bytes) == (200 * MIB, MIB, 0)
    assert (found.pool_bytes, found.locked_limit_bytes) == (512 * MIB, 64 * MIB)
    anywhere = CpuSet.parse("0-3")
    assert found.threads == (
        GuestThread(tid=50, name="vhost-100", kind="vhost", number=0, allowed=CpuSet.parse("0-1"), last_cpu=3),
        GuestThread(tid=100, name="qemu-system-x86", kind="emulator", number=0, allowed=anywhere, last_cpu=0),
        GuestThread(tid=101, name="IO iothread1", kind="iothread", number=1, allowed=CpuSet.of(1), last_cpu=1),
        GuestThread(tid=102, name="CPU 0/KVM", kind="vcpu", number=0, allowed=CpuSet.of(2), last_cpu=2),
        GuestThread(tid=103, name="CPU 1/KVM", kind="vcpu", number=1, allowed=CpuSet.of(3), last_cpu=3),
        GuestThread(tid=104, name="worker (a) b", kind="worker", number=0, allowed=anywhere, last_cpu=0),
    )
    assert [thread.number for thread in found.threads_of("vcpu")] == [0, 1]


def test_a_vhost_thread_of_the_process_itself_is_one_too(host: Path) -> None:
    """As from Linux 6.4 on."""
    put(host, "proc/100/task/105/comm", "vhost-100\n")
    put(host, "proc/100/task/105/stat", stat(105, "vhost-100", 1))
    put(host, "proc/100/task/105/status", "Name:\tvhost-100\nCpus_allowed_list:\t0-3\n")
    assert [thread.tid for thread in running(host).threads_of("vhost")] == [50, 105]


def test_a_guest_of_that_uuid_under_another_name_is_not_this_one(host: Path) -> None:
    assert running(host, name="db") == Gap("running", "no QEMU process of this guest is seen in /proc")


def test_two_processes_that_claim_one_guest_are_none() -> None:
    twice = (Qemu(1, 1, UUID, "web"), Qemu(2, 1, UUID, "web"))
    assert process_of(UUID, "web", Processes(twice[:1], {})) == twice[0]
    assert process_of(UUID, "web", Processes(twice, {})) is None


def test_a_guest_that_may_lock_all_memory_has_no_limit(host: Path) -> None:
    put(host, "proc/100/limits", LIMITS.format("unlimited"))
    assert running(host).locked_limit_bytes is None


@pytest.mark.parametrize("broken", [None, "", "\0\0", "nonsense", "folder"])
@pytest.mark.parametrize(
    "path",
    ["status", "limits", "fd", "task", "task/102/stat", "task/102/status", "task/102/comm", "stat", "cmdline", "comm"],
)
def test_whatever_is_broken_is_a_gap_and_never_a_crash(path: str, broken: str | None, host: Path) -> None:
    place = host / "proc/100" / path
    moved = host / "moved"
    place.rename(moved)
    if broken == "folder":
        place.mkdir()
    elif broken is not None:
        place.write_text(broken, encoding="utf-8")
    found = running(host)
    if not isinstance(found, Gap):
        assert found.gaps() or path.startswith("task/102")


NUMA_MAPS = """\
55f679fdf000 default file=/usr/bin/qemu-system-x86_64 mapped=900 N0=900 kernelpagesize_kB=4
7f0000000000 bind:0-1 file=/dev/hugepages/libvirt/qemu/1-web/a huge dirty=256 N0=192 N1=64 kernelpagesize_kB=2048
7f1000000000 prefer:1 anon=512 dirty=512 active=0 N1=512 kernelpagesize_kB=4
7f2000000000 default file=/memfd:memory-backend-memfd\\040(deleted) dirty=4 N0=4 kernelpagesize_kB=4
7f3000000000 default file=/usr/lib/x86_64-linux-gnu/libc.so.6 mapped=10 N0=10 kernelpagesize_kB=4
7ffc00000000 default stack anon=3 dirty=3 N0=3 kernelpagesize_kB=4
7ffc00000000 default
garbage
"""
ROLLUP = """\
55f679fdf000-7ffc00000000 ---p 00000000 00:00 0                          [rollup]
Rss:              204800 kB
AnonHugePages:      2048 kB
ShmemPmdMapped:     4096 kB
Swap:                512 kB
"""


def test_memory_is_counted_by_node_and_page_size_without_programs(host: Path) -> None:
    put(host, "proc/100/numa_maps", NUMA_MAPS)
    put(host, "proc/100/smaps_rollup", ROLLUP)
    found = memory_of(Reader(Files(host)), 100)
    assert found.gaps() == ()
    small, big = 4 * KIB, 2 * MIB
    assert found.nodes == (
        NodeMemory(node=0, bytes=192 * big + 7 * small),
        NodeMemory(node=1, bytes=64 * big + 512 * small),
    )
    assert found.page_sizes == ((small, 519 * small), (big, 256 * big))
    assert found.policies == ("bind:0-1", "prefer:1")
    assert (found.transparent_bytes, found.shared_transparent_bytes, found.swapped_bytes) == (big, 4 * MIB, 512 * KIB)


def test_memory_that_may_not_be_read_needs_root(host: Path) -> None:
    class Closed(Files):
        def read_bytes(self, path: str) -> bytes:
            raise PermissionError(13, "Permission denied")

    found = memory_of(Reader(Closed(host)), 100)
    assert {gap.reason for gap in found.gaps()} == {
        "/proc/100/numa_maps needs root",
        "/proc/100/smaps_rollup needs root",
    }
    assert len(found.gaps()) == 6


def test_descriptors_that_may_not_be_read_need_root(host: Path) -> None:
    class Closed(Files):
        def names(self, path: str) -> list[str]:
            if path.endswith("/fd"):
                raise PermissionError(13, "Permission denied")
            return super().names(path)

    files = Closed(host)
    found = probe_running(Reader(files), guest_processes(files), UUID, "web", "running")
    assert [gap.reason for gap in found.gaps()] == ["/proc/100/fd needs root"] * 2
    assert len(found.threads) == 6


@pytest.mark.skipif(not Path("/proc/self/numa_maps").exists(), reason="this kernel has no numa_maps")
def test_this_process_has_about_as_much_on_its_nodes_as_it_is_resident() -> None:
    found = memory_of(Reader(Files(Path("/"))), os.getpid())
    assert found.gaps() == ()
    resident = int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    assert 0 < sum(node.bytes for node in found.nodes) <= resident * 1.2


def test_what_an_agent_tells_is_read() -> None:
    assert system_of(
        {
            "os.id": "debian",
            "os.pretty-name": "Debian GNU/Linux 12",
            "os.kernel-release": "6.1.0",
            "fs.count": 3,
            "if.count": 2,
            "if.0.name": "lo",
            "if.1.name": "eth0",
            "vcpus": "0-3",
            "online": "0-1",
        }
    ) == GuestSystem(
        os_id="debian",
        os_name="Debian GNU/Linux 12",
        kernel="6.1.0",
        filesystems=3,
        interfaces=("lo", "eth0"),
        vcpus_online=CpuSet.parse("0-1"),
    )


def test_an_agent_that_lies_does_no_harm() -> None:
    found = system_of({"os.id": 7, "fs.count": "many", "if.count": 10**9, "online": "0-999999999"})
    assert (found.os_id, found.filesystems, found.vcpus_online) == (None, None, None)
    assert found.interfaces is not None
    assert len(found.interfaces) == 10_000


def test_a_source_without_guests_has_no_agent_to_ask() -> None:
    with pytest.raises(NotAnswered):
        guest_system(GivenDomains({}, None), UUID)
