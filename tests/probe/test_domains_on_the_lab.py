"""Real guests of a real libvirt, as the probes see them."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kvmnb.core.cpuset import CpuSet
from kvmnb.core.errors import NotAnswered
from kvmnb.core.units import MIB
from kvmnb.facts.domain import Domain
from kvmnb.machine import sources
from kvmnb.machine.files import Files
from kvmnb.machine.machine import Machine
from kvmnb.probe.domains import probe_domains
from kvmnb.probe.inside import QUESTIONS, inside, run_inside
from kvmnb.probe.reader import Reader
from kvmnb.probe.running import guest_system, memory_of
from tests.lab.boot import LabError
from tests.lab.daemon import Lab
from tests.lab.domain import domain_xml
from tests.lab.guest import Guest

pytestmark = pytest.mark.lab

Start = Callable[..., Guest]

CHANNEL = "<channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>"
IOTHREADS = "<iothreads>1</iothreads>"
# Answers as qemu-ga does, as far as libvirt asks; what it does not know it says so.
AGENT = r"""
cat >/agent <<'END'
for port in /dev/vport*; do exec 3<>$port; done
while :; do
  # Nothing is read before libvirt has opened its end, which it does when it hears of this one.
  read -r line <&3 || sleep 1
  case $line in
    *guest-sync*) id=${line##*\"id\":}; echo "{\"return\": ${id%%[!0-9]*}}" >&3 ;;
    *guest-get-osinfo*) echo '{"return": {"id": "lab", "pretty-name": "Lab 1", "kernel-release": "6.1"}}' >&3 ;;
    *guest-get-vcpus*) echo '{"return": [{"logical-id": 0, "online": true, "can-offline": false}]}' >&3 ;;
    *guest-exec-status*) echo "{\"return\": {\"exited\": true, \"exitcode\": $code, \"out-data\": \"$told\"}}" >&3 ;;
    *guest-exec*)
      command=$(echo "$line" | sed -e 's/.*"-c", *"//' -e 's/"\].*//' -e 's/\\"/"/g' -e 's/\\\\/\\/g')
      code=0; told=$(sh -c "$command" 2>&1) || code=$?
      told=$(echo "$told" | base64 | tr -d '\n')
      echo '{"return": {"pid": 7}}' >&3 ;;
    ?*) echo '{"error": {"class": "CommandNotFound", "desc": "not known"}}' >&3 ;;
  esac
