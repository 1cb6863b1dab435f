"""NICs, mounts, virtual functions and kernel arguments: read, written, refused and taken back on a scratch host."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kvmnb.core.errors import KvmnbError, Refused, WriteFailed
from kvmnb.machine.machine import Machine
from kvmnb.machine.sources import scratch
from kvmnb.tunable.ethtool import Ethtool
from kvmnb.tunable.kernel_arg import KernelArg
from kvmnb.tunable.mount import Mount
from kvmnb.tunable.names import parse
from kvmnb.tunable.own_file import HEADER
from kvmnb.tunable.sriov import Sriov
from kvmnb.tunable.tunable import State, Undo
from tests.small_host import write_host

ANSWERS = {
    "driver": {"driver": "ixgbe"},
    "rings": {"rx": 512, "rx_max": 4096, "tx": 512, "tx_max": 4096},
    "channels": None,
    "coalesce": {"rx_usecs": 3, "adaptive_rx": False},
    "features": {"rx-gro": "on", "rx-lro": "off [fixed]"},
}
MOUNTS = (
    "22 1 253:0 / / rw,relatime shared:1 - ext4 /dev/vda1 rw\n"
    "30 22 253:16 / /srv/vm\\040images rw,nosuid,noatime shared:2 - xfs /dev/vdb rw\n"
)
PCI = "sys/bus/pci/devices/0000:3b:00.0"


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    source = write_host(tmp_path / "recorded")
    texts = {
        "ethtool/eth0.json": json.dumps(ANSWERS),
        "sys/class/net/eth0/mtu": "1500\n",
        "proc/self/mountinfo": MOUNTS,
        f"{PCI}/sriov_numvfs": "2\n",
        f"{PCI}/sriov_totalvfs": "8\n",
        f"{PCI}/virtfn0": "../0000:3b:10.0\n",
        "proc/cmdline": "root=/dev/vda1 quiet\n",
        "etc/debian_version": "12.7\n",
        "etc/default/grub": "GRUB_TIMEOUT=5\n",
        "usr/sbin/update-grub": "",
    }
    for path, text in texts.items():
        (source / path).parent.mkdir(parents=True, exist_ok=True)
        (source / path).write_text(text)
    return scratch(source, tmp_path / "copy")


@pytest.mark.parametrize(
    ("text", "before", "after"),
    [
        ("ethtool:host:eth0/mtu", "1500", "9000"),
        ("ethtool:host:eth0/rings/rx", "512", "4096"),
        ("ethtool:host:eth0/coalesce/rx_usecs", "3", "50"),
        ("ethtool:host:eth0/coalesce/adaptive_rx", "off", "on"),
        ("ethtool:host:eth0/features/rx-gro", "on", "off"),
        ("mount:host:atime[%2F]", "relatime", "noatime"),
        ("mount:host:atime[%2Fsrv%2Fvm%20images]", "noatime", "strictatime"),
        ("sriov:host:0000:3b:00.0", "2", "4"),
        ("kernel_arg:host:transparent_hugepage", None, "never"),
        ("kernel_arg:host:hugepages[1G]", None, "16"),
        ("kernel_arg:host:isolcpus", None, "2-7,10"),
    ],
)
def test_each_kind_is_read_written_verified_and_put_back(
    machine: Machine, text: str, before: str | None, after: str
) -> None:
    tunable = parse(text, {})
    assert (str(tunable), tunable.read(machine)) == (text, before)
    tunable.check(before)
    tunable.write(machine, after)
    assert (tunable.read(machine), tunable.verify(machine, after).state) == (after, State.HOLDS)
    tunable.write(machine, before)
    assert tunable.read(machine) == before


@pytest.mark.parametrize(
    ("path", "value", "word"),
    [("rings/rx", "8192", "Invalid argument"), ("features/rx-lro", "on", "Invalid argument"), ("mtu", "20", "Invalid")],
)
def test_what_the_nic_cannot_do_is_told_in_the_kernels_words(
    machine: Machine, path: str, value: str, word: str
) -> None:
    with pytest.raises(WriteFailed, match=word):
        Ethtool(f"eth0/{path}").write(machine, value)


def test_what_a_nic_does_not_have_reads_as_absent(machine: Machine) -> None:
    assert Ethtool("eth0/channels/combined").read(machine) is None
    assert Ethtool("eth9/mtu").read(machine) is None
    assert Ethtool("eth9/rings/rx").verify(machine, "1").state is State.NOT_APPLICABLE


@pytest.mark.parametrize(
    "text",
    [
        "ethtool:host:eth0/rings/mini",
        "ethtool:host:../mtu",
        "ethtool:host:eth0/mtu/x",
        "ethtool:host:eth0/features/../rx-gro",
        "ethtool:host:a-name-too-long-for-linux/mtu",
        "mount:host:atime[srv]",
        "mount:host:atime[%2Fsrv%2F..%2Fetc]",
        "mount:host:exec[%2Fsrv]",
        "sriov:host:0000:3b:00.9",
        "sriov:host:../0000:3b:00.0",
        "kernel_arg:host:init",
        "kernel_arg:host:hugepages[4K]",
    ],
)
def test_what_is_not_on_a_list_cannot_be_named(text: str) -> None:
    with pytest.raises(Refused):
        parse(text, {})


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("ethtool:host:eth0/mtu", "09"),
        ("ethtool:host:eth0/mtu", "\u0661"),
        ("ethtool:host:eth0/features/rx-gro", "1"),
        ("ethtool:host:eth0/features/rx-gro", None),
        ("mount:host:atime[%2F]", "noexec"),
        ("sriov:host:0000:3b:00.0", "-1"),
        ("kernel_arg:host:isolcpus", "2 init=/bin/sh"),
        ("kernel_arg:host:transparent_hugepage", 'never"; reboot; "'),
    ],
)
def test_no_other_value_is_taken(text: str, value: str | None) -> None:
    with pytest.raises(Refused):
        parse(text, {}).check(value)


def test_virtual_functions_go_through_none_and_cannot_be_taken_back_whole(machine: Machine) -> None:
    assert Sriov("0000:3b:00.0").undo is Undo.LOSSY
    assert Sriov("0000:3b:00.0").command("4") == (
        f"echo 0 | sudo tee /{PCI}/sriov_numvfs && echo 4 | sudo tee /{PCI}/sriov_numvfs"
    )


@pytest.mark.parametrize("used", ["a guest", "the host"])
def test_functions_in_use_are_left_alone(machine: Machine, used: str) -> None:
    function = Path(machine.origin) / PCI / "virtfn0"
    function.unlink()
    target = function.parent.parent / "0000:3b:10.0"
    function.symlink_to("../0000:3b:10.0")
    (target / "net/eth7").mkdir(parents=True)
    (target / "driver").symlink_to("../../drivers/" + ("vfio-pci" if used == "a guest" else "ixgbevf"))
    (target / "net/eth7/flags").write_text("0x1003\n")
    with pytest.raises(Refused, match="hands it to a guest" if used == "a guest" else "eth7 .* is up"):
        Sriov("0000:3b:00.0").write(machine, "4")
    assert Sriov("0000:3b:00.0").read(machine) == "2"


def test_a_kernel_argument_is_a_drop_in_and_says_that_update_grub_is_to_come(machine: Machine) -> None:
    tunable = KernelArg("hugepages[1G]")
    tunable.write(machine, "16")
    KernelArg("transparent_hugepage").write(machine, "never")
    assert machine.tree.read_bytes("etc/default/grub.d/zz-kvmnb.cfg").decode() == (
        f'{HEADER}GRUB_CMDLINE_LINUX_DEFAULT="$GRUB_CMDLINE_LINUX_DEFAULT hugepagesz=1G hugepages=16"\n'
        'GRUB_CMDLINE_LINUX_DEFAULT="$GRUB_CMDLINE_LINUX_DEFAULT transparent_hugepage=never"\n'
    )
    assert tunable.verify(machine, "16").reason.endswith("run update-grub, and boot when it suits")
    assert tunable.full_line(machine, "16") == "root=/dev/vda1 quiet hugepagesz=1G hugepages=16"


@pytest.mark.parametrize(
    ("path", "text", "why"),
    [
        ("etc/default/grub", "GRUB_DISABLE_RECOVERY=true\n", "no entry would stay as it is"),
        ("etc/debian_version", None, "only Debian's"),
        ("usr/sbin/update-grub", None, "has no update-grub"),
    ],
)
def test_where_a_drop_in_is_not_sure_to_work_it_is_set_by_hand(
    machine: Machine, path: str, text: str | None, why: str
) -> None:
    file = Path(machine.origin) / path
    if text is None:
        file.unlink()
    else:
        file.write_text(text)
    with pytest.raises(KvmnbError, match=why):
        KernelArg("transparent_hugepage").read(machine)


def test_commands_are_those_that_an_operator_types() -> None:
    assert [
        Ethtool("eth0/mtu").command("9000"),
        Ethtool("eth0/rings/rx").command("4096"),
        Ethtool("eth0/coalesce/rx_usecs").command("50"),
        Ethtool("eth0/features/rx-gro").command("off"),
        Mount("/srv").command("noatime"),
    ] == [
        "sudo ip link set dev eth0 mtu 9000",
        "sudo ethtool -G eth0 rx 4096",
        "sudo ethtool -C eth0 rx-usecs 50",
        "sudo ethtool -K eth0 rx-gro off",
        "sudo mount -o remount,noatime /srv  # lasting: noatime in its line of /etc/fstab",
    ]
