from __future__ import annotations

from pathlib import Path

import pytest

from kvmnb.facts.gap import Gap
from kvmnb.facts.ownership import ClusterResource
from kvmnb.machine.files import Files
from kvmnb.probe.ownership import cluster_owner, owners_of, probe_cluster
from kvmnb.probe.reader import Reader
from tests.core.xml.corpora import domain_files, needs_corpora
from tests.probe.whole_domain import read

CIB = """\
<cib crm_feature_set="3.19.0">
  <configuration>
    <resources>
      <primitive id="vm-db" class="ocf" provider="heartbeat" type="VirtualDomain">
        <instance_attributes id="a">
          <nvpair id="b" name="config" value="/etc/pacemaker/database.xml"/>
        </instance_attributes>
      </primitive>
      <group id="g">
        <primitive id="vm-web" class="ocf" provider="heartbeat" type="VirtualDomain">
          <instance_attributes id="c">
            <nvpair id="d" name="hypervisor" value="qemu:///system"/>
            <nvpair id="e" name="config" value="/srv/cluster/web.xml"/>
          </instance_attributes>
        </primitive>
      </group>
      <primitive id="ip" class="ocf" provider="heartbeat" type="IPaddr2"/>
      <primitive id="odd" class="ocf" provider="heartbeat" type="VirtualDomain"/>
    </resources>
  </configuration>
</cib>
"""


def owners(inside: str) -> list[str]:
    return [one.name for one in owners_of(read(f"<domain><name>a</name><memory>1</memory>{inside}</domain>"))]


@pytest.mark.parametrize(
    ("inside", "names"),
    [
        ("", []),
        ("<metadata><n:instance xmlns:n='http://openstack.org/xmlns/libvirt/nova/1.1'/></metadata>", ["OpenStack"]),
        ("<metadata><o:qos xmlns:o='http://ovirt.org/vm/tune/1.0'/></metadata>", ["oVirt"]),
        ("<metadata><kubevirt xmlns='http://kubevirt.io'><uid/></kubevirt></metadata>", ["KubeVirt"]),
        ("<metadata><one:vm xmlns:one='http://opennebula.org/xmlns/libvirt/1.0'/></metadata>", ["OpenNebula"]),
        ("<metadata><instance xmlns='https://terraform.io'/></metadata>", ["Terraform"]),
        ("<description>Source: /srv/project/Vagrantfile</description>", ["Vagrant"]),
        ("<sysinfo><system><entry name='product'>OpenStack Nova</entry></system></sysinfo>", ["OpenStack"]),
        ("<sysinfo><system><entry name='product'>CloudStack KVM Hypervisor</entry></system></sysinfo>", ["CloudStack"]),
        ("<metadata><l:libosinfo xmlns:l='http://libosinfo.org/xmlns/libvirt/domain/1.0'/></metadata>", []),
        ("<metadata><k:a xmlns:k='http://kubevirt.example'/></metadata>", []),
        ("<description>Made with a Vagrantfile, once</description>", []),
        ("<sysinfo><system><entry name='vendor'>OpenStack Nova</entry></system></sysinfo>", []),
    ],
)
def test_an_owner_shows_in_the_xml_it_writes(inside: str, names: list[str]) -> None:
    assert owners(inside) == names


def test_an_owner_says_how_it_shows_and_where_to_set_things() -> None:
    (owner,) = owners_of(
        read("<domain><name>a</name><memory>1</memory><metadata><k xmlns='http://kubevirt.io'/></metadata></domain>")
    )
    assert owner.evidence == "its metadata has the namespace http://kubevirt.io"
    assert "VirtualMachine" in owner.set_there


@needs_corpora
def test_the_owners_of_the_corpora_are_their_projects() -> None:
    found: dict[str, dict[str, int]] = {}
    for file in domain_files():
        for owner in owners_of(read(file.text)):
            project = file.name.split("/")[1] if file.name.startswith("projects/") else file.name
            found.setdefault(project, {}).setdefault(owner.name, 0)
            found[project][owner.name] += 1
    assert found == {
        "kubevirt+kubevirt": {"KubeVirt": 3},
        "oVirt+vdsm": {"oVirt": 10},
        "vagrant-libvirt+vagrant-libvirt": {"Vagrant": 12},
    }


def put_cib(root: Path, text: str) -> Reader:
    path = root / "var/lib/pacemaker/cib/cib.xml"
    path.parent.mkdir(parents=True)
    path.write_text(text, encoding="utf-8")
    return Reader(Files(root))


def test_the_guests_of_the_cluster_are_found_wherever_they_stand(tmp_path: Path) -> None:
    (tmp_path / "etc/pacemaker").mkdir(parents=True)
    (tmp_path / "etc/pacemaker/database.xml").write_text("<domain><name>db</name></domain>", encoding="utf-8")
    resources = probe_cluster(put_cib(tmp_path, CIB))
    assert resources == (
        ClusterResource(id="vm-db", config="/etc/pacemaker/database.xml", domain="db"),
        ClusterResource(id="vm-web", config="/srv/cluster/web.xml", domain="web"),
    )
    owner = cluster_owner("web", resources)
    assert owner is not None
    assert owner.evidence == "the cluster's resource 'vm-web' starts it from /srv/cluster/web.xml"
    assert cluster_owner("database", resources) is None


@pytest.mark.parametrize("broken", ["", "<domain>", "<other/>", "\0\0"])
def test_a_guests_xml_that_cannot_be_read_leaves_the_files_name(broken: str, tmp_path: Path) -> None:
    (tmp_path / "etc/pacemaker").mkdir(parents=True)
    (tmp_path / "etc/pacemaker/database.xml").write_text(broken, encoding="utf-8")
    assert probe_cluster(put_cib(tmp_path, CIB))[0].domain == "database"


def test_a_path_that_leads_elsewhere_is_not_opened(tmp_path: Path) -> None:
    hostile = CIB.replace("/etc/pacemaker/database.xml", "/etc/../../../etc/passwd")
    assert probe_cluster(put_cib(tmp_path, hostile))[0].domain == "passwd"


def test_a_host_without_pacemaker_has_no_cluster(tmp_path: Path) -> None:
    (tmp_path / "proc").mkdir()
    assert probe_cluster(Reader(Files(tmp_path))) == ()


@pytest.mark.parametrize("text", ["", "<cib>", "<!DOCTYPE cib [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><cib>&e;</cib"])
def test_a_broken_cluster_configuration_is_a_gap(text: str, tmp_path: Path) -> None:
    found = probe_cluster(put_cib(tmp_path, text))
    assert isinstance(found, Gap)
    assert "this is not XML" in found.reason
