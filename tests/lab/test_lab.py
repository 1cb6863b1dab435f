from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.lab import processes
from tests.lab.boot import boot_files
from tests.lab.daemon import PREFIX, Lab, foreign_qemus
from tests.lab.domain import disk_xml, nic_xml, vnc_xml
from tests.lab.guest import Guest
from tests.lab.restoring import restoring

REPO = Path(__file__).parents[2]

pytestmark = [pytest.mark.lab, pytest.mark.usefixtures("lab")]


@pytest.fixture(scope="module")
def booted(lab: Lab) -> Iterator[Guest]:
    """One guest with two vCPUs and a device of each kind, for the tests that leave it running."""
    devices = (
        disk_xml(lab.disk("first"), "vda", "virtio", "cache='none' io='native'"),
        disk_xml(lab.disk("second"), "sda", "sata"),
        disk_xml(lab.disk("third"), "sdb", "scsi"),
        "<controller type='scsi' model='virtio-scsi'/>",
        *(nic_xml(model) for model in ("virtio", "e1000", "rtl8139")),
        vnc_xml("s<cr>t"),
    )
    guest = Guest.start(lab, f"booted-{lab.tag}", vcpus=2, devices=devices)
    guest.wait_ready()
    yield guest
    guest.remove()


def waited(condition: Callable[[], bool], seconds: float = 5.0) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return condition()


def affinities(guest: Guest) -> list[set[int]]:
    return [os.sched_getaffinity(thread) for thread in guest.vcpu_threads]


def start_up(*words: str, stdin: int | None = None) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.lab", "up", *words]
    return subprocess.Popen(command, cwd=REPO, stdin=stdin, stdout=subprocess.PIPE, text=True)


def root_of(uri: str) -> Path:
    return Path(uri.partition("socket=")[2]).parents[1]


def test_the_daemon_answers_and_knows_none_of_the_machines_guests_networks_and_pools(lab: Lab) -> None:
    connection = lab.connect()
    try:
        assert connection.getURI().startswith("qemu")
        assert connection.getLibVersion() > 8_000_000
        assert all(lab.tag in domain.name() for domain in connection.listAllDomains())
        assert connection.listAllNetworks() == []
        assert connection.listAllStoragePools() == []
    finally:
        connection.close()


def test_a_guest_boots_and_answers_commands(booted: Guest) -> None:
    assert booted.wait_ready().endswith("2 vCPUs")
    assert booted.run("uname -r").strip() == boot_files().release
    assert booted.run("nproc").strip() == "2"


def test_a_guest_drives_the_disks_and_cards_it_was_given(booted: Guest) -> None:
    assert booted.run("cd /sys/block; ls -d sd? vd?").split() == ["sda", "sdb", "vda"]
    drivers = booted.run("for card in /sys/class/net/eth*; do basename $(readlink $card/device/driver); done")
    assert sorted(drivers.split()) == ["8139cp", "e1000", "virtio_net"]


def test_each_vcpu_is_a_thread_in_the_machines_own_proc(booted: Guest) -> None:
    command = Path(f"/proc/{booted.pid}/cmdline").read_bytes().split(b"\0")
    assert f"guest={booted.name},debug-threads=on".encode() in command
    assert [booted.threads[thread] for thread in booted.vcpu_threads] == ["CPU 0/TCG", "CPU 1/TCG"]


def test_one_vcpu_alone_has_a_thread_of_its_own(guest: Callable[..., Guest]) -> None:
    alone = guest(system=False)
    assert [alone.threads[thread] for thread in alone.vcpu_threads] == ["CPU 0/TCG"]
    assert alone.vcpu_threads != (alone.pid,)


def test_a_live_pin_moves_the_thread_before_and_after_a_restart_of_the_daemon(lab: Lab, booted: Guest) -> None:
    everywhere = os.sched_getaffinity(0)
    first, last = min(everywhere), max(everywhere)
    pin = ["virsh", "-q", "-c", lab.uri, "vcpupin", booted.name, "--live", "0"]
    subprocess.run([*pin, str(first)], check=True, stdout=subprocess.PIPE)
    assert affinities(booted) == [{first}, everywhere]

    before, daemon = booted.pid, lab.pid
    lab.restart()
    booted.reconnect()
    assert lab.pid != daemon
    assert booted.domain.isActive()
    assert booted.pid == before
    assert affinities(booted) == [{first}, everywhere]

    subprocess.run([*pin, str(last)], check=True, stdout=subprocess.PIPE)
    assert affinities(booted) == [{last}, everywhere]
    assert booted.run("echo alive").strip() == "alive"


