"""What is left of a domain's XML tells of nobody, and is still a domain's XML."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from lxml import etree

from kvmnb.share.pseudonyms import Pseudonyms
from kvmnb.share.scrub import Scrub
from kvmnb.share.scrub_xml import _fields, scrub_xml
from tests.share.planting import Planter, planted_in

SCHEMA = Path("/usr/share/libvirt/schemas/domain.rng")
ARCHIVES = ("libvirt-qemuxmlconf", "projects", "users-licensed", "virt-manager")

RICH = """<domain type='kvm' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
  <name>payroll-db</name>
  <uuid>4dea22b3-1d52-d8f3-2516-782e98ab3fa0</uuid>
  <title>Payroll of Example Corp</title>
  <description>ask alice@example.org before a restart</description>
  <metadata>
    <nova:instance xmlns:nova="http://openstack.org/xmlns/libvirt/nova/1.1"><nova:name>payroll</nova:name></nova:instance>
    <libosinfo:libosinfo xmlns:libosinfo="http://libosinfo.org/xmlns/libvirt/domain/1.0">
      <libosinfo:os id="http://debian.org/debian/12"/>
    </libosinfo:libosinfo>
    <acme:owner xmlns:acme="http://acme.example/1">finance</acme:owner>
  </metadata>
  <memory unit='KiB'>4194304</memory>
  <vcpu placement='static' cpuset='0-3,8'>4</vcpu>
  <cputune><vcpupin vcpu='0' cpuset='4'/><emulatorpin cpuset='0-1'/></cputune>
  <sysinfo type='smbios'><system><entry name='serial'>SN-4711</entry></system></sysinfo>
  <os><type arch='x86_64' machine='pc-q35-7.2'>hvm</type>
    <kernel>/srv/boot/payroll.bin</kernel><cmdline>hugepages=4 secret=hunter2</cmdline></os>
  <cpu mode='custom'><model fallback='allow'>Skylake-Server-IBRS</model><feature policy='require' name='vmx'/></cpu>
  <devices>
    <emulator>/usr/bin/qemu-system-x86_64</emulator>
    <disk type='file' device='disk'><driver name='qemu' type='qcow2' cache='none' io='native'/>
      <source file='/var/lib/libvirt/images/payroll-db.qcow2'/><target dev='vda' bus='virtio'/>
      <serial>WD-XYZ</serial></disk>
    <disk type='network' device='disk'><driver name='qemu' type='raw'/>
      <auth username='payroll-user'><secret type='ceph' usage='payroll-secret'/></auth>
      <source protocol='rbd' name='payroll-pool/image'><host name='ceph1.example.org' port='6789'/></source>
      <target dev='vdb' bus='virtio'/></disk>
    <interface type='bridge'><mac address='52:54:00:12:34:56'/><source bridge='payroll-br'/>
      <target dev='vnet7'/><model type='virtio'/><driver name='vhost' queues='4'/></interface>
    <graphics type='vnc' port='5901' passwd='hunter2' listen='10.9.8.7'><listen type='address' address='10.9.8.7'/>
    </graphics>
  </devices>
  <qemu:commandline><qemu:arg value='-payroll'/></qemu:commandline>
