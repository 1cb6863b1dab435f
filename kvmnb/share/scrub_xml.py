"""libvirt's XML with everything replaced that could tell of somebody; what is left still fits libvirt's schema.

``fields.txt`` names each element of the schema, below which parent where that matters, with the attributes
(``#`` for the text) that hold nothing but numbers and fixed words. All else becomes a stand-in of the same
shape, and what the schema does not know is left out.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from kvmnb.core.errors import XmlError
from kvmnb.share.scrub import Scrub
from kvmnb.share.texts import cmdline
from kvmnb.share.vocabulary import DEVICE, all_known

if TYPE_CHECKING:
    from lxml.etree import _Element

# The schema lets these hold any text, and libvirt and QEMU give their words; kept where all words are known.
_WORDS = frozenset(
    {
        ("os", "type", "#"),
        ("os", "type", "machine"),
        ("cpu", "model", "#"),
        ("cpu", "vendor", "#"),
        ("cpu", "feature", "name"),
        ("mode", "model", "#"),
        ("mode", "model", "usable"),
        ("mode", "model", "vendor"),
        ("mode", "model", "canonical"),
        ("mode", "model", "deprecated"),
        ("mode", "vendor", "#"),
        ("mode", "feature", "name"),
        ("cpu", "counter", "name"),
        ("monitor", "feature", "name"),
        ("interface", "model", "type"),
        ("disk", "driver", "name"),
        ("channel", "target", "name"),
        ("channel", "target", "state"),
        ("domain", "seclabel", "model"),
        ("source", "seclabel", "model"),
        ("encryption", "cipher", "name"),
        ("encryption", "cipher", "mode"),
        ("encryption", "cipher", "hash"),
        ("encryption", "ivgen", "name"),
        ("encryption", "ivgen", "hash"),
        ("arch", "machine", "#"),
        ("arch", "machine", "canonical"),
        ("domain", "machine", "#"),
        ("domain", "machine", "canonical"),
        ("secmodel", "model", "#"),
        ("secmodel", "baselabel", "type"),
        ("secmodel", "doi", "#"),
        ("domainCapabilities", "arch", "#"),
        ("domainCapabilities", "domain", "#"),
        ("domainCapabilities", "machine", "#"),
        ("enum", "value", "#"),
        ("*", "enum", "name"),
        ("loader", "value", "#"),
        ("source", "snapshot", "name"),
        ("cpu", "model", "vendor_id"),
        ("mode", "model", "vendor_id"),
        ("input", "source", "grab"),
        ("input", "source", "grabToggle"),
        ("input", "source", "repeat"),
        ("*", "target", "port"),
        ("*", "source", "mode"),
    }
)
# Names of devices: they stay where the kernel gives them by itself.
_DEVICES = frozenset(
    {
        ("interface", "source", "bridge"),
        ("interface", "source", "dev"),
        ("interface", "target", "dev"),
        ("interface", "portForward", "dev"),
        ("source", "interface", "#"),
    }
)
_MAPPED_NETWORKS = frozenset({"default"})
_ALIAS = re.compile(
    r"(?:virtio-disk|scsi|ide|sata|usb|fdc|pci|net|vnet|serial|console|channel|virtio-serial|input|video|sound|balloon|rng|watchdog|hostdev"
    r"|redir|tpm|ccid|smartcard|char|shmem|mem|dimm|nvdimm|vsock|iommu|fs|audio|virtioscsi|parallel|panic|hub|memory|ua-\d+|mb|vgpu|pcie)[\d:.-]*"
)
# Left out whole: free text, what only programs of their own read, secrets.
_LEFT_OUT = frozenset(
    {"title", "description", "sysinfo", "wwn", "auth", "cookies", "dhCert", "session", "datacenterpath", "loadparm"}
)
_LEFT_OUT_BELOW = frozenset({("disk", "vendor"), ("disk", "product")})
_LEFT_OUT_ATTRIBUTES = frozenset({"passwd", "passwdValidTo", "passwordValidTo", "loadparm"})
# A namespace in the metadata tells who owns a guest; its element stays, empty.
_OWNERS = re.compile(
    r"https?://(?:terraform\.io|openstack\.org/xmlns/libvirt/nova/1\.\d|ovirt\.org/vm(?:/tune)?/1\.0|kubevirt\.io|opennebula\.org/xmlns/libvirt/1\.0|cockpit-project\.org/machines"
    r"|libosinfo\.org/xmlns/libvirt/domain/1\.0|virt-manager\.org/libvirt/metadata)"
)
_PRODUCTS = re.compile(r"OpenStack (?:Nova|Compute)|oVirt Node|CloudStack KVM Hypervisor")
_OWNER_ELEMENTS = frozenset({"instance", "vm", "qos", "libosinfo", "data", "metadata", "app", "kubevirt"})
_OSINFO = "{http://libosinfo.org/xmlns/libvirt/domain/1.0}"
_XMLNS = re.compile(r"\{([^}]*)\}(.*)")


def scrub_xml(text: str, scrub: Scrub) -> str:
    """One of libvirt's XML texts, scrubbed; XmlError where it is none."""
    from lxml import etree

    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True, remove_pis=True, strip_cdata=True
    )
    try:
        root = etree.fromstring(text.encode(), parser)
    except etree.XMLSyntaxError as problem:
        raise XmlError(f"scrubbing an XML text of libvirt: {problem}") from problem
    _comments(text, scrub)
    _element(root, "", scrub)
    etree.cleanup_namespaces(root)
    etree.indent(root)
    text = etree.tostring(root, encoding="unicode")
    return text + "\n"


