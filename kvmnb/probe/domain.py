"""Domains, from their XML."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar, cast

from kvmnb.core.cpuset import CpuSet
from kvmnb.core.errors import KvmnbError
from kvmnb.core.units import parse_size
from kvmnb.facts.domain import (
    Configuration,
    CpuModel,
    Domain,
    IothreadPin,
    MemoryBacking,
    MemoryNode,
    NumaCell,
    NumaTune,
    Topology,
    VcpuPin,
)
from kvmnb.facts.gap import Gap
from kvmnb.machine.hypervisor import DomainRecord, Hypervisor, Layer
from kvmnb.probe.device import read_devices
from kvmnb.probe.tuning import read_tuning

if TYPE_CHECKING:
    from lxml.etree import _Element

T = TypeVar("T")

_OSINFO = "{http://libosinfo.org/xmlns/libvirt/domain/1.0}os"
# A domain XML of a thousand devices is under 1 MiB.
MAX_XML_BYTES = 8 * 1024**2


def probe_domain(hypervisor: Hypervisor, record: DomainRecord) -> Domain:
    """One domain's facts; a configuration that cannot be read or understood is a gap."""
    fact = f"domains[{record.name}]"
    return Domain(
        uuid=record.uuid,
        name=record.name,
        running=record.running,
        persistent=record.persistent,
        inactive=_configuration(hypervisor, record, Layer.PERSISTENT, fact) if record.persistent else None,
        live=_configuration(hypervisor, record, Layer.LIVE, fact) if record.running else None,
    )


def domain_of_text(xml: str, name: str) -> Domain:
    """The facts of one domain XML that stands alone, as a shut-off domain; KvmnbError where it is none.

    ``name`` names the text's source in errors, and the domain where the XML has no name.
    """
    root = parse_root(xml, name)
    written = (root.findtext("name") or "").strip()
    return Domain(
        uuid=(root.findtext("uuid") or "").strip().lower(),
        name=written or name,
        running=False,
        persistent=True,
        inactive=read_configuration(root, f"domains[{written or name}]"),
        live=None,
    )


def parse_root(xml: str, name: str) -> _Element:
    """The ``domain`` element of a text; KvmnbError where it is none."""
    from lxml import etree

    if len(xml) > MAX_XML_BYTES:
        raise KvmnbError(f"{name}: the XML is larger than {MAX_XML_BYTES // 1024**2} MiB and was not read")
    if "<!DOCTYPE" in xml[: xml.find("<domain") + 1 or None]:
        raise KvmnbError(f"{name}: the XML has a DOCTYPE, which libvirt's XML never has; it was not read")
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(xml.encode(), parser)
    except etree.XMLSyntaxError as problem:
        raise KvmnbError(f"{name}: this is not XML: {problem}") from problem
    if root.tag != "domain":
        raise KvmnbError(f"{name}: the XML is a <{str(root.tag)[:40]}>, not a libvirt <domain>")
    return root


def _configuration(hypervisor: Hypervisor, record: DomainRecord, layer: Layer, fact: str) -> Configuration:
    try:
        root = parse_root(hypervisor.xml(record.uuid, layer), record.name)
    except KvmnbError as problem:
        return cast(Configuration, Gap(f"{fact}.{layer.value}", str(problem)))
    return read_configuration(root, f"{fact}.{layer.value}")