</domain>
"""


def scrubbed(text: str, made: Pseudonyms | None = None) -> str:
    return scrub_xml(text, Scrub(made or Pseudonyms(b"a salt of the tests")))


@cache
def corpus(folder: Path) -> tuple[tuple[str, str], ...]:
    """Every well-formed domain XML of the corpora, by its name."""
    return tuple(_domains(folder / "domain-xml"))


def _domains(folder: Path) -> Iterator[tuple[str, str]]:
    parser = etree.XMLParser(resolve_entities=False, no_network=True)
    for archive in ARCHIVES:
        with tarfile.open(folder / f"{archive}.tar.xz") as tar:
            for member in tar:
                content = tar.extractfile(member) if member.name.endswith(".xml") else None
                if content is None:
                    continue
                try:
                    text = content.read().decode()
                    if etree.fromstring(text.encode(), parser).tag == "domain":
                        yield member.name, text
                except (UnicodeDecodeError, etree.XMLSyntaxError):
                    continue


def test_what_tuning_needs_stays_and_what_names_somebody_goes() -> None:
    out = scrubbed(RICH)
    root = etree.fromstring(out)
    assert root.find("vcpu").attrib == {"placement": "static", "cpuset": "0-3,8"}  # type: ignore[union-attr]
    assert root.find("os/type").attrib == {"arch": "x86_64", "machine": "pc-q35-7.2"}  # type: ignore[union-attr]
    assert root.findtext("cpu/model") == "Skylake-Server-IBRS"
    assert root.findtext("devices/emulator") == "/usr/bin/qemu-system-x86_64"
    assert root.findtext("os/cmdline") == "hugepages=4 kvmnb.dropped"
    assert [one.get("dev") for one in root.findall("devices/disk/target")] == ["vda", "vdb"]
    driver = root.find("devices/disk/driver")
    assert driver is not None
    assert [driver.get(key) for key in ("name", "type", "cache", "io")] == ["qemu", "qcow2", "none", "native"]
    image = root.find("devices/disk/source")
    assert image is not None and str(image.get("file")).startswith("/var/lib/libvirt/images/x")
    assert str(image.get("file")).endswith(".qcow2")
    assert root.find("metadata/{*}libosinfo/{*}os") is not None
    assert root.find("metadata/{http://openstack.org/xmlns/libvirt/nova/1.1}instance") is not None
    for original in (
        "payroll", "alice", "example", "4dea22b3", "hunter2", "finance", "acme", "SN-4711", "WD-XYZ", "ceph1",
        "52:54:00", "10.9.8.7", "srv/boot/payroll",
    ):  # fmt: skip
        assert original.lower() not in out.lower(), original


def test_who_owns_a_guest_stays_known() -> None:
    """Ownership is told by programs' own words, which are no names of anybody."""
    told = RICH.replace("ask alice@example.org before a restart", "Source: /srv/alice/payroll/Vagrantfile")
    told = told.replace("<entry name='serial'>SN-4711</entry>", "<entry name='product'>OpenStack Nova</entry>")
    root = etree.fromstring(scrubbed(told))
    assert root.findtext("description") == "Source: /Vagrantfile"
    assert root.findtext("sysinfo/system/entry") == "OpenStack Nova"
    assert root.find("metadata/{http://openstack.org/xmlns/libvirt/nova/1.1}instance") is not None


def test_the_same_original_has_the_same_stand_in_everywhere() -> None:
    root = etree.fromstring(scrubbed(RICH.replace("payroll-br", "payroll-db")))
    name = root.findtext("name")
    image = root.find("devices/disk/source")
    bridge = root.find("devices/interface/source")
    assert image is not None and bridge is not None
    assert image.get("file") == f"/var/lib/libvirt/images/{name}.qcow2"
    assert bridge.get("bridge") == name
    assert etree.fromstring(scrub_xml(RICH, Scrub(Pseudonyms(b"another salt")))).findtext("name") != name


def test_scrubbing_the_corpora_keeps_what_the_schema_allows(corpora: Path) -> None:
    if not SCHEMA.is_file():
        pytest.skip("libvirt's schemas are not installed")
    schema = etree.RelaxNG(etree.parse(str(SCHEMA)))
    valid = 0
    for name, text in corpus(corpora):
        if schema.validate(etree.fromstring(text.encode())):
            valid += 1
            out = scrubbed(text)
            assert schema.validate(etree.fromstring(out)), (name, schema.error_log.last_error)
    assert valid > 900


def test_originals_planted_in_every_field_of_the_corpora_do_not_survive(corpora: Path) -> None:
    read = planted = 0
    for name, text in corpus(corpora):
        plant = Planter()
        root = etree.fromstring(text.encode())
        for element in root.iter():
            if not isinstance(element.tag, str):
                element.text = plant()
                continue
            if len(element) == 0 or (element.text or "").strip():
                element.text = plant()
            for key in element.attrib:
                element.set(key, plant())
            if element.tail and element.tail.strip():
                element.tail = plant()
        root.append(etree.Comment(plant()))
        out = scrubbed(etree.tostring(root, encoding="unicode"))
        assert not planted_in(out), name
        read += 1
        planted += plant.planted
    assert read > 1000
    assert planted > 50_000


@pytest.mark.skipif(not SCHEMA.is_file(), reason="libvirt's schemas are not installed")
def test_no_field_that_is_kept_is_one_that_holds_names() -> None:
    named = {
        "uuid",
        "address",
        "serial",
        "title",
        "description",
        "passwd",
        "username",
        "usage",
        "secret",
        "path",
        "file",
    }
    for element, keys in _fields().items():
        if element not in ("source", "cid", "interface/source", "secret"):
            assert named.isdisjoint(keys), element
    for free in ("domain/name", "name", "uuid", "domain/title", "description", "mac", "emulator", "loader"):
        assert "#" not in _fields().get(free, frozenset()), free
