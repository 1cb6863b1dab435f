"""A plan says who else sets a host setting."""

from __future__ import annotations

from pathlib import Path

import pytest

from kvmnb.machine.files import Files
from kvmnb.plan.owner import Owners
from kvmnb.tunable.names import parse

TEXTS = {
    "etc/sysctl.d/10-a.conf": "vm.swappiness = 60\n",
    "etc/sysctl.d/20-b.conf": "vm.swappiness = 40\n",
    "etc/sysctl.d/99-zz-kvmnb.conf": "vm.swappiness = 10\n",
    "usr/lib/tmpfiles.d/thp.conf": "# w /sys/x\nw /sys/kernel/mm/transparent_hugepage/enabled - - - - never\n",
    "etc/udev/rules.d/60-io.rules": 'ACTION=="add", KERNEL=="sd?", ATTR{queue/scheduler}="bfq"\n',
    "etc/modprobe.d/kvm.conf": "options kvm ignore_msrs=1 halt_poll_ns=0\n",
    "proc/cmdline": "quiet transparent_hugepage=always\n",
    "proc/1/comm": "systemd\n",
    "proc/70/comm": "NetworkManager\n",
    "proc/71/comm": "ksmtuned\n",
    "etc/tuned/active_profile": "virtual-host\n",
}


@pytest.fixture(scope="module")
def owners(tmp_path_factory: pytest.TempPathFactory) -> Owners:
    root = tmp_path_factory.mktemp("host")
    for path, text in TEXTS.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return Owners(Files(root))


@pytest.mark.parametrize(
    ("text", "owner"),
    [
        ("sysctl:host:vm.swappiness", "/etc/sysctl.d/20-b.conf sets it to 40 at boot"),
        ("sysctl_file:host:vm.swappiness", "/etc/sysctl.d/20-b.conf sets it to 40 at boot"),
        ("sysctl:host:vm.dirty_ratio", None),
        (
            "sysfs:host:kernel/mm/transparent_hugepage/enabled",
            "/usr/lib/tmpfiles.d/thp.conf sets it; transparent_hugepage=always stands on the kernel's command line",
        ),
        ("sysfs:host:kernel/mm/ksm/run", "ksmtuned runs and may set it"),
        ("sysfs:host:block/sda/queue/scheduler", "/etc/udev/rules.d/60-io.rules sets it"),
        ("sysfs:host:block/sda/queue/nr_requests", None),
        ("module:host:kvm/halt_poll_ns", "/etc/modprobe.d/kvm.conf sets it"),
        ("ethtool:host:eth0/mtu", "NetworkManager runs and may set it"),
        ("mount:host:atime[%2F]", None),
    ],
)
def test_each_other_setter_is_named(owners: Owners, text: str, owner: str | None) -> None:
    assert owners.of(parse(text, {})) == owner


def test_a_machine_without_files_has_no_known_owner(tmp_path: Path) -> None:
    assert Owners(None).of(parse("sysctl:host:vm.swappiness", {})) is None