done
END
sh /agent >/dev/null 2>&1 & true
"""
# Wakes up, and then never says anything more.
MUTE = r"""
cat >/agent <<'END'
for port in /dev/vport*; do exec 3<>$port; done
while :; do
  read -r line <&3 || sleep 1
  case $line in *guest-sync*) id=${line##*\"id\":}; echo "{\"return\": ${id%%[!0-9]*}}" >&3 ;; esac
done
END
sh /agent >/dev/null 2>&1 & true
"""


@pytest.fixture
def machine(lab: Lab) -> Iterator[Machine]:
    opened = sources.live(lab.uri)
    assert opened.files_gap is None
    yield opened
    opened.close()


def facts_of(machine: Machine, guest: Guest) -> Domain:
    return next(domain for domain in probe_domains(machine) if domain.uuid == guest.uuid)


def test_the_threads_of_a_running_guest_are_told_apart(guest: Start, machine: Machine) -> None:
    one = guest(vcpus=2, domain=(IOTHREADS,))
    one.domain.pinVcpu(1, tuple(cpu == 0 for cpu in range(os.cpu_count() or 1)))
    running = facts_of(machine, one).running_state
    assert running is not None
    assert running.gaps() == ()
    assert (running.pid, running.accel, running.kvm, running.vhost_net) == (one.pid, "tcg", False, 0)
    assert running.machine is not None and running.machine.startswith("pc-q35")
    assert tuple(thread.tid for thread in running.threads_of("vcpu")) == one.vcpu_threads
    assert [str(thread.allowed) for thread in running.threads_of("vcpu") if thread.number == 1] == ["0"]
    assert [thread.tid for thread in running.threads_of("emulator")] == [one.pid]
    assert [thread.number for thread in running.threads_of("iothread")] == [1]
    for thread in running.threads:
        assert thread.last_cpu in CpuSet(range(os.cpu_count() or 1))
    assert running.resident_bytes > 64 * MIB
    assert running.pool_bytes in (0, None)


def test_the_memory_of_a_running_guest_lies_on_its_node(guest: Start, machine: Machine) -> None:
    one = guest(system=False, memory_mib=256, domain=("<memoryBacking><allocation mode='immediate'/></memoryBacking>",))
    assert machine.files is not None
    memory = memory_of(Reader(machine.files), one.pid)
    assert memory.gaps() == ()
    on_nodes = {node.node: node.bytes for node in memory.nodes}
    resident = facts_of(machine, one).running_state
    assert resident is not None
    assert 256 * MIB < on_nodes[0] <= sum(on_nodes.values()) <= resident.resident_bytes + MIB
    assert sum(size for _, size in memory.page_sizes) == sum(on_nodes.values())
    assert memory.transparent_bytes <= on_nodes[0]


def test_the_memory_of_a_guest_needs_root(guest: Start) -> None:
    qemu = guest(system=False).pid
    read = Reader(Files(Path("/")))
    read_end, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        # In a child of its own, so that the tests keep their rights.
        try:
            os.setgid(65534)
            os.setuid(65534)
            reasons = sorted({gap.reason for gap in memory_of(read, qemu).gaps()})
            os.write(write_end, ", ".join(reasons).encode())
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    os.close(write_end)
    told = os.read(read_end, 4096).decode()
    os.close(read_end)
    assert told == f"/proc/{qemu}/numa_maps needs root, /proc/{qemu}/smaps_rollup needs root"


def test_a_guest_that_is_nowhere_defined_is_passing(lab: Lab, machine: Machine) -> None:
    connection = lab.connect()
    domain = connection.createXML(domain_xml(f"passing-{lab.tag}", lab.root))
    try:
        (found,) = [one for one in probe_domains(machine) if one.uuid == domain.UUIDString()]
        assert (found.running, found.persistent, found.inactive) == (True, False, None)
        assert found.wanted is found.live
        assert found.state is not None
        assert (found.state.gaps(), found.state.name, found.state.autostart) == ((), "running", False)
    finally:
        domain.destroy()
        connection.close()


def test_pauses_snapshots_and_saved_images_are_seen(guest: Start, machine: Machine) -> None:
    one = guest(system=False)
    one.domain.suspend()
    one.domain.setAutostart(1)
    state = facts_of(machine, one).state
    assert state is not None
    assert (state.gaps(), state.name, state.reason, state.autostart) == ((), "paused", "user", True)
    assert (state.managed_save, state.snapshots, state.job, state.updated) == (False, 0, None, False)
    one.domain.managedSave(0)
    saved = facts_of(machine, one)
    assert saved.state is not None
    assert (saved.state.name, saved.state.managed_save, saved.running_state) == ("shutoff", True, None)
    one.domain.managedSaveRemove()


def test_a_guest_whose_qemu_hangs_holds_nothing_up(guest: Start, machine: Machine) -> None:
    one = guest(system=False)
    os.kill(one.pid, 19)
    try:
        began = time.monotonic()
        found = facts_of(machine, one)
        assert time.monotonic() - began < 5
        assert found.state is not None and found.state.name == "running"
        assert found.running_state is not None and found.running_state.pid == one.pid
    finally:
        os.kill(one.pid, 18)


def test_an_agent_that_answers_tells_its_system(guest: Start, machine: Machine) -> None:
    one = guest(devices=(CHANNEL,))
    run(one, AGENT)
    wait_connected(machine, one)
    told = guest_system(machine.libvirt, one.uuid)
    assert (told.os_id, told.os_name, told.kernel) == ("lab", "Lab 1", "6.1")
    assert (told.filesystems, told.interfaces, told.vcpus_online) == (None, None, CpuSet.of(0))
    assert inside(machine, facts_of(machine, one)).system == told


def test_a_person_may_have_programs_run_in_a_guest_which_is_tainted_then(guest: Start, machine: Machine) -> None:
    one = guest(devices=(CHANNEL,))
    run(one, AGENT)
    wait_connected(machine, one)
    assert "guest agent" not in taints(one)
    found = run_inside(machine, facts_of(machine, one))
    assert (found.problem, found.not_asked) == (None, ())
    told = {ran.what: ran for ran in found.ran}
    assert list(told) == [question[0] for question in QUESTIONS]
    source = one.run("cat /sys/devices/system/clocksource/clocksource0/current_clocksource").strip()
    assert (told["clock source"].code, told["clock source"].text.strip()) == (0, source)
    # The small guest has no ethtool; what a program complains of is told too.
    assert told["network offloads"].code != 0 and "ethtool" in told["network offloads"].text
    assert "custom guest agent control commands issued" in taints(one)


def test_an_agent_that_runs_no_programs_says_so(guest: Start, machine: Machine) -> None:
    one = guest(devices=(CHANNEL,))
    run(one, AGENT.replace("guest-exec", "guest-none"))
    wait_connected(machine, one)
    found = run_inside(machine, facts_of(machine, one))
    assert found.ran == () and len(found.not_asked) == len(QUESTIONS)
    assert found.problem is not None and "not known" in found.problem


def taints(one: Guest) -> str:
    """Why libvirt counts the guest as tainted, in its own words."""
    import libvirt

    return " ".join(one.domain.messages(libvirt.VIR_DOMAIN_MESSAGE_TAINTING))


def test_an_agent_that_never_answers_holds_nothing_up(guest: Start, machine: Machine) -> None:
    one = guest(devices=(CHANNEL,))
    run(one, MUTE)
    wait_connected(machine, one)
    began = time.monotonic()
    with pytest.raises(NotAnswered, match="did not answer within 1 seconds"):
        guest_system(machine.libvirt, one.uuid, seconds=1)
    with pytest.raises(NotAnswered, match="an earlier question"):
        guest_system(machine.libvirt, one.uuid, seconds=1)
    assert time.monotonic() - began < 2


def test_a_guest_without_an_agent_says_so(guest: Start, machine: Machine) -> None:
    with pytest.raises(NotAnswered, match="the guest agent cannot be asked"):
        guest_system(machine.libvirt, guest(system=False).uuid)


def run(guest: Guest, command: str) -> None:
    """Run a command after one that wakes the console up, of which a busy machine may lose the beginning."""
    with contextlib.suppress(LabError):
        guest.run("true", timeout=5)
    guest.run(command.strip())


def wait_connected(machine: Machine, guest: Guest) -> None:
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        live = facts_of(machine, guest).live
        assert live is not None
        if any(channel.state == "connected" for channel in live.devices.channels):
            return
        time.sleep(0.1)
    raise AssertionError("the agent's channel was not connected")
