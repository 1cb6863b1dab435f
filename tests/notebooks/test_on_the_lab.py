"""The notebook on a real libvirtd and a running guest: looking changes nothing, the button pins, undo restores."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.lab.daemon import Lab
from tests.lab.domain import vnc_xml
from tests.lab.guest import Guest
from tests.notebooks import fingerprint
from tests.notebooks.harness import NOTEBOOKS, running

pytestmark = [pytest.mark.lab, pytest.mark.slow]

SECRET = "sesame42"  # VNC takes eight characters

Start = Callable[..., Guest]


def same_where_both_live(one: dict[int, set[int]], other: dict[int, set[int]]) -> bool:
    return {tid: cpus for tid, cpus in one.items() if tid in other} == {
        tid: cpus for tid, cpus in other.items() if tid in one
    }


@pytest.fixture
def latency() -> None:
    """What a person writes into kvmnb.toml; the kernel inherits the folder."""
    config = Path(os.environ["XDG_CONFIG_HOME"]) / "kvmnb" / "kvmnb.toml"
    config.parent.mkdir(parents=True)
    config.write_text('goal = "latency"\n')


@pytest.mark.usefixtures("latency")
def test_the_form_pins_a_floating_vcpu_and_another_process_takes_it_back(lab: Lab, guest: Start) -> None:
    assert len(os.sched_getaffinity(0)) >= 2, "of two CPUs one stays the host's"
    one = guest(system=False, devices=(vnc_xml(SECRET),))
    xml_before, threads_before = one.xml(), one.affinities

    with running("10-cpu.ipynb", KVMNB_HOST=lab.uri, KVMNB_TICK="0.1") as notebook:
        assert (one.xml(), one.affinities) == (xml_before, threads_before), "running the notebook changed the guest"
        assert notebook.cell(f"form.guest.value = {one.name!r}; print(form.apply.disabled)") == "False\n"
        assert notebook.cell("print(any(one.id == 'cpu.pin.vcpu' for one in form.state.offers))") == "True\n"
        assert one.xml() == xml_before, "a preview changed the guest"
        said = notebook.cell("form.apply.click(); form.wait(); print(form.result.ok, form.result.sentence)")
        assert said.startswith("True "), said
        holds = notebook.cell("print(form.log.value.count('✔ holds'), 'Cpus_allowed_list' in form.log.value)")
        assert holds.endswith(" True\n")

        (vcpu,) = one.vcpu_threads
        (pinned,) = one.affinities[vcpu]
        virsh = subprocess.run(
            ["virsh", "-c", lab.uri, "vcpupin", one.name], capture_output=True, text=True, check=True, timeout=60
        )
        assert virsh.stdout.splitlines()[2].split() == ["0", str(pinned)]
        assert pinned not in one.affinities[one.pid]
        assert SECRET in one.xml()
        assert SECRET not in str(notebook.outputs) + notebook.cell("print(form.preview.value, form.log.value)")

    undone = subprocess.run(
        [sys.executable, "-m", "kvmnb.cli", "undo", "last", "--uri", lab.uri],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert undone.returncode == 0, undone.stderr
    assert one.xml() == xml_before
    assert same_where_both_live(one.affinities, threads_before)


@pytest.fixture(scope="module")
def one(lab: Lab) -> Iterator[Guest]:
    """A guest that notebooks look at."""
    started = Guest.start(lab, f"looked-at-{lab.tag}")
    try:
        started.wait_ready()
        yield started
    finally:
        started.remove()


@pytest.mark.usefixtures("host_settings")
@pytest.mark.parametrize("name", sorted(path.name for path in NOTEBOOKS.glob("*.ipynb")))
def test_running_a_notebook_leaves_host_and_guest_as_they_were(lab: Lab, one: Guest, name: str) -> None:
    host = fingerprint.of_host()
    assert any(path.startswith("/proc/sys/vm/") for path in host), "the host's settings can be read here"
    before = (one.xml(), one.xml(live=True), one.affinities)
    with running(name, KVMNB_HOST=lab.uri, KVMNB_TICK="0.1"):
        pass
    assert (one.xml(), one.xml(live=True)) == before[:2]
    assert fingerprint.differences(host, fingerprint.of_host()) == {}
    assert same_where_both_live(one.affinities, before[2])
    assert not list(Path(os.environ["XDG_STATE_HOME"]).glob("kvmnb/journal/*.jsonl"))
