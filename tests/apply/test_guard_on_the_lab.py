"""A guard on a real NIC: a veth in a network namespace of its own, whose MTU comes back by itself."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable

import pytest

pytestmark = pytest.mark.lab

APPLIER = """
import os, signal
from kvmnb.apply.opening import Terms
from kvmnb.apply.run import apply_plan
from kvmnb.machine import sources
from kvmnb.machine.identity import host_uuid
from kvmnb.plan.build import build
from kvmnb.tunable.ethtool import Ethtool
from kvmnb.tunable.tunable import Want
from tests.findings import a_finding

machine = sources.host_alone()
here = host_uuid(machine, None)
wants = Want(Ethtool("kvmnb0/mtu"), "9000"), Want(Ethtool("kvmnb0/features/rx-gro"), "on")
plan = build([a_finding(*wants)], machine, here)
apply_plan(plan, machine, here, terms=Terms(3))
os.killpg(0, signal.SIGKILL)
"""
# Runs in a network and a mount namespace of its own, which end with the last process in them.
APART = """
import json, subprocess, sys, time
from pathlib import Path
from kvmnb.apply import trial
from kvmnb.apply.shelf import Shelf

def seen():
    features = subprocess.run(["ethtool", "-k", "kvmnb0"], capture_output=True, text=True, check=True).stdout
    gro = next(line.split()[1] for line in features.splitlines() if line.startswith("generic-receive-offload"))
    return [Path("/sys/class/net/kvmnb0/mtu").read_text().strip(), gro]

subprocess.run(["mount", "-t", "sysfs", "sysfs", "/sys"], check=True)
subprocess.run(["ip", "link", "add", "kvmnb0", "type", "veth", "peer", "name", "kvmnb1"], check=True)
found = {"before": seen()}
found["code"] = subprocess.run([sys.executable, "-c", APPLIER], start_new_session=True).returncode
found["live"] = seen()
(journal,) = Shelf.own().journals()
found["state"] = journal.state
found["outcome"] = trial.outcome(journal)
found["after"] = seen()
print(json.dumps(found))
"""


def test_a_nic_comes_back_after_the_applier_and_its_session_were_killed(restore: Callable[..., None]) -> None:
    script = f"APPLIER = {APPLIER!r}\n{APART}"
    done = subprocess.run(
        ["unshare", "--net", "--mount", "--propagation", "private", sys.executable, "-c", script],
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found == {
        "before": ["1500", "off"],
        "code": -9,
        "live": ["9000", "on"],
        "state": "waiting",
        "outcome": "reverted",
        "after": ["1500", "off"],
    }