def read_configuration(root: _Element, fact: str) -> Configuration:
    """One configuration from its root element."""
    vcpu = _Reader(root.find("vcpu"), f"{fact}.vcpus")
    cputune = root.find("cputune")
    vcpus = vcpu.text(_count, 1)
    osinfo = root.find(f"metadata//{_OSINFO}")
    return Configuration(
        virt_type=root.get("type", ""),
        arch=_Reader(root.find("os/type"), fact).attribute("arch", str, None),
        machine=_Reader(root.find("os/type"), fact).attribute("machine", str, None),
        os_id=osinfo.get("id") if osinfo is not None else None,
        hyperv=root.find("features/hyperv") is not None,
        vcpus=vcpus,
        vcpus_current=vcpu.attribute("current", _count, vcpus),
        vcpu_cpus=vcpu.attribute("cpuset", CpuSet.parse, None),
        vcpu_placement=vcpu.attribute("placement", str, "static"),
        memory_bytes=_size(root.find("memory"), f"{fact}.memory_bytes"),
        memory_modules_bytes=_sum(
            [_size(size, f"{fact}.memory_modules_bytes") for size in root.findall("devices/memory/target/size")]
        ),
        cpu=_cpu(root.find("cpu"), f"{fact}.cpu"),
        iothreads=_Reader(root.find("iothreads"), f"{fact}.iothreads").text(_count, 0),
        vcpu_pins=tuple(
            VcpuPin(vcpu=one.attribute("vcpu", _count), cpus=one.attribute("cpuset", CpuSet.parse))
            for one in _each(cputune, "vcpupin", f"{fact}.vcpu_pins")
        ),
        emulator_pin=_Reader(root.find("cputune/emulatorpin"), f"{fact}.emulator_pin").attribute(
            "cpuset", CpuSet.parse, None
        ),
        iothread_pins=tuple(
            IothreadPin(iothread=one.attribute("iothread", _count), cpus=one.attribute("cpuset", CpuSet.parse))
            for one in _each(cputune, "iothreadpin", f"{fact}.iothread_pins")
        ),
        numatune=_numatune(root.find("numatune"), f"{fact}.numatune"),
        memory_backing=_memory_backing(root.find("memoryBacking"), f"{fact}.memory_backing"),
        devices=read_devices(root, f"{fact}.devices"),
        tuning=read_tuning(root, f"{fact}.tuning"),
    )


def _cpu(element: _Element | None, fact: str) -> CpuModel | None:
    if element is None:
        return None
    read = _Reader(element, fact)
    topology = _Reader(element.find("topology"), f"{fact}.topology")
    cache = _Reader(element.find("cache"), f"{fact}.cache_level")
    address = _Reader(element.find("maxphysaddr"), f"{fact}.address_bits")
    model = element.find("model")
    return CpuModel(
        # libvirt reads a <cpu> with a model and no mode as a custom model.
        mode=read.attribute("mode", str, "custom" if model is not None else None),
        model=(model.text or "").strip() if model is not None else None,
        migratable=read.attribute("migratable", str, None),
        features=tuple((one.get("name", ""), one.get("policy", "require")) for one in element.findall("feature")),
        topology=None
        if topology.element is None
        else Topology(
            sockets=topology.attribute("sockets", _count),
            dies=topology.attribute("dies", _count, 1),
            clusters=topology.attribute("clusters", _count, 1),
            cores=topology.attribute("cores", _count),
            threads=topology.attribute("threads", _count),
        ),
        cells=tuple(
            NumaCell(
                id=one.attribute("id", _count, position),
                cpus=one.attribute("cpus", CpuSet.parse, CpuSet()),
                memory_bytes=one.size("memory"),
                access=one.attribute("memAccess", str, None),
                distances=_distances(one),
            )
            for position, one in enumerate(_each(element.find("numa"), "cell", f"{fact}.cells"))
        ),
        check=read.attribute("check", str, None),
        cache_mode=cache.attribute("mode", str, None),
        cache_level=cache.attribute("level", _count, None),
        address_mode=address.attribute("mode", str, None),
        address_bits=address.attribute("bits", _count, None),
    )


def _distances(cell: _Reader) -> tuple[tuple[int, int], ...]:
    siblings = _each(None if cell.element is None else cell.element.find("distances"), "sibling", cell.fact)
    found = [(one.attribute("id", _count), one.attribute("value", _count)) for one in siblings]
    return cast(tuple[tuple[int, int], ...], _first_gap(found) or tuple(found))


