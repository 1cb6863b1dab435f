"""Machines open as what they are, and say in words why they do not."""

from __future__ import annotations

from pathlib import Path

import pytest

from kvmnb.core.cpuset import CpuSet
from kvmnb.core.errors import DomainGone, KvmnbError, NotAnswered, Refused, SourceError, XmlError
from kvmnb.machine import sources
from kvmnb.machine.given import GivenDomains
from kvmnb.machine.hypervisor import Layer, Thread
from kvmnb.machine.machine import state_folder
from tests.small_host import GUEST, HOST_UUID, UUIDS, write_guest, write_host

STATE = ("name", "snapshots", "updated", "job", "autostart", "managed_save", "reason")


@pytest.fixture
def host(tmp_path: Path) -> Path:
    folder = write_host(tmp_path / "host")
    write_guest(folder, "web", 0, cputune="  <cputune><vcpupin vcpu='1' cpuset='3'/></cputune>\n")
    write_guest(folder, "db", 1, running=False)
    return folder


def test_a_recording_answers_and_takes_no_write(host: Path) -> None:
    machine = sources.recorded(host)
    assert (machine.kind, machine.title) == ("recorded", "a small host")
    assert [(one.name, one.running) for one in machine.libvirt.domains()] == [("db", False), ("web", True)]
    pins = machine.libvirt.pins(UUIDS[0])
    assert (pins.vcpus, pins.emulator) == ({0: CpuSet.parse("0-3"), 1: CpuSet.of(3)}, CpuSet.parse("0-3"))
    with pytest.raises(Refused):
        machine.libvirt.define(UUIDS[0], "<domain/>")
    with pytest.raises(Refused):
        machine.libvirt.pin(UUIDS[0], Thread.VCPU, 0, CpuSet.of(1))
    with pytest.raises(NotAnswered):
        machine.libvirt.xml(UUIDS[1], Layer.LIVE)
    with pytest.raises(DomainGone):
        machine.libvirt.xml("../../../etc", Layer.LIVE)


def test_a_scratch_copy_is_changed_and_its_source_is_not(host: Path, tmp_path: Path) -> None:
    before = {path: path.read_bytes() for path in host.rglob("*") if path.is_file()}
    machine = sources.scratch(host, tmp_path / "copy")
    machine.tree.write("sys/devices/system/cpu/cpufreq/policy0/scaling_governor", "performance")
    machine.libvirt.pin(UUIDS[0], Thread.VCPU, 0, CpuSet.of(2))
    text = machine.libvirt.xml(UUIDS[1], Layer.PERSISTENT)
    machine.libvirt.define(UUIDS[1], text.replace("placement='static'", "placement='static' cpuset='1'"))
    assert {path: path.read_bytes() for path in host.rglob("*") if path.is_file()} == before
    again = sources.scratch(host, tmp_path / "copy")
    assert again.libvirt.pins(UUIDS[0]).vcpus[0] == CpuSet.of(2)
    assert "cpuset='1'" in again.libvirt.xml(UUIDS[1], Layer.PERSISTENT)


def test_a_scratch_copy_refuses_what_libvirt_would(host: Path, tmp_path: Path) -> None:
    machine = sources.scratch(host, tmp_path / "copy")
    text = machine.libvirt.xml(UUIDS[0], Layer.PERSISTENT)
    with pytest.raises(KvmnbError, match="changes <uuid>"):
        machine.libvirt.define(UUIDS[0], text.replace(UUIDS[0], UUIDS[5]))
    with pytest.raises(XmlError):
        machine.libvirt.define(UUIDS[0], text.replace("</domain>", ""))
    with pytest.raises(KvmnbError, match="are not all online"):
        machine.libvirt.pin(UUIDS[0], Thread.VCPU, 0, CpuSet.of(64))
    with pytest.raises(KvmnbError, match="no such thread"):
        machine.libvirt.pin(UUIDS[0], Thread.VCPU, 7, CpuSet.of(1))
    assert machine.libvirt.xml(UUIDS[0], Layer.PERSISTENT) == text


def test_the_demo_host_lasts_between_openings_and_is_made_anew_on_request() -> None:
    machine = sources.demo()
    path = "sys/devices/system/cpu/cpufreq/policy0/scaling_governor"
    before = machine.tree.read(path)
    machine.tree.write(path, "performance")
    assert sources.demo().tree.read(path) == "performance"
    assert sources.demo(reset=True).tree.read(path) == before
    assert (state_folder() / "demo-host").is_dir()


def test_given_domains_stand_in_the_place_of_the_machines_own() -> None:
    words = {"name": "x", "uuid": UUIDS[0], "vcpus": 1, "cputune": "", "password": "p", "id": ""}
    given = GivenDomains({"a.xml": GUEST.format(**words), "b.xml": "<domain/>"}, None)
    first, second = given.domains()
    assert (first.uuid, first.name) == (UUIDS[0], "x")
    assert second.name == "b.xml"
    assert given.xml(second.uuid, Layer.PERSISTENT) == "<domain/>"
    with pytest.raises(NotAnswered):
        given.capabilities()
    with pytest.raises(NotAnswered):
        given.xml(first.uuid, Layer.LIVE)
    with pytest.raises(XmlError, match=r"c\.xml"):
        GivenDomains({"c.xml": "<domain>"}, None)


def test_libvirts_own_test_driver_opens_without_host_files() -> None:
    pytest.importorskip("libvirt")
    machine = sources.live("test:///default")
    try:
        assert machine.files is None
        assert [one.name for one in machine.libvirt.domains()] == ["test"]
        assert machine.libvirt.versions().driver.upper() == "TEST"
        with pytest.raises(SourceError, match="does not run guests of this system"):
            _ = machine.tree
    finally:
        machine.close()


def test_the_facts_of_the_test_driver_are_guests_with_the_host_as_gaps() -> None:
    pytest.importorskip("libvirt")
    from kvmnb.probe.survey import probe

    machine = sources.live("test:///default")
    try:
        survey = probe(machine)
    finally:
        machine.close()
    assert [domain.name for domain in survey.domains] == ["test"]
    assert {gap.fact for gap in survey.gaps} >= {"host.cpus", "host.numa_nodes", "host.isolated"}
    assert survey.host.uuid is None


def test_a_small_recorded_host_probes_as_it_was_written(host: Path) -> None:
    from kvmnb.probe.survey import probe

    survey = probe(sources.recorded(host))
    # It was written with the CPUs, nodes and guests of a host and nothing else.
    assert [gap for gap in survey.gaps if gap.fact.startswith(("host.cpus", "host.numa_nodes"))] == []
    assert {gap.fact.rpartition("].")[2] for gap in survey.gaps if gap.fact.startswith("domains")} <= {
        "running_state"
    } | {f"state.{name}" for name in STATE}
    assert (survey.host.uuid, str(survey.host.online), len(survey.host.cores)) == (HOST_UUID, "0-3", 4)
    web = survey.domain("web")
    assert web.live is not None
    assert (web.wanted.vcpus, web.wanted.pin_of(1), web.wanted.pin_of(0), web.wanted.dedicated) == (
        2,
        CpuSet.of(3),
        None,
        False,
    )


def test_the_state_folder_is_private_and_follows_the_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "own"))
    assert state_folder() == tmp_path / "own/kvmnb"
    assert state_folder().stat().st_mode & 0o777 == 0o700
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    with pytest.raises(SourceError, match="set XDG_STATE_HOME"):
        state_folder()
