"""All that is known of domains: XML, libvirt's state, process, owners; from recordings, files and libvirt itself."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from kvmnb.core.errors import NotAnswered
from kvmnb.core.units import GIB, MIB
from kvmnb.facts.domain import State
from kvmnb.facts.gap import Gap, NotSeen
from kvmnb.machine import sources
from kvmnb.machine.connection import Connection, import_libvirt
from kvmnb.machine.domain_states import DomainStates
from kvmnb.machine.given import GivenDomains
from kvmnb.machine.machine import Machine
from kvmnb.probe.domain import domain_of_text
from kvmnb.probe.domains import probe_domains
from tests.probe.whole_domain import read
from tests.small_host import UUIDS, write_guest, write_host

TOLD = {
    "state": "paused",
    "reason": "ioerror",
    "autostart": True,
    "managed_save": False,
    "snapshots": 2,
    "job": "backup",
    "updated": False,
    "of a later version": [1, 2],
}


@pytest.fixture
def host(tmp_path: Path) -> Path:
    folder = write_host(tmp_path / "host")
    write_guest(folder, "web", 0)
    write_guest(folder, "db", 1, running=False)
    return folder


def put_state(host: Path, number: int, told: dict[str, Any]) -> None:
    (host / f"libvirt/domains/{UUIDS[number]}/state.json").write_text(json.dumps(told), encoding="utf-8")


def test_the_state_that_a_recording_holds_is_read(host: Path) -> None:
    put_state(host, 0, TOLD)
    put_state(host, 1, {"state": "shutoff", "autostart": False, "managed_save": True, "snapshots": 0})
    db, web = probe_domains(sources.recorded(host))
    assert web.state == State(
        name="paused", reason="ioerror", autostart=True, managed_save=False, snapshots=2, job="backup", updated=False
    )
    assert db.state == State(
        name="shutoff", reason=None, autostart=False, managed_save=True, snapshots=0, job=None, updated=False
    )
    assert db.running_state is None
    assert (db.owners, db.cluster) == ((), None)


def test_what_a_recording_does_not_hold_is_a_gap(host: Path) -> None:
    put_state(host, 0, {"state": "running", "autostart": "yes"})
    _, web = probe_domains(sources.recorded(host))
    assert web.state is not None
    assert [gap.fact for gap in web.state.gaps()] == [
        f"domains[web].state.{name}" for name in ("autostart", "managed_save", "snapshots", "job", "updated")
    ]
    assert web.gap_of("running_state") == Gap(
        "domains[web].running_state", "no QEMU process of this guest is seen in /proc"
    )
    with pytest.raises(NotSeen):
        _ = web.running_state


@pytest.mark.parametrize("broken", ["", "[]", "{", "\0", '{"state": 1, "state": 2}'])
def test_a_broken_state_is_a_gap(broken: str, host: Path) -> None:
    (host / f"libvirt/domains/{UUIDS[0]}/state.json").write_text(broken, encoding="utf-8")
    put_state(host, 1, TOLD)
    db, web = probe_domains(sources.recorded(host))
    assert db.state is not None and web.state is not None
    assert (len(db.state.gaps()), len(web.state.gaps())) == (0, 7)


def test_a_process_in_the_hosts_files_is_the_guests(host: Path) -> None:
    folder = host / "proc/4711"
    (folder / "task/4711").mkdir(parents=True)
    for path in (folder, folder / "task/4711"):
        (path / "comm").write_text("qemu-system-x86\n")
        (path / "status").write_text("VmRSS:\t 8 kB\nVmSwap:\t 0 kB\nVmLck:\t 0 kB\nCpus_allowed_list:\t0-1\n")
        (path / "stat").write_text("4711 (qemu-system-x86) S" + " 1" * 49)
    (folder / "cmdline").write_text("\0".join(["qemu", "-name", "guest=web", "-uuid", UUIDS[0], "-accel", "tcg"]))
    _, web = probe_domains(sources.recorded(host))
    assert web.running_state is not None
    assert (web.running_state.pid, web.running_state.accel) == (4711, "tcg")
    assert [gap.fact.rpartition(".")[2] for gap in web.running_state.gaps()] == [
        "kvm",
        "vhost_net",
        "locked_limit_bytes",
    ]


def test_an_owner_shows_in_either_configuration(host: Path) -> None:
    path = host / f"libvirt/domains/{UUIDS[0]}/live.xml"
    metadata = "<metadata><k xmlns='http://kubevirt.io'/></metadata>"
    path.write_text(path.read_text().replace("  <vcpu", f"  {metadata}\n  <vcpu", 1))
    _, web = probe_domains(sources.recorded(host))
    assert [owner.name for owner in web.owners] == ["KubeVirt"]


@pytest.mark.parametrize("broken", ["", "<domain><name>db</name>", "<a/>", "\0", "text"])
def test_a_domain_whose_xml_is_broken_has_gaps_and_hides_no_other(broken: str, host: Path) -> None:
    (host / f"libvirt/domains/{UUIDS[1]}/inactive.xml").write_text(broken)
    domains = {domain.uuid: domain for domain in probe_domains(sources.recorded(host))}
    assert domains[UUIDS[0]].gap_of("inactive") is None
    assert domains[UUIDS[1]].gap_of("inactive") is not None
    assert domains[UUIDS[1]].gap_of("owners") is not None


def test_the_guests_of_a_host_whose_files_are_not_read_have_gaps_for_them(host: Path) -> None:
    machine = sources.recorded(host)
    remote = Machine("live", "far", "qemu+ssh://far/system", machine.hypervisor, None, "the connection is remote")
    db, web = probe_domains(remote)
    assert web.gap_of("running_state") == Gap("domains[web].running_state", "the connection is remote")
    assert web.gap_of("cluster") == Gap("domains[web].cluster", "the connection is remote")
    assert db.running_state is None
    assert db.wanted.vcpus == 2


def test_a_bare_tree_has_no_domains(tmp_path: Path) -> None:
    (tmp_path / "proc").mkdir()
    assert probe_domains(sources.tree(tmp_path)) == ()


def test_a_domain_given_as_a_file_has_no_state() -> None:
    given = GivenDomains({"a.xml": "<domain type='kvm'><name>a</name><memory>1</memory></domain>"}, None)
    (domain,) = probe_domains(Machine("root", "a", "a", given, None))
    assert domain.gap_of("state") == Gap(
        "domains[a].state", "libvirt keeps no state of a domain that was given as a file"
    )
    assert domain_of_text("<domain><name>a</name><memory>1</memory></domain>", "a").state is None


def test_what_a_recording_and_a_file_cannot_answer_they_do_not(host: Path) -> None:
    with pytest.raises(NotAnswered):
        sources.recorded(host).libvirt.guest_system(UUIDS[0], 1)
    with pytest.raises(NotAnswered):
        GivenDomains({}, None).states()


def test_the_cpu_and_its_cells_are_read() -> None:
    cpu = read(
        "<domain><name>a</name><memory>1</memory><cpu mode='host-passthrough' check='none'>"
        "<cache mode='emulate' level='3'/><maxphysaddr mode='emulate' bits='42'/>"
        "<feature policy='require' name='topoext'/><numa>"
        "<cell id='0' cpus='0-1' memory='1' unit='GiB' memAccess='shared'>"
        "<distances><sibling id='0' value='10'/><sibling id='1' value='21'/></distances></cell>"
        "<cell id='1' cpus='2-3' memory='1' unit='GiB'/></numa></cpu></domain>"
    ).cpu
    assert cpu is not None
    assert (cpu.check, cpu.cache_mode, cpu.cache_level) == ("none", "emulate", 3)
    assert (cpu.address_mode, cpu.address_bits, cpu.feature("topoext"), cpu.feature("x")) == (
        "emulate",
        42,
        "require",
        None,
    )
    first, second = cpu.cells
    assert (first.access, first.distances, first.memory_bytes) == ("shared", ((0, 10), (1, 21)), GIB)
    assert (second.access, second.distances) == (None, ())


def test_hugepages_of_single_cells_are_read() -> None:
    backing = read(
        "<domain><name>a</name><memory>1</memory><memoryBacking><hugepages>"
        "<page size='1' unit='GiB' nodeset='0'/><page size='2' unit='MiB'/></hugepages></memoryBacking></domain>"
    ).memory_backing
    assert backing.page_sizes_bytes == (GIB, 2 * MIB)
    assert [(size, str(cells)) for size, cells in backing.page_cells] == [(GIB, "0")]


def test_a_list_with_one_broken_value_is_a_gap_as_a_whole() -> None:
    backing = read(
        "<domain><name>a</name><memory>1</memory><memoryBacking><hugepages><page size='x'/><page size='2048'/>"
        "</hugepages></memoryBacking></domain>"
    ).memory_backing
    assert backing.gap_of("page_sizes_bytes") is not None
    assert backing.page_cells == ()


class Counting:
    """Passes every call on to a libvirt object, and counts it."""

    def __init__(self, behind: Any, counts: Counter[str]) -> None:
        self._behind, self._counts = behind, counts

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._behind, name)
        if not callable(found):
            return found

        def call(*arguments: Any) -> Any:
            # What came with the listing costs no question to the daemon.
            if name not in ("UUIDString", "UUID", "ID", "name"):
                self._counts[name] += 1
            answer = found(*arguments)
            return [Counting(one, self._counts) for one in answer] if name == "listAllDomains" else answer

        return call


@pytest.fixture
def driver() -> Any:
    pytest.importorskip("libvirt")
    connect = import_libvirt().open("test:///default")
    yield connect
    connect.close()


def test_a_hundred_running_guests_cost_three_questions_each(driver: Any) -> None:
    libvirt = import_libvirt()
    for number in range(100):
        driver.createXML(
            f"<domain type='test'><name>g{number}</name><memory>8192</memory><os><type>hvm</type></os></domain>"
        )
    counts: Counter[str] = Counter()
    states = DomainStates(libvirt, Counting(driver, counts)).read(lambda _doing, call: call())
    assert len(states) == 101
    assert {state.name for state in states.values()} == {"running"}
    assert counts == {
        "listAllDomains": 4,
        "getAllDomainStats": 1,
        "controlInfo": 101,
        "jobStats": 101,
        "isUpdated": 101,
    }


def test_the_state_of_each_domain_is_libvirts_own_word() -> None:
    pytest.importorskip("libvirt")
    connection = Connection("test:///default")
    domain = connection._connect.lookupByName("test")
    uuid = domain.UUIDString()
    domain.suspend()
    domain.snapshotCreateXML("<domainsnapshot><name>one</name></domainsnapshot>")
    domain.setAutostart(1)
    found = connection.states()[uuid]
    assert (found.name, found.reason, found.autostart, found.snapshots) == ("paused", "user", True, 1)
    # The test driver has no jobs.
    assert list(found.untold) == ["job"]
    domain.destroy()
    domain.managedSaveRemove() if domain.hasManagedSaveImage() else None
    gone = connection.states()[uuid]
    assert (gone.name, gone.reason, gone.job, gone.updated) == ("shutoff", None, None, False)
    connection.close()


def test_running_and_persistent_are_told_from_the_listing() -> None:
    pytest.importorskip("libvirt")
    connection = Connection("test:///default")
    connection._connect.createXML(
        "<domain type='test'><name>passing</name><memory>8192</memory><os><type>hvm</type></os></domain>"
    )
    connection._connect.defineXML(
        "<domain type='test'><name>off</name><memory>8192</memory><os><type>hvm</type></os></domain>"
    )
    assert [(one.name, one.running, one.persistent) for one in connection.domains()] == [
        ("off", False, True),
        ("passing", True, False),
        ("test", True, True),
    ]
    connection.close()
