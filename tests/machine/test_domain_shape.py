"""The shape of a domain, held against what libvirt itself prints and takes."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from typing import Any

import pytest

from kvmnb.core.errors import XmlError
from kvmnb.core.xml import Document, Element, Path, Reversal, edit, read, revert
from kvmnb.machine.domain_shape import DOMAIN
from tests.core.xml.corpora import domain_files, needs_corpora, tunings

DEVICES = """
<domain><devices>
  <disk><target dev='sda'/></disk>
  <interface><mac address='52:54:00:00:00:01'/><target dev='vnet0'/></interface>
  <interface><mac address='52:54:00:00:00:02'/></interface>
  <controller type='scsi' index='1'/><controller type='usb'/><controller type='scsi'/>
  <filesystem><target dir='share/one'/></filesystem>
  <hostdev/><hostdev><alias name='ua-gpu'/></hostdev><hostdev/>
  <memballoon/><video/>
</devices>
<cpu><numa><cell memory='1'/><cell memory='2'/></numa><feature name='x2apic'/></cpu>
<numatune><memnode cellid='1'/></numatune>
<cputune><vcpupin vcpu='3'/><iothreadpin iothread='1'/><vcpusched vcpus='0-1'/></cputune>
<memoryBacking><hugepages><page size='2048'/></hugepages></memoryBacking>
<clock><timer name='hpet'/></clock>
<vcpus><vcpu id='0'/></vcpus><iothreadids><iothread id='4'/></iothreadids>
<blkiotune><device><path>/dev/sda</path></device></blkiotune>
</domain>
"""


def test_every_element_has_its_path() -> None:
    root = Document.parse(DEVICES.strip()).root
    found = {str(DOMAIN.paths_of(element)[0]) for element in root.walk() if element.parent is not None}
    assert found >= {
        "devices/disk[sda]",
        "devices/interface[vnet0]",
        "devices/interface[52%3A54%3A00%3A00%3A00%3A02]",
        "devices/controller[scsi][1]",
        "devices/controller[usb][0]",
        "devices/filesystem[share%2Fone]",
        "devices/hostdev[0]",
        "devices/hostdev[1]",
        "devices/hostdev[ua-gpu]",
        "devices/memballoon",
        "devices/video",
        "cpu/numa/cell[0]",
        "cpu/numa/cell[1]",
        "cpu/feature[x2apic]",
        "numatune/memnode[1]",
        "cputune/vcpupin[3]",
        "cputune/iothreadpin[1]",
        "cputune/vcpusched[0-1]",
        "memoryBacking/hugepages/page[2048]",
        "clock/timer[hpet]",
        "vcpus/vcpu[0]",
        "iothreadids/iothread[4]",
        "blkiotune/device[%2Fdev%2Fsda]",
    }


def test_every_path_finds_its_element_again() -> None:
    document = Document.parse(DEVICES.strip())
    for element in document.root.walk():
        for path in DOMAIN.paths_of(element) if element.parent is not None else ():
            assert read(document, Path.parse(str(path)), DOMAIN) == element.raw


@needs_corpora
def test_paths_of_all_elements_of_all_domains_are_unambiguous_or_refused() -> None:
    refused = paths = 0
    for file in domain_files()[::5]:
        document = Document.parse(file.text)
        for element in document.root.walk():
            if element.parent is None or DOMAIN.tag(element) is None or _in_metadata(element):
                continue
            try:
                assert read(document, DOMAIN.paths_of(element)[0], DOMAIN) == element.raw, file.name
                paths += 1
            except XmlError:
                refused += 1
    assert paths > 7_000
    assert refused / paths < 0.01


def _in_metadata(element: Element) -> bool:
    above: Element | None = element
    while above is not None:
        if above.name == "metadata":
            return True
        above = above.parent
    return False


class Libvirt:
    """libvirt's ``test:`` driver, which reads and prints domain XML by the code that all drivers share."""

    def __init__(self) -> None:
        self._libvirt = pytest.importorskip("libvirt")
        self._libvirt.registerErrorHandler(lambda *_: None, None)
        self._connection = self._libvirt.open("test:///default")
        self._flags = self._libvirt.VIR_DOMAIN_XML_INACTIVE | self._libvirt.VIR_DOMAIN_XML_SECURE

    def close(self) -> None:
        self._connection.close()

    def printed(self, text: str) -> str | None:
        """The text as libvirt writes it anew, or None where it refuses it."""
        text = re.sub(r"""(<domain\b[^>]*?\btype\s*=\s*)(['"])\w+\2""", r"\1\2test\2", text, count=1)
        try:
            domain = self._connection.defineXML(text)
        except self._libvirt.libvirtError:
            return None
        try:
            printed: Any = domain.XMLDesc(self._flags)
            return str(printed)
        finally:
            domain.undefineFlags(0)


