"""What libvirt takes without a word and drops or alters is never called done; what it refuses changes nothing.

One test for each trap of docs/silent-traps.md that a real libvirtd can show; libvirt 9.0 and 11.3 behave so.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import libvirt
import pytest

from kvmnb.apply.run import apply_plan, undo_plan
from kvmnb.core.errors import KvmnbError, WriteFailed
from kvmnb.machine.machine import Machine
from kvmnb.plan.build import build
from kvmnb.tunable.domain_xml import DomainXml, define, edited
from kvmnb.tunable.tunable import State, Want
from kvmnb.verbs import open_machine
from tests.findings import a_finding
from tests.lab.daemon import Lab
from tests.lab.domain import disk_xml, domain_xml

pytestmark = pytest.mark.lab

CARD = "<interface type='user'><mac address='52:54:00:00:00:0{}'/><model type='{}'/></interface>"
VIRTIO = "devices/interface[52%3A54%3A00%3A00%3A00%3A01]"
E1000 = "devices/interface[52%3A54%3A00%3A00%3A00%3A02]"
CELL = "<cell id='{}' cpus='{}' memory='{}' unit='KiB'/>"
MIB = 1024


def cells(*each: tuple[str, int]) -> dict[str, str | None]:
    """Guest NUMA cells: vCPUs and MiB of each."""
    made = "".join(CELL.format(number, cpus, mib * MIB) for number, (cpus, mib) in enumerate(each))
    return {"cpu/numa": f"<numa>{made}</numa>"}


class Defined:
    """A domain that is defined and does not run."""

    def __init__(self, lab: Lab, machine: Machine) -> None:
        self.machine = machine
        devices = (
            disk_xml(lab.root / "none.img"),
            disk_xml(lab.root / "none2.img", target="sda", bus="scsi"),
            CARD.format(1, "virtio"),
            CARD.format(2, "e1000"),
        )
        text = domain_xml(f"trap-{lab.tag}", lab.root, vcpus=4, memory_mib=128, devices=devices)
        connection = lab.connect()
        self.domain: Any = connection.defineXMLFlags(text, libvirt.VIR_DOMAIN_DEFINE_VALIDATE)
        self.name, self.uuid = self.domain.name(), self.domain.UUIDString()
        # libvirt sorts the controllers that it added itself only when it reads them again.
        connection.defineXMLFlags(self.xml(), libvirt.VIR_DOMAIN_DEFINE_VALIDATE)

    def xml(self) -> str:
        return str(self.domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE | libvirt.VIR_DOMAIN_XML_SECURE))

    def tunable(self, path: str) -> DomainXml:
        return DomainXml(self.name, self.uuid, path)

    def define(self, changes: dict[str, str | None]) -> None:
        values = [(self.tunable(path), value) for path, value in changes.items()]
        define(self.machine, self.uuid, edited(self.xml(), values).text)


@pytest.fixture
def machine(lab: Lab) -> Iterator[Machine]:
    opened = open_machine(uri=lab.uri)
    yield opened
    opened.close()


@pytest.fixture
def defined(lab: Lab, machine: Machine) -> Iterator[Defined]:
    one = Defined(lab, machine)
    yield one
    one.domain.undefine()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"cputune/vcpupin[9]/@cpuset": "0"}, "cputune is gone"),
        (cells(("0-1", 32), ("2-3", 32)), "memory is '65536', not '131072'"),
        (cells(("0", 64), ("2", 64)), r"cell\[0\]/@cpus is '0-1,3', not '0'"),
        (
            {"memoryBacking/hugepages": "<hugepages><page size='2048' unit='KiB' nodeset='0'/></hugepages>"},
            r"page\[2048\]/@nodeset \('0'\) is gone",
        ),
        ({f"{E1000}/driver/@queues": "4"}, "driver is gone"),
        ({"cpu": None}, ""),
    ],
    ids=["absent vCPU", "cells below memory", "cells leave vCPUs", "page without cells", "queues of e1000", "no cpu"],
)
def test_what_libvirt_drops_or_alters_is_put_back_and_told(
    defined: Defined, changes: dict[str, str | None], said: str
) -> None:
    if said:
        before = defined.xml()
        with pytest.raises(WriteFailed, match=said):
            defined.define(changes)
        assert defined.xml() == before
    else:
        # libvirt stores its default, qemu64, for a guest without a <cpu>: the read-back of the plan tells.
        defined.define(changes)
        assert defined.tunable("cpu").verify(defined.machine, None).state is State.DIFFERS
        assert "qemu64" in defined.xml()


@pytest.mark.parametrize(
    "changes",
    [
        {"devices/disk[vda]/driver": "<driver name='qemu' type='raw'><mapping vq='1'/></driver>"},
        {"memoryBacking/hugepages": "<hugepages><page size='2048' unit='KiB' nodeset='1'/></hugepages>"},
        {"devices/disk[vda]/driver/@io": "native"},
        {"devices/disk[sda]/driver/@iothread": "1", "iothreads/text()": "1"},
        {"numatune/memnode[0]": "<memnode cellid='0' mode='strict' nodeset='0'/>"},
        {"cpu/topology": "<topology sockets='1' cores='3' threads='1'/>"},
        {"features/hyperv/@mode": "host-model"},
    ],
    ids=["unknown element", "page node 1", "io alone", "scsi iothread", "memnode", "topology", "hyperv host-model"],
)
def test_what_libvirt_refuses_changes_nothing_and_its_word_is_told(
    defined: Defined, changes: dict[str, str | None]
) -> None:
    before = defined.xml()
    with pytest.raises(KvmnbError, match="defining the edited XML at qemu"):
        defined.define(changes)
    assert defined.xml() == before


def test_a_plan_with_a_setting_that_is_dropped_is_rolled_back_as_a_whole(
    defined: Defined, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    before = defined.xml()
    uuid = "0e4a6f3c-5d2b-4a1e-9c8d-7b6a59483726"
    wants = (Want(defined.tunable("memoryBacking/nosharepages"), "<nosharepages/>"),
             Want(defined.tunable(f"{E1000}/driver/@queues"), "4"))  # fmt: skip
    plan = build([a_finding(*wants)], defined.machine, uuid)
    with pytest.raises(KvmnbError, match="all that the plan had changed was taken back"):
        apply_plan(plan, defined.machine, uuid)
    assert defined.xml() == before


def test_undo_takes_the_tuning_and_leaves_a_disk_that_was_attached_meanwhile(
    lab: Lab, defined: Defined, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    before = defined.xml()
    uuid = "0e4a6f3c-5d2b-4a1e-9c8d-7b6a59483726"
    wants = (
        Want(defined.tunable("devices/disk[vda]/driver/@cache"), "none"),
        Want(defined.tunable("devices/disk[vda]/driver/@io"), "native"),
        Want(defined.tunable("cputune/vcpupin[0]/@cpuset"), "1"),
        Want(defined.tunable("memoryBacking/nosharepages"), "<nosharepages/>"),
    )
    journal = apply_plan(build([a_finding(*wants)], defined.machine, uuid), defined.machine, uuid)
    assert build([a_finding(*wants)], defined.machine, uuid).changes == ()
    disk = str(lab.root / "more.img")
    subprocess.run(
        ["virsh", "-c", lab.uri, "attach-disk", defined.name, disk, "vdz", "--targetbus", "virtio", "--config"],
        check=True, capture_output=True, timeout=60,
    )  # fmt: skip
    assert disk in defined.xml()
    undo_plan(journal, defined.machine, uuid)
    assert disk in defined.xml()
    subprocess.run(
        ["virsh", "-c", lab.uri, "detach-disk", defined.name, "vdz", "--config"],
        check=True, capture_output=True, timeout=60,
    )  # fmt: skip
    assert defined.xml() == before