def _element(element: _Element, parent: str, scrub: Scrub) -> bool:
    """Scrub an element in place; whether it may stay."""
    name = str(element.tag)
    field = f"{parent}/{name}" if parent else name
    if parent == "domain" and name in ("sysinfo", "description"):
        return _owner_signs(element, name, scrub)
    if name not in _known_elements() or name in _LEFT_OUT or (parent, name) in _LEFT_OUT_BELOW:
        _forget(element, field, scrub)
        return False
    if name == "metadata":
        _metadata(element, scrub)
        return True
    for key, value in list(element.attrib.items()):
        _attribute(element, parent, str(key), str(value), scrub)
    for child in list(element):
        if not isinstance(child.tag, str) or not _element(child, name, scrub):
            element.remove(child)
        else:
            _drop_text(child.tail, field, scrub)
            child.tail = None
    if len(element):
        _drop_text(element.text, field, scrub)
        element.text = None
    elif element.text and element.text.strip():
        element.text = _value(parent, name, "#", element.text.strip(), scrub)
    return True


def _attribute(element: _Element, parent: str, key: str, value: str, scrub: Scrub) -> None:
    name = str(element.tag)
    if key in _LEFT_OUT_ATTRIBUTES or key.startswith("{"):
        scrub.made.drop(value, f"{parent}/{name}@{key}")
        del element.attrib[key]
    else:
        element.set(key, _value(parent, name, key, value, scrub))