def test_a_graphics_password_is_kept_and_shown_only_to_who_asks_for_secrets(booted: Guest) -> None:
    assert "passwd='s&lt;cr&gt;t'" in booted.xml()
    assert "passwd='s&lt;cr&gt;t'" in booted.xml(live=True)
    assert "passwd" not in booted.domain.XMLDesc(0)


def test_a_busy_guest_takes_processor_time_and_ends_by_itself_when_asked(guest: Callable[..., Guest]) -> None:
    working = guest(busy=1)

    def spent() -> int:
        return int(Path(f"/proc/{working.vcpu_threads[0]}/schedstat").read_text().split()[0])

    before = spent()
    time.sleep(0.5)
    assert spent() - before > 50_000_000
    # A press of the button while the guest still looks for its hardware is lost, so it is pressed again.
    for _press in range(8):
        working.domain.shutdown()
        if waited(lambda: not working.domain.isActive(), 5):
            break
    assert not working.domain.isActive()


def test_guests_of_the_lab_are_told_from_others(lab: Lab, booted: Guest) -> None:
    assert booted.pid in lab.processes
    assert booted.pid not in foreign_qemus(lab.root)
    assert booted.pid in foreign_qemus(Path("/another"))


def test_a_lab_leaves_no_process_no_folder_no_cgroup_and_no_change_of_the_machines_libvirt() -> None:
    def machine() -> dict[str, str]:
        files = [path for path in Path("/etc/libvirt").rglob("*") if path.is_file()]
        return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}

    etc, mounts, groups = machine(), Path("/proc/self/mountinfo").read_text(), processes.machine_groups()
    with Lab() as own:
        guests = [Guest.start(own, f"short{number}-{own.tag}", system=False) for number in range(2)]
        taken = processes.cgroups(own.root)
        running = own.processes
        assert {guest.pid for guest in guests} | {own.pid} < set(running)
    assert own.processes == ()
    # What has ended stays as a zombie until the machine's first process has taken note.
    assert waited(lambda: not any(Path(f"/proc/{process}").exists() for process in running), 20)
    assert not own.root.exists()
    assert not any(group.exists() for group in taken)
    assert processes.machine_groups() <= groups
    assert machine() == etc
    assert Path("/proc/self/mountinfo").read_text() == mounts


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_lab_ends_with_the_process_that_started_it(lab: Lab, number: signal.Signals) -> None:
    with start_up("--guests", "1", "--vcpus", "2") as up:
        assert up.stdout
        name, _, uri = up.stdout.readline().strip().partition("=")
        assert name == "KVMNB_HOST"
        root = root_of(uri)
        assert len(list(processes.members(root))) >= 3
        up.send_signal(number)
        up.wait()
    assert waited(lambda: not list(processes.members(root)) and not root.exists())


def test_a_lab_in_the_foreground_ends_with_its_input_but_not_with_an_empty_one(lab: Lab) -> None:
    with (
        start_up("--guests", "0", stdin=subprocess.PIPE) as piped,
        start_up("--guests", "0", stdin=subprocess.DEVNULL) as background,
    ):
        assert piped.stdin
        assert piped.stdout
        assert background.stdout
        first, second = (
            root_of(piped.stdout.readline().strip().partition("=")[2]),
            root_of(background.stdout.readline().strip().partition("=")[2]),
        )
        piped.stdin.close()
        assert piped.wait(10) == 0
        assert not first.exists()
        assert background.poll() is None
        assert second.exists()
        background.terminate()
        assert background.wait(10) == 0


def test_what_a_killed_supervisor_left_is_swept_by_the_next_lab_and_a_running_lab_is_not(
    lab: Lab, booted: Guest
) -> None:
    killed = Lab()
    left = Guest.start(killed, f"left-{killed.tag}", system=False)
    os.kill(killed._supervisor.pid, signal.SIGKILL)
    killed._supervisor.wait()
    assert Path(f"/proc/{left.pid}").exists()
    with Lab() as another:
        assert list(processes.members(killed.root)) == []
        assert not killed.root.exists()
        assert another.root.name.startswith(PREFIX)
    assert booted.domain.isActive()


def test_a_setting_of_the_kernel_is_restored(restore: Callable[..., None]) -> None:
    setting = Path("/sys/kernel/mm/transparent_hugepage/enabled")
    before = setting.read_text()
    with restoring(setting):
        setting.write_text("never" if "[never]" not in before else "always")
        assert setting.read_text() != before
    assert setting.read_text() == before