@pytest.fixture(scope="module")
def libvirt() -> Iterator[Libvirt]:
    judge = Libvirt()
    yield judge
    judge.close()


def printed_domains(libvirt: Libvirt) -> Iterator[str]:
    """Every domain of the corpora that libvirt takes, as it prints it."""
    count = 0
    for file in domain_files():
        printed = libvirt.printed(file.text)
        settled = libvirt.printed(printed) if printed is not None else None
        if settled is not None:
            count += 1
            yield settled
    assert count > 900


@needs_corpora
def test_orders_are_those_that_libvirt_prints(libvirt: Libvirt) -> None:
    unknown = set()
    for text in printed_domains(libvirt):
        for element in Document.parse(text).root.walk():
            order = DOMAIN.order_of(element) if element.namespace is None and not _in_metadata(element) else ()
            names = [DOMAIN.tag(child) or "" for child in element.children]
            unknown |= {(element.name, name) for name in names if order and name not in order}
            ranks = [order.index(name) for name in names if name in order]
            assert ranks == sorted(ranks), (element.name, names)
    assert unknown == set()


@needs_corpora
@pytest.mark.parametrize("step", [5, pytest.param(1, marks=pytest.mark.soak)])
def test_undo_leaves_what_libvirt_wrote_anew_as_it_was_but_for_the_tuning(libvirt: Libvirt, step: int) -> None:
    """Apply, define, attach a disk, undo, define: the tuning is gone and the disk is there."""
    disk = "<disk type='file' device='disk'><source file='/later'/><target dev='vdzz' bus='virtio'/></disk>\n"
    undone = refused = 0
    for before in itertools.islice(printed_domains(libvirt), 0, None, step):
        changes = [change for part in tunings(before).values() for change in part]
        edited = edit(before, changes, DOMAIN)
        defined = libvirt.printed(edited.text)
        if defined is None:
            refused += 1
            continue
        with_disk = libvirt.printed(defined.replace("  </devices>\n", disk + "  </devices>\n"))
        expected = libvirt.printed(before.replace("  </devices>\n", disk + "  </devices>\n"))
        if with_disk is None or expected is None:
            refused += 1
            continue
        assert "vdzz" in with_disk
        after = revert(with_disk, edited.reversal, DOMAIN)
        assert libvirt.printed(after) == expected
        assert edit(after, [], DOMAIN).reversal == Reversal()
        undone += 1
    assert undone > 800 // step
    assert refused < 150 // step


def test_tuning_defined_by_libvirt_is_taken_back_from_its_own_text(libvirt: Libvirt) -> None:
    before = libvirt.printed(
        "<domain type='test'><name>x</name><memory unit='KiB'>4194304</memory><vcpu>2</vcpu><os><type>hvm</type></os>"
        "<cpu mode='custom' match='exact' check='partial'><model fallback='forbid'>Westmere</model></cpu>"
        "<devices><memballoon model='virtio'><stats period='5'/></memballoon></devices></domain>"
    )
    assert before is not None
    changes: list[tuple[str, str | None]] = [
        ("cpu/@mode", "host-passthrough"),
        ("cpu/topology/@sockets", "1"),
        ("cpu/topology/@cores", "2"),
        ("cpu/topology/@threads", "1"),
        ("devices/memballoon/@model", "none"),
        ("iothreads/text()", "1"),
        ("memoryBacking/hugepages", "<hugepages><page size='2' unit='MiB'/></hugepages>"),
        ("cputune/emulatorpin/@cpuset", "0,1"),
    ]
    edited = edit(before, [(Path.parse(path), value) for path, value in changes], DOMAIN)
    defined = libvirt.printed(edited.text)
    assert defined is not None
    assert "Westmere" not in defined
    # The QEMU driver adds this by itself, and refuses it on any other CPU mode.
    assert defined.count("<cpu mode='host-passthrough'") == 1
    defined = defined.replace("<cpu mode='host-passthrough'", "<cpu migratable='on' mode='host-passthrough'")
    assert libvirt.printed(revert(defined, edited.reversal, DOMAIN)) == before