def _value(parent: str, name: str, key: str, value: str, scrub: Scrub) -> str:
    """What stands for the value of an attribute, or for an element's text."""
    field = f"{parent}/{name}@{key}"
    if key in _fields().get(f"{parent}/{name}", ()) or key in _fields().get(name, ()):
        return scrub.kept(value, field)
    if not {(parent, name, key), ("*", name, key)}.isdisjoint(_WORDS):
        if value.startswith("/"):
            return scrub.path(value, field)
        kept = scrub.kept(value, field)
        # The schema wants twelve characters.
        return kept if key != "vendor_id" or kept == value else f"{kept}0"
    if (parent, name, key) in _DEVICES:
        return scrub.name(value, field)
    if (name, key) == ("alias", "name") and _ALIAS.fullmatch(value):
        return value
    if (name, key) == ("source", "network") and value in _MAPPED_NETWORKS:
        return value
    if (parent, name) == ("os", "cmdline"):
        return (cmdline(scrub, value, field) or "").strip()
    if name == "hostdev" and key == "name":
        return scrub.made.name(value, field)
    if (name, key) == ("target", "dev") and DEVICE.fullmatch(value):
        return value
    if key in ("port", "service", "channel") and re.fullmatch(r"\d{1,5}", value):
        return value
    if key == "wwpn" and value.startswith("naa."):
        return f"naa.{scrub.made.hexadecimal(value, field, 16)}"
    if (name, key) == ("clock", "timezone"):
        return "UTC" if value == "UTC" else scrub.made.name(value, field)
    if (name, key) == ("adapter", "name") and re.fullmatch(r"scsi_host\d+", value):
        return value
    return scrub.shaped(value, field)


def _metadata(element: _Element, scrub: Scrub) -> None:
    """Keep who owns the guest and which system it is said to run, drop all else."""
    from lxml import etree

    _drop_text(element.text, "metadata", scrub)
    element.text = None
    for child in list(element):
        match = _XMLNS.fullmatch(str(child.tag)) if isinstance(child.tag, str) else None
        systems = [str(one.get("id")) for one in child.iter(_OSINFO + "os") if one.get("id")]
        _forget(child, "metadata", scrub, spare=frozenset(one for one in systems if all_known(one)))
        tail, child.tail = child.tail, None
        _drop_text(tail, "metadata", scrub)
        if match is None or not _OWNERS.fullmatch(match[1]) or match[2] not in _OWNER_ELEMENTS:
            element.remove(child)
            continue
        child.clear()
        for system in systems:
            if all_known(system):
                etree.SubElement(child, _OSINFO + "os").set("id", system)


def _owner_signs(element: _Element, name: str, scrub: Scrub) -> bool:
    """Keep, of the system information and the description, the words that tell which program owns the guest."""
    from lxml import etree

    product = str(element.findtext("system/entry[@name='product']") or "").strip()
    vagrant = name == "description" and re.search(r"Source: .*/Vagrantfile", element.text or "")
    _forget(element, f"domain/{name}", scrub, spare=frozenset({"product"}))
    element.clear()
    if vagrant:
        element.text = "Source: /Vagrantfile"
    elif name == "sysinfo" and _PRODUCTS.fullmatch(product):
        element.set("type", "smbios")
        entry = etree.SubElement(etree.SubElement(element, "system"), "entry", name="product")
        entry.text = product
    return bool(vagrant) or len(element) > 0


def _forget(element: _Element, field: str, scrub: Scrub, spare: frozenset[str] = frozenset()) -> None:
    """Remember every text of an element that is left out."""
    for one in element.iter():
        if isinstance(one.tag, str):
            _drop_text(one.text, field, scrub)
            for key, value in one.attrib.items():
                if value not in spare:
                    scrub.made.drop(str(value), f"{field}@{key!s}")
        if one is not element:
            _drop_text(one.tail, field, scrub)


def _drop_text(text: str | None, field: str, scrub: Scrub) -> None:
    if text and text.strip():
        scrub.made.drop(text.strip(), field)


def _comments(text: str, scrub: Scrub) -> None:
    for match in re.finditer(r"<!--(.*?)-->", text, re.DOTALL):
        scrub.made.drop(match[1], "comment")


@cache
def _fields() -> dict[str, frozenset[str]]:
    lines = files("kvmnb.share").joinpath("fields.txt").read_text("utf-8").splitlines()
    pairs = (line.partition(":") for line in lines)
    return {name: frozenset(keys.split()) for name, _, keys in pairs}


@cache
def _known_elements() -> frozenset[str]:
    return frozenset(name.rpartition("/")[2] for name in _fields())
