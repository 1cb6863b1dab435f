"""udev's own reader takes the rule that kvmnb writes, and does with it what it says."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from kvmnb.machine.sources import scratch
from kvmnb.tunable.udev import Udev
from tests.small_host import write_host

pytestmark = [
    pytest.mark.lab,
    pytest.mark.usefixtures("host_settings"),
    pytest.mark.skipif(shutil.which("udevadm") is None, reason="udevadm is not installed"),
]

# In a mount namespace of its own, where udev finds this rule alone and writes neither to the kernel nor to /dev.
ALONE = """
set -e
mount -o remount,bind,ro /sys
for folder in /run /usr/lib/udev/rules.d /etc/udev /dev; do mount -t tmpfs none "$folder"; done
mkdir /etc/udev/rules.d
printf %s "$2" >/etc/udev/rules.d/99-zz-kvmnb.rules
udevadm test --action="$3" "$1" 2>&1
"""
_WROTE = re.compile(r"rules:\d+ ATTR '[^']*/(queue/\w+)' writing '([^']*)'")
_NOT_READ = re.compile(r"rules:\d+ (?:Invalid|Unknown|Expecting|Failed to parse)[^\n]*")


def _said(device: str, rules: str, action: str) -> str:
    return subprocess.run(
        ["unshare", "--mount", "--propagation", "private", "sh", "-c", ALONE, "sh", device, rules, action],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    ).stdout


def test_udev_writes_what_the_rule_says_to_that_device_alone(tmp_path: Path) -> None:
    machine = scratch(write_host(tmp_path / "recorded"), tmp_path / "copy")
    device, other = sorted(path.parents[1] for path in Path("/sys/block").glob("*/queue/scheduler"))[:2]
    settings = {"queue/read_ahead_kb": "512", "queue/scheduler": "mq-deadline"}
    before = {name: (device / name).read_text() for name in settings}
    for name, value in settings.items():
        Udev(f"block/{device.name}/{name}").write(machine, value)
    rules = (Path(machine.origin) / "etc/udev/rules.d/99-zz-kvmnb.rules").read_text()
    for action in ("add", "change"):
        said = _said(str(device), rules, action)
        assert (dict(_WROTE.findall(said)), _NOT_READ.findall(said)) == (settings, []), said
    assert _WROTE.findall(_said(str(device), rules, "remove")) == []
    assert _WROTE.findall(_said(str(other), rules, "add")) == []
    assert {name: (device / name).read_text() for name in settings} == before


def test_udev_names_a_line_that_it_does_not_read() -> None:
    device = next(Path("/sys/block").iterdir())
    rule = f'ACTION=="add", KERNEL=="{device.name}", ATRR{{queue/scheduler}}="none"\n'
    assert _NOT_READ.findall(_said(str(device), rule, "add")) == ["rules:1 Invalid key 'ATRR'"]
