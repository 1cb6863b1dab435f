"""Installing with apt starts nothing, and leaves the machine's own policy as it was."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.house.conftest import Clone

# Says what invoke-rc.d would be told while a package is set up.
APT = """#!/bin/bash
case "$*" in
    *install*) "$KVMNB_POLICY_RC_D" libvirtd start; echo "policy answers $?"; echo "$*"; source "$0.then" ;;
esac
"""


@pytest.fixture
def policy(clone: Clone) -> Path:
    clone.program("bin/apt-get", APT)
    clone.program("bin/apt-get.then", "")
    return clone.folder / "policy-rc.d"


def install(clone: Clone, policy: Path) -> subprocess.CompletedProcess[str]:
    return clone.bash("bash tools/setup/apt.sh hello", KVMNB_POLICY_RC_D=str(policy))


def test_no_service_may_start_while_apt_runs(clone: Clone, policy: Path) -> None:
    done = install(clone, policy)
    assert "policy answers 101" in done.stdout
    assert done.returncode == 0
    assert list(clone.folder.glob("policy*")) == []


def test_nothing_is_removed_to_install_something(clone: Clone, policy: Path) -> None:
    assert "--no-remove hello" in install(clone, policy).stdout


@pytest.mark.parametrize("ending", ["", "exit 100", "kill -TERM $PPID; sleep 0.1"])
def test_a_policy_that_was_there_comes_back_however_apt_ends(clone: Clone, policy: Path, ending: str) -> None:
    policy.write_text("#!/bin/sh\nexit 104\n")
    clone.program("bin/apt-get.then", ending)
    done = install(clone, policy)
    assert "policy answers 101" in done.stdout
    assert (done.returncode == 0) == (not ending)
    assert policy.read_text() == "#!/bin/sh\nexit 104\n"
    assert list(clone.folder.glob("policy*")) == [policy]


def test_a_run_that_was_killed_is_repaired_by_the_next(clone: Clone, policy: Path) -> None:
    policy.write_text("#!/bin/sh\nexit 104\n")
    clone.program("bin/apt-get.then", "touch started; sleep 60")
    variables = clone.environment({"KVMNB_POLICY_RC_D": str(policy)})
    killed = subprocess.Popen(
        ["bash", "tools/setup/apt.sh", "hello"], cwd=clone.folder, env=variables, start_new_session=True
    )
    deadline = time.monotonic() + 10
    while not (clone.folder / "started").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.wait()
    assert policy.read_text() != "#!/bin/sh\nexit 104\n"
    clone.program("bin/apt-get.then", "")
    assert install(clone, policy).returncode == 0
    assert policy.read_text() == "#!/bin/sh\nexit 104\n"