def _numatune(element: _Element | None, fact: str) -> NumaTune | None:
    if element is None:
        return None
    memory = _Reader(element.find("memory"), fact)
    return NumaTune(
        mode=None if memory.element is None else memory.attribute("mode", str, "strict"),
        nodes=memory.attribute("nodeset", CpuSet.parse, None),
        placement=memory.attribute("placement", str, None),
        cells=tuple(
            MemoryNode(
                cell=one.attribute("cellid", _count),
                mode=one.attribute("mode", str, "strict"),
                nodes=one.attribute("nodeset", CpuSet.parse, CpuSet()),
            )
            for one in _each(element, "memnode", f"{fact}.cells")
        ),
    )


def _memory_backing(element: _Element | None, fact: str) -> MemoryBacking:
    pages = [
        _Reader(page, f"{fact}.page_sizes_bytes")
        for page in (element.findall("hugepages/page") if element is not None else [])
    ]
    sizes = [(page.size("size"),) for page in pages]
    cells = [
        (page.size("size"), page.attribute("nodeset", CpuSet.parse, None))
        for page in pages
        if page.element is not None and page.element.get("nodeset") is not None
    ]
    return MemoryBacking(
        hugepages=element is not None and element.find("hugepages") is not None,
        page_sizes_bytes=cast(tuple[int, ...], _first_gap(sizes) or tuple(size for (size,) in sizes)),
        locked=element is not None and element.find("locked") is not None,
        page_cells=cast(tuple[tuple[int, CpuSet], ...], _first_gap(cells) or tuple(cells)),
    )


class _Reader:
    """Reads one element's attributes and text; what cannot be understood comes back as a Gap."""

    def __init__(self, element: _Element | None, fact: str) -> None:
        self.element = element
        self.fact = fact

    def size(self, name: str) -> int:
        """An attribute that is a size in the element's ``unit``, in bytes."""
        return self.attribute(name, self._in_bytes)

    def attribute(self, name: str, parser: Callable[[str], T], *absent: Any) -> T:
        """An attribute; ``absent`` is the value where it, or the element, is not there."""
        return self._parse(None if self.element is None else self.element.get(name), f"@{name}", parser, absent)

    def text(self, parser: Callable[[str], T], *absent: Any) -> T:
        """The element's own text."""
        return self._parse(None if self.element is None else (self.element.text or "").strip(), "text", parser, absent)

    def sized_text(self) -> int:
        """The element's own text, a size in its ``unit``, in bytes."""
        return self.text(self._in_bytes)

    def _in_bytes(self, text: str) -> int:
        return parse_size(text, None if self.element is None else self.element.get("unit"))

    def _parse(self, text: str | None, what: str, parser: Callable[[str], T], absent: tuple[Any, ...]) -> T:
        if text is None:
            return cast(T, absent[0] if absent else Gap(self.fact, f"the XML has no {what}"))
        try:
            return parser(text)
        except (ValueError, KvmnbError) as problem:
            return cast(T, Gap(self.fact, f"{what}: {problem}"))


def _each(parent: _Element | None, name: str, fact: str) -> list[_Reader]:
    return [] if parent is None else [_Reader(element, fact) for element in parent.findall(name)]


def _size(element: _Element | None, fact: str) -> int:
    return _Reader(element, fact).sized_text()


def _first_gap(found: list[tuple[Any, ...]]) -> Gap | None:
    """A value that could not be read makes the whole list unknown."""
    return next((value for values in found for value in values if isinstance(value, Gap)), None)


def _sum(sizes: list[int]) -> int:
    broken = [size for size in sizes if not isinstance(size, int)]
    return broken[0] if broken else sum(sizes)


def _count(text: str) -> int:
    if not text.strip().isdecimal() or len(text) > 9:
        raise ValueError(f"{text[:40]!r} is not a whole number")
    return int(text)
