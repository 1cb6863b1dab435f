"""Lasting forms are lines of files that belong to kvmnb, and undo leaves no byte of them."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from kvmnb.core.errors import KvmnbError, Refused, WriteFailed
from kvmnb.machine.machine import Machine
from kvmnb.machine.sources import scratch
from kvmnb.tunable.kernel_arg import KernelArg
from kvmnb.tunable.module import Module
from kvmnb.tunable.names import parse
from kvmnb.tunable.own_file import HEADER
from kvmnb.tunable.sysctl import Sysctl
from kvmnb.tunable.sysctl_file import SysctlFile
from kvmnb.tunable.sysfs import Sysfs
from kvmnb.tunable.tmpfiles import Tmpfiles
from kvmnb.tunable.tunable import State, Want, When
from kvmnb.tunable.udev import Udev
from tests.small_host import write_host

POOL = "devices/system/node/node0/hugepages/hugepages-2048kB/nr_hugepages"
EACH = [
    ("sysctl_file:host:vm.swappiness", "10", "etc/sysctl.d/99-zz-kvmnb.conf", "vm.swappiness = 10\n"),
    (
        "sysctl_file:host:net.ipv4.tcp_rmem",
        "4096 131072 6291456",
        "etc/sysctl.d/99-zz-kvmnb.conf",
        "net.ipv4.tcp_rmem = 4096 131072 6291456\n",
    ),
    (f"tmpfiles:host:{POOL}", "512", "etc/tmpfiles.d/00-kvmnb.conf", f"w /sys/{POOL} - - - - 512\n"),
    (
        "tmpfiles:host:kernel/mm/transparent_hugepage/defrag",
        "defer+madvise",
        "etc/tmpfiles.d/00-kvmnb.conf",
        "w /sys/kernel/mm/transparent_hugepage/defrag - - - - defer+madvise\n",
    ),
    (
        "udev:host:block/nvme0n1/queue/scheduler",
        "mq-deadline",
        "etc/udev/rules.d/99-zz-kvmnb.rules",
        'ACTION=="add|change", SUBSYSTEM=="block", KERNEL=="nvme0n1", ATTR{queue/scheduler}="mq-deadline"\n',
    ),
    ("module:host:kvm/halt_poll_ns", "50000", "etc/modprobe.d/zz-kvmnb.conf", "options kvm halt_poll_ns=50000\n"),
]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return scratch(write_host(tmp_path / "recorded"), tmp_path / "copy")


def etc(machine: Machine) -> dict[str, bytes]:
    folder = Path(machine.origin) / "etc"
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(("text", "value", "path", "line"), EACH)
def test_a_lasting_form_is_one_line_below_a_header_and_undo_removes_the_file(
    machine: Machine, text: str, value: str, path: str, line: str
) -> None:
    before = etc(machine)
    tunable = parse(text, {})
    assert (str(tunable), tunable.lasts, tunable.when, tunable.read(machine)) == (text, True, When.HOST_BOOT, None)
    tunable.write(machine, value)
    assert etc(machine) == before | {path.removeprefix("etc/"): (HEADER + line).encode()}
    assert tunable.read(machine) == value
    assert tunable.verify(machine, value).state is State.HOLDS
    assert (Path(machine.origin) / path).stat().st_mode & 0o777 == 0o644
    assert line.strip() in tunable.command(value).replace("'", "")
    tunable.write(machine, None)
    assert etc(machine) == before


def test_settings_share_a_file_and_leave_it_in_any_order(machine: Machine) -> None:
    low, high = SysctlFile("vm.swappiness"), SysctlFile("kernel.numa_balancing")
    low.write(machine, "10")
    alone = etc(machine)
    high.write(machine, "0")
    assert etc(machine)["sysctl.d/99-zz-kvmnb.conf"].decode() == (
        HEADER + "kernel.numa_balancing = 0\nvm.swappiness = 10\n"
    )
    high.write(machine, None)
    assert etc(machine) == alone


@pytest.mark.parametrize(
    ("live", "lasting"),
    [
        (Sysctl("vm.swappiness"), SysctlFile("vm.swappiness")),
        (Sysfs(POOL), Tmpfiles(POOL)),
        (Sysfs("block/vda/queue/nr_requests"), Udev("block/vda/queue/nr_requests")),
        (Sysfs("module/kvm/parameters/halt_poll_ns"), Module("kvm/halt_poll_ns")),
    ],
)
def test_a_live_setting_knows_its_lasting_form(live: Sysctl | Sysfs, lasting: SysctlFile | Tmpfiles) -> None:
    assert live.lasting("7") == Want(lasting, "7")
    assert lasting.lasting("7") is None


def test_a_bridge_is_set_where_it_is_made() -> None:
    assert Sysfs("class/net/br0/bridge/stp_state").lasting("0") is None


@pytest.mark.parametrize(
    "text",
    [
        "sysctl_file:host:kernel.core_pattern",
        "tmpfiles:host:power/state",
        "tmpfiles:host:block/vda/queue/scheduler",
        f"udev:host:{POOL}",
        "udev:host:block/vd*/queue/scheduler",
        "udev:host:block/../queue/scheduler",
        "module:host:kvm/../x",
        "module:host:snd/index",
        "module:host:kvm/halt_poll_ns ",
        f"tmpfiles:web:{POOL}",
    ],
)
def test_what_is_not_on_a_list_cannot_be_named(text: str) -> None:
    with pytest.raises(Refused):
        parse(text, {})


@pytest.mark.parametrize(("text", "value", "path", "line"), EACH)
@pytest.mark.parametrize("odd", ["1\n# x", 'none"', "1; reboot", "\u0661", "", " 1", "1\0", "%h"])
def test_no_text_gets_into_a_file(machine: Machine, text: str, value: str, path: str, line: str, odd: str) -> None:
    before = etc(machine)
    with pytest.raises(Refused):
        parse(text, {}).write(machine, odd)
    assert etc(machine) == before


@pytest.mark.parametrize(
    "there", ["vm.swappiness = 10\n", HEADER + "vm.swappiness=10\n", HEADER + "kernel.core_pattern = |/x\n"]
)
def test_a_file_that_somebody_edited_is_left_alone(machine: Machine, there: str) -> None:
    machine.tree.put("etc/sysctl.d/99-zz-kvmnb.conf", there)
    before = etc(machine)
    with pytest.raises(KvmnbError, match="not as kvmnb writes it"):
        SysctlFile("vm.swappiness").write(machine, "1")
    assert etc(machine) == before


@pytest.mark.parametrize("link", ["etc", "etc/sysctl.d", "etc/sysctl.d/99-zz-kvmnb.conf"])
def test_no_link_is_followed(machine: Machine, tmp_path: Path, link: str) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    root = Path(machine.origin)
    if (root / "etc").exists():
        (root / "etc").rename(root / "was-etc")
    (root / link).parent.mkdir(parents=True, exist_ok=True)
    (root / link).symlink_to(outside if link != EACH[0][2] else outside / "file")
    with pytest.raises((WriteFailed, KvmnbError)):
        SysctlFile("vm.swappiness").write(machine, "10")
    assert list(outside.iterdir()) == []


def test_a_later_file_that_says_otherwise_is_named(machine: Machine) -> None:
    machine.tree.put("usr/lib/sysctl.d/99-zzz.conf", "vm/swappiness = 60\n")
    tunable = SysctlFile("vm.swappiness")
    tunable.write(machine, "10")
    verdict = tunable.verify(machine, "10")
    assert (verdict.state, verdict.found) == (State.DIFFERS, "60")
    assert (
        verdict.reason == "/usr/lib/sysctl.d/99-zzz.conf is read after /etc/sysctl.d/99-zz-kvmnb.conf and sets it too"
    )


def test_a_module_that_is_part_of_the_kernel_has_no_lasting_form_in_modprobe_d(machine: Machine) -> None:
    root = Path(machine.origin)
    (root / "proc/modules").write_text("vhost 1 0 - Live 0x0\n")
    (root / "sys/module/kvm/parameters").mkdir(parents=True)
    with pytest.raises(KvmnbError, match=r"put kvm\.halt_poll_ns=VALUE on the kernel's command line"):
        Module("kvm/halt_poll_ns").read(machine)


@pytest.mark.skipif(shutil.which("systemd-tmpfiles") is None, reason="systemd-tmpfiles is not installed")
def test_systemd_tmpfiles_writes_what_the_file_says_though_a_later_one_disagrees(
    machine: Machine, tmp_path: Path
) -> None:
    root = tmp_path / "root"
    target = root / "sys/kernel/mm/transparent_hugepage/enabled"
    target.parent.mkdir(parents=True)
    target.write_text("always")
    Tmpfiles("kernel/mm/transparent_hugepage/enabled").write(machine, "madvise")
    (root / "etc").mkdir()
    os.rename(f"{machine.origin}/etc/tmpfiles.d", root / "etc/tmpfiles.d")
    (root / "etc/tmpfiles.d/thp.conf").write_text(f"w /{target.relative_to(root)} - - - - never\n")
    # The present file's copy below the root is what it writes: nothing of this machine is touched.
    done = subprocess.run(
        ["systemd-tmpfiles", "--create", f"--root={root}"], check=False, capture_output=True, text=True, timeout=30
    )
    assert (done.returncode, target.read_text().strip()) == (0, "madvise"), done.stderr


@pytest.mark.skipif(shutil.which("sysctl") is None, reason="sysctl is not installed")
def test_sysctl_reads_every_line_of_the_file(machine: Machine) -> None:
    """With its own dry run where it has one; otherwise by the names and values that it echoes back."""
    SysctlFile("vm.swappiness").write(machine, "10")
    file = f"{machine.origin}/etc/sysctl.d/99-zz-kvmnb.conf"
    done = subprocess.run(["sysctl", "--dry-run", "-p", file], check=False, capture_output=True, text=True, timeout=30)
    if "unrecognized option" in done.stderr:
        pytest.skip("this sysctl has no dry run")
    assert (done.returncode, done.stdout.strip()) == (0, "vm.swappiness = 10"), done.stderr


@pytest.mark.skipif(shutil.which("modprobe") is None, reason="modprobe is not installed")
def test_modprobe_shows_the_option_that_the_file_sets(machine: Machine) -> None:
    Module("kvm/halt_poll_ns").write(machine, "50000")
    done = subprocess.run(
        ["modprobe", "--showconfig", "--config", f"{machine.origin}/etc/modprobe.d"],
        check=False,
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert "options kvm halt_poll_ns=50000" in done.stdout.splitlines(), done.stderr


def test_a_shell_reads_the_kernels_arguments_as_grub_mkconfig_does(tmp_path: Path) -> None:
    """It sources /etc/default/grub, then each drop-in, so that each adds to the line before it."""
    base = tmp_path / "grub"
    base.write_text('GRUB_CMDLINE_LINUX_DEFAULT="quiet splash"\n')
    drop_in = tmp_path / "zz-kvmnb.cfg"
    drop_in.write_text(KernelArg.file.render({"isolcpus": "2-7,10", "hugepages[1G]": "16"}))
    done = subprocess.run(
        ["sh", "-c", '. "$0"; . "$1"; printf %s "$GRUB_CMDLINE_LINUX_DEFAULT"', str(base), str(drop_in)],
        check=True,
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.stdout == "quiet splash hugepagesz=1G hugepages=16 isolcpus=2-7,10"


@pytest.mark.skipif(shutil.which("udevadm") is None, reason="udevadm is not installed")
def test_udevadm_finds_no_fault_in_the_rules(machine: Machine) -> None:
    Udev("block/nvme0n1/queue/scheduler").write(machine, "none")
    done = subprocess.run(
        ["udevadm", "verify", f"{machine.origin}/{Udev.file.path}"],
        check=False,
        capture_output=True,
        text=True,
        timeout=30,
    )
    if "Unknown command verb" in done.stderr:
        pytest.skip("this udevadm cannot verify rules yet (systemd 254 can)")
    assert done.returncode == 0, done.stderr + done.stdout
