"""The stages of `make test`: all run, none hides a failure, and nothing outlives it."""

from __future__ import annotations

import os
import signal
import subprocess
import time

from tests.house.conftest import Clone


def stages(clone: Clone, names: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return clone.bash(f"tools/setup/test.sh {names}", KVMNB_OS_RELEASE="/dev/null", **variables)


def test_the_closing_lines_of_pytest_end_the_output(clone: Clone) -> None:
    done = stages(clone, "lint unit")
    assert done.returncode == 0, done.stdout
    assert [line.split(",")[0].strip() for line in done.stdout.splitlines()[-3:]] == [
        "lint       passed",
        "unit       passed",
        "3 passed",
    ]


def test_a_failed_stage_does_not_keep_the_next_from_running_and_fails_the_whole(clone: Clone) -> None:
    clone.program(".venv/bin/mypy", "#!/bin/sh\nexit 1\n")
    done = stages(clone, "lint unit")
    assert done.returncode == 1
    assert "lint       FAILED (1)" in done.stdout
    assert "unit       passed" in done.stdout


def test_a_stage_without_tests_fails(clone: Clone) -> None:
    clone.program("pytest.sh", "echo 'no tests ran in 0.01s'; exit 5\n")
    assert stages(clone, "unit").returncode == 1


def test_a_stage_that_leaves_a_process_behind_fails_and_holds_nothing_up(clone: Clone) -> None:
    clone.program("pytest.sh", "sleep 30 & echo $! >left; echo '1 passed in 0.01s'\n")
    done = stages(clone, "unit")
    os.kill(int((clone.folder / "left").read_text()), signal.SIGKILL)
    assert done.returncode == 1
    assert "unit       FAILED (what it started still runs)" in done.stdout


def test_the_lab_is_skipped_with_a_word_where_it_cannot_run(clone: Clone) -> None:
    done = stages(clone, "labtests")
    assert done.returncode == 0
    assert "labtests: skipped, " in done.stdout
    assert [call for call in clone.calls() if call.startswith("pytest")] == []


def test_where_nobody_reads_the_words_a_skipped_stage_is_a_failure(clone: Clone) -> None:
    assert stages(clone, "labtests", CI="true").returncode == 1


def test_a_stage_of_a_mark_collects_the_files_that_name_it_and_no_others(clone: Clone) -> None:
    for name, mark in (("ui/test_one", "browser"), ("ui/test_two", "browser, pytest.mark.slow"), ("test_three", "lab")):
        path = clone.folder / f"tests/{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"pytestmark = [pytest.mark.{mark}]\n")
    assert stages(clone, "browser", KVMNB_CHROMIUM="/bin/true").returncode == 0
    (call,) = [call for call in clone.calls() if call.startswith("pytest")]
    assert call.endswith(" -m browser and not soak tests/ui/test_two.py tests/ui/test_one.py")


def test_without_a_lab_the_notebooks_run_on_the_demo_host_only(clone: Clone) -> None:
    done = stages(clone, "notebooks")
    assert "notebooks: on the demo host only, not on a live libvirt: " in done.stdout
    assert "notebooks tools/run_notebooks.py strict --workers 2" in clone.calls()
    assert stages(clone, "notebooks", CI="true").returncode == 1


def test_a_stage_that_does_not_exist_is_named(clone: Clone) -> None:
    done = stages(clone, "units")
    assert done.returncode == 2
    assert "Stopped: there is no stage units; stages: lint unit labtests notebooks browser" in done.stdout


def test_no_test_reads_or_writes_the_persons_own_folders(clone: Clone) -> None:
    clone.program("pytest.sh", 'echo "host=${KVMNB_HOST:-} $XDG_STATE_HOME $XDG_CONFIG_HOME $IPYTHONDIR"\n')
    done = stages(clone, "unit", KVMNB_HOST="qemu:///system", XDG_STATE_HOME="/persons/own")
    line = next(line for line in done.stdout.splitlines() if line.startswith("host="))
    host, *folders = line.split(" ")
    assert host == "host="
    assert all("/kvmnb-test." in folder for folder in folders)


def test_when_it_is_ended_its_stage_ends_first(clone: Clone) -> None:
    clone.program("pytest.sh", "trap 'sleep 0.3; echo tidied >tidied; exit 1' TERM; touch started; sleep 60 & wait\n")
    process = subprocess.Popen(
        ["bash", "tools/setup/test.sh", "unit"],
        cwd=clone.folder,
        env=clone.environment({"KVMNB_OS_RELEASE": "/dev/null", "TMPDIR": str(clone.folder)}),
        stdout=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 10
    while not (clone.folder / "started").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 143
    assert (clone.folder / "tidied").exists()
    assert list(clone.folder.glob("kvmnb-test.*")) == []
