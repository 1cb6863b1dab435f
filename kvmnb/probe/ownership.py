"""Who manages a domain, from what its XML shows and from the host's cluster."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from kvmnb.core.errors import KvmnbError
from kvmnb.facts.domain import Configuration
from kvmnb.facts.gap import Gap
from kvmnb.facts.ownership import ClusterResource, DomainOwner
from kvmnb.probe.reader import Reader, gap

if TYPE_CHECKING:
    from lxml.etree import _Element

# Pacemaker's own copy of the cluster's configuration.
CIB = "var/lib/pacemaker/cib/cib.xml"


@dataclass(frozen=True, slots=True)
class _Sign:
    """How a program shows in the XML that it writes."""

    name: str
    set_there: str
    namespaces: tuple[str, ...] = ()
    product: str | None = None
    description: str | None = None


# libosinfo's namespace is written by virt-manager, virt-install, Cockpit and GNOME Boxes, which leave a guest's
# XML to the person afterwards; so it is no sign of an owner.
_SIGNS = (
    _Sign(
        "OpenStack",
        "Nova writes this XML anew at each hard reboot, resize and migration: set it in the flavor's extra specs or "
        "the image's properties (hw:..., hw_...), or in nova.conf.",
        namespaces=("http://openstack.org/xmlns/libvirt/nova/",),
        product="OpenStack ",
    ),
    _Sign(
        "oVirt",
        "VDSM writes this XML anew at each start: set it in the engine, in the virtual machine's settings or as a "
        "custom property.",
        namespaces=("http://ovirt.org/",),
        product="oVirt Node",
    ),
    _Sign(
        "KubeVirt",
        "virt-launcher makes this XML from the cluster's object: set it in the spec of the VirtualMachine or its "
        "instance type.",
        namespaces=("http://kubevirt.io",),
    ),
    _Sign(
        "OpenNebula",
        "OpenNebula writes this XML anew at each start: set it in the virtual machine's template or in RAW/DATA.",
        namespaces=("http://opennebula.org/xmlns/libvirt/",),
    ),
    _Sign(
        "CloudStack",
        "The CloudStack agent writes this XML anew at each start: set it in the service offering, the virtual "
        "machine's details or the agent's settings.",
        product="CloudStack KVM Hypervisor",
    ),
    _Sign(
        "Terraform",
        "Terraform makes the domain anew where it differs from its plan: set it in the libvirt_domain resource.",
        namespaces=("https://terraform.io",),
    ),
    _Sign(
        "Vagrant",
        "`vagrant up` and `vagrant reload` change this domain: set it in the Vagrantfile, below libvirt.",
        description=r"Source: .*/Vagrantfile",
    ),
)


def owners_of(configuration: Configuration) -> tuple[DomainOwner, ...]:
    """The programs that this XML shows as its writers; most guests have none, some two."""
    tuning = configuration.tuning
    return tuple(
        DomainOwner(name=sign.name, evidence=evidence, set_there=sign.set_there)
        for sign in _SIGNS
        for evidence in list(_evidence(sign, tuning.metadata_namespaces, tuning.product, tuning.description))[:1]
    )


def _evidence(sign: _Sign, namespaces: Iterable[str], product: str | None, description: str | None) -> Iterator[str]:
    for namespace in namespaces:
        if namespace.startswith(sign.namespaces):
            yield f"its metadata has the namespace {namespace[:80]}"
    if sign.product is not None and (product or "").startswith(sign.product):
        yield f"its SMBIOS product is {(product or '')[:60]!r}"
    if sign.description is not None and re.fullmatch(sign.description, description or ""):
        yield "its description names a Vagrantfile"


def cluster_owner(name: str, resources: Iterable[ClusterResource]) -> DomainOwner | None:
    """The cluster resource that starts the guest of this name; None where there is none."""
    for resource in resources:
        if resource.domain == name:
            return DomainOwner(
                name="Pacemaker",
                evidence=f"the cluster's resource {resource.id[:60]!r} starts it from {resource.config[:200]}",
                set_there="Pacemaker starts the guest from that file, not from libvirt's own copy: change the XML "
                "there, on every node of the cluster.",
            )
    return None


def probe_cluster(read: Reader) -> tuple[ClusterResource, ...]:
    """The guests of the host's Pacemaker cluster; none where Pacemaker is not set up here."""
    fact = "cluster"
    text = read.text(CIB, fact, None)
    if text is None or isinstance(text, Gap):
        return cast(tuple[ClusterResource, ...], text or ())
    try:
        root = _parse(text)
    except KvmnbError as problem:
        return cast(tuple[ClusterResource, ...], gap(fact, f"/{CIB}: {problem}"))
    return tuple(_resources(root, read))


def _resources(root: _Element, read: Reader) -> Iterator[ClusterResource]:
    for primitive in root.iterfind("configuration/resources//primitive[@type='VirtualDomain']"):
        values = primitive.iterfind("instance_attributes/nvpair[@name='config']")
        config = next((one.get("value", "") for one in values), "")
        if config:
            yield ClusterResource(id=primitive.get("id", ""), config=config, domain=_name_in(config, read))


def _name_in(config: str, read: Reader) -> str:
    """The guest's name in a domain XML; the file's own name where that cannot be read.

    Only files below ``/etc`` are opened: others often lie on the cluster's storage, which may be dead.
    """
    stem = posixpath.basename(config).removesuffix(".xml")
    path = posixpath.normpath(config)
    text = read.text(path.lstrip("/"), "cluster", None) if path.startswith("/etc/") else None
    try:
        return (_parse(text).findtext("name") or "").strip() or stem if isinstance(text, str) else stem
    except KvmnbError:
        return stem


def _parse(text: str) -> _Element:
    from lxml import etree

    try:
        return etree.fromstring(
            text.encode(), etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
        )
    except (etree.XMLSyntaxError, ValueError) as problem:
        raise KvmnbError(f"this is not XML: {problem}") from problem
