"""Host settings written to the kernel of this machine, and put back."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from kvmnb.machine.files import Files
from kvmnb.machine.machine import Machine
from kvmnb.tunable.sysctl import Sysctl
from kvmnb.tunable.sysfs import Sysfs
from kvmnb.tunable.tunable import State

pytestmark = pytest.mark.lab

HERE = Machine("live", "this machine", "/", None, Files(Path("/")))

# Runs in a network and a mount namespace of its own, which end with it and take all of it along.
APART = """
import json, subprocess
from pathlib import Path
from kvmnb.machine.files import Files
from kvmnb.machine.machine import Machine
from kvmnb.tunable.names import parse

def run(*argv):
    subprocess.run(argv, check=True)

run("mount", "-t", "sysfs", "sysfs", "/sys")
run("ip", "link", "add", "kvmnb0", "type", "veth", "peer", "name", "kvmnb1")
run("ip", "link", "add", "kvmnbr", "type", "bridge")
run("mount", "-t", "tmpfs", "-o", "relatime,nosuid", "tmpfs", "/mnt")
machine = Machine("live", "apart", "/", None, Files(Path("/")))
found = {}
for text, after in WANTED:
    tunable = parse(text, {})
    before = tunable.read(machine)
    tunable.check(before)
    tunable.write(machine, after)
    verdict = tunable.verify(machine, after).state.value
    tunable.write(machine, before)
    found[text] = [before, verdict, tunable.read(machine) == before]
found["options"] = [line.split()[5] for line in Path("/proc/self/mountinfo").read_text().splitlines()
                    if line.split()[4] == "/mnt"]
print(json.dumps(found))
"""
WANTED = [
    ("ethtool:host:kvmnb0/mtu", "9000"),
    ("ethtool:host:kvmnb0/features/rx-gro", "on"),
    ("ethtool:host:kvmnb0/features/tx-tcp-segmentation", "off"),
    ("sysfs:host:class/net/kvmnbr/bridge/stp_state", "1"),
    ("sysfs:host:class/net/kvmnbr/bridge/forward_delay", "200"),
    ("mount:host:atime[%2Fmnt]", "noatime"),
]


def test_a_veth_a_bridge_and_a_mount_take_their_settings_and_give_them_back(restore: Callable[..., None]) -> None:
    script = f"WANTED = {WANTED!r}\n{APART}"
    done = subprocess.run(
        ["unshare", "--net", "--mount", "--propagation", "private", sys.executable, "-c", script],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    options = found.pop("options")
    assert {text: (verdict, back) for text, (_, verdict, back) in found.items()} == {
        text: ("holds", True) for text, _ in WANTED
    }
    assert found["ethtool:host:kvmnb0/mtu"][0] == "1500"
    assert options == ["rw,nosuid,relatime"]


def _queue() -> str:
    for device in sorted(Path("/sys/block").iterdir()):
        file = device / "queue/scheduler"
        if file.exists() and len(file.read_text().split()) > 1:
            return f"block/{device.name}/queue/scheduler"
    pytest.skip("no block device here has a choice of schedulers")


@pytest.mark.parametrize("kind", ["pool", "thp", "ksm", "sysctl", "scheduler", "module"])
def test_the_kernel_takes_a_setting_and_gives_it_back(kind: str, restore: Callable[..., None]) -> None:
    tunable: Sysfs | Sysctl
    match kind:
        case "pool":
            tunable = Sysfs("devices/system/node/node0/hugepages/hugepages-2048kB/nr_hugepages")
        case "thp":
            tunable = Sysfs("kernel/mm/transparent_hugepage/defrag")
        case "ksm":
            tunable = Sysfs("kernel/mm/ksm/sleep_millisecs")
        case "scheduler":
            tunable = Sysfs(_queue())
        case "module":
            tunable = Sysfs("module/kvm/parameters/halt_poll_ns")
        case _:
            tunable = Sysctl("vm.swappiness")
    path = tunable._path
    if not Path("/", path).exists() or not Path("/", path).stat().st_mode & 0o200:
        pytest.skip(f"/{path} is not there, or this kernel lets nobody write it")
    before = tunable.read(HERE)
    assert before is not None
    words = Path("/", path).read_text().replace("[", "").replace("]", "").split()
    after = next(word for word in words if word != before) if len(words) > 1 else str(int(before) + 1)
    restore(f"/{path}")
    tunable.check(before)
    tunable.write(HERE, after)
    assert tunable.verify(HERE, after).state is State.HOLDS
    tunable.write(HERE, before)
    assert tunable.read(HERE) == before
