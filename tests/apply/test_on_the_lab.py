"""The whole chain on a real libvirtd and a running guest."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from kvmnb.advise.intent_file import read_intent
from kvmnb.core.errors import DomainGone
from kvmnb.machine.hypervisor import Layer
from kvmnb.verbs import Here, open_machine
from tests.lab.daemon import Lab
from tests.lab.domain import vnc_xml
from tests.lab.guest import Guest
from tests.terminal.calling import kvmnb, refused

pytestmark = pytest.mark.lab

SECRET = "sesame42"  # VNC takes eight characters

Start = Callable[..., Guest]


def virsh(lab: Lab, *arguments: str) -> str:
    """virsh's own word."""
    return subprocess.run(
        ["virsh", "-c", lab.uri, *arguments], capture_output=True, text=True, check=True, timeout=60
    ).stdout


def test_a_floating_vcpu_is_found_pinned_verified_and_undone_by_another_process(
    lab: Lab, guest: Start, tmp_path: Path
) -> None:
    assert os.cpu_count() and len(os.sched_getaffinity(0)) >= 2, "of two CPUs one stays the host's"
    one = guest(system=False, devices=(vnc_xml(SECRET),))
    xml_before, threads_before = one.xml(), one.affinities
    assert SECRET in xml_before
    source = ("--uri", lab.uri, "--goal", "latency", "--domain", one.name)

    audit = kvmnb("audit", *source, "--json")
    assert audit.returncode == 1, audit.stderr
    found = [finding for finding in json.loads(audit.stdout)["findings"] if finding["id"] == "cpu.pin.vcpu"]
    assert [finding["subject"] for finding in found] == [f"domain/{one.name}"]

    plan = tmp_path / "plan.json"
    planned = kvmnb("plan", *source, "--rule", "cpu.pin.vcpu", "--out", str(plan))
    assert planned.returncode == 0, planned.stderr
    assert one.xml() == xml_before
    applied = kvmnb("apply", str(plan))
    assert applied.returncode == 0, applied.stderr

    pinned = max(os.sched_getaffinity(0))
    assert f"0      {pinned}" in virsh(lab, "vcpupin", one.name)
    (vcpu,) = one.vcpu_threads
    assert one.affinities[vcpu] == {pinned}
    assert one.affinities[one.pid] == os.sched_getaffinity(0) - {pinned}
    verified = kvmnb("verify", str(plan))
    assert verified.returncode == 0, verified.stdout
    assert f"/proc/{one.pid}/task/{vcpu}/status" in verified.stdout
    assert SECRET in one.xml()
    assert SECRET in one.xml(live=True)

    undone = kvmnb("undo", "last")
    assert undone.returncode == 0, undone.stderr
    assert one.xml() == xml_before
    after = one.affinities
    assert {tid: cpus for tid, cpus in after.items() if tid in threads_before} == {
        tid: cpus for tid, cpus in threads_before.items() if tid in after
    }
    shown = [audit, planned, applied, verified, undone, kvmnb("journal", "list"), kvmnb("journal", "show", _last())]
    for done in shown:
        assert SECRET not in done.stdout + done.stderr
    assert SECRET not in plan.read_text()


def _last() -> str:
    listed: str = json.loads(kvmnb("journal", "list", "--json").stdout)["journals"][0]["id"]
    return listed


def test_a_guest_that_goes_between_plan_and_apply_is_named_and_nothing_is_changed(
    lab: Lab, guest: Start, tmp_path: Path
) -> None:
    one = guest(system=False)
    plan = tmp_path / "plan.json"
    source = ("--uri", lab.uri, "--goal", "latency", "--domain", one.name, "--rule", "cpu.pin.vcpu")
    assert kvmnb("plan", *source, "--out", str(plan)).returncode == 0
    name = one.name
    one.remove()
    refused(kvmnb("apply", str(plan)), name, "is not there any more")
    again = Guest.start(lab, name, system=False)
    try:
        before = again.xml()
        refused(kvmnb("apply", str(plan)), name, "is another one now")
        assert again.xml() == before
    finally:
        again.remove()


def test_a_libvirtd_that_restarts_between_plan_and_apply_does_not_matter(
    lab: Lab, guest: Start, tmp_path: Path
) -> None:
    one = guest(system=False)
    plan = tmp_path / "plan.json"
    source = ("--uri", lab.uri, "--goal", "latency", "--domain", one.name, "--rule", "cpu.pin.vcpu")
    assert kvmnb("plan", *source, "--out", str(plan)).returncode == 0
    lab.restart()
    one.reconnect()
    assert kvmnb("apply", str(plan)).returncode == 0
    assert kvmnb("undo").returncode == 0


def test_a_socket_that_may_not_be_opened_names_the_group(lab: Lab) -> None:
    """As the user nobody, who is in no group that may open the socket."""
    socket = Path(lab.uri.partition("socket=")[2])
    mode = socket.stat().st_mode & 0o777
    socket.chmod(0o700)
    # All is imported before the privileges go, since the environment may lie in root's own folder.
    script = (
        "import gettext, locale, os, sys, libvirt, kvmnb.cli, kvmnb.terminal.commands, kvmnb.machine.sources\n"
        "os.setgroups([]); os.setresgid(65534, 65534, 65534); os.setresuid(65534, 65534, 65534)\n"
        f"sys.exit(kvmnb.cli.main(['facts', '--uri', {lab.uri!r}]))\n"
    )
    try:
        done = subprocess.run(
            [sys.executable, "-c", script], env=os.environ | {"HOME": "/"}, capture_output=True, text=True, check=False
        )
    finally:
        socket.chmod(mode)
    refused(done, "group libvirt")


def test_the_host_facts_of_the_lab_are_this_systems_and_agree_with_libvirt(lab: Lab, guest: Start) -> None:
    one = guest(vcpus=2, system=False)
    here = Here(open_machine(uri=lab.uri), read_intent())
    assert here.facts().gaps == ()
    facts = here.facts().domain(one.name)
    assert (facts.running, facts.wanted.vcpus, facts.uuid) == (True, 2, one.uuid)
    one.domain.destroy()
    deadline = time.monotonic() + 10
    while here.facts(fresh=True).domain(one.name).running and time.monotonic() < deadline:
        time.sleep(0.1)
    with pytest.raises(DomainGone):
        here.machine.libvirt.xml("00000000-0000-4000-8000-00000000dead", Layer.PERSISTENT)
    here.machine.close()
