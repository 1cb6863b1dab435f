"""libvirt's versions and what it can give guests."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from kvmnb.core.errors import KvmnbError
from kvmnb.facts.domain import Configuration, Domain
from kvmnb.facts.gap import Gap
from kvmnb.facts.hypervisor import CpuMode, GuestKind, Hypervisor
from kvmnb.machine.hypervisor import Hypervisor as Source
from kvmnb.machine.hypervisor import Versions


def probe_hypervisor(source: Source, domains: Iterable[Domain]) -> Hypervisor:
    """The hypervisor's facts, with one guest kind for each type, architecture and machine in use."""
    versions = _versions(source)
    kinds = sorted(
        {
            (one.virt_type, one.arch, one.machine)
            for domain in domains
            for one in _configurations(domain)
            if one.arch and one.machine
        }
    )
    unseen = cast(str, versions)
    return Hypervisor(
        uri=source.uri,
        driver=versions.driver if isinstance(versions, Versions) else unseen,
        libvirt=versions.libvirt if isinstance(versions, Versions) else unseen,
        version=versions.hypervisor if isinstance(versions, Versions) else unseen,
        guest_kinds=tuple(_kind(source, virt_type, arch or "", machine or "") for virt_type, arch, machine in kinds),
    )


def host_identity(source: Source) -> tuple[str | None, str | None]:
    """The host's UUID and architecture, from libvirt's capabilities; gaps where they cannot be read."""
    from lxml import etree

    try:
        parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
        root = etree.fromstring(source.capabilities().encode(), parser)
    except (KvmnbError, etree.XMLSyntaxError) as problem:
        return (
            cast(None, Gap("host.uuid", f"libvirt's capabilities: {problem}")),
            cast(None, Gap("host.arch", f"libvirt's capabilities: {problem}")),
        )
    return root.findtext("host/uuid"), root.findtext("host/cpu/arch")


def _versions(source: Source) -> Versions | Gap:
    try:
        return source.versions()
    except KvmnbError as problem:
        return Gap("host.hypervisor.version", str(problem))


def _configurations(domain: Domain) -> list[Configuration]:
    seen = [getattr(domain, layer) for layer in ("inactive", "live") if domain.gap_of(layer) is None]
    return [one for one in seen if one is not None]


def _kind(source: Source, virt_type: str, arch: str, machine: str) -> GuestKind:
    from lxml import etree

    fact = f"host.hypervisor.guest_kinds[{virt_type} {arch} {machine}]"
    try:
        text = source.domain_capabilities(virt_type, arch, machine, None)
        root = etree.fromstring(text.encode(), etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False))
    except (KvmnbError, etree.XMLSyntaxError) as problem:
        unseen = Gap(fact, str(problem))
        return GuestKind(
            virt_type=virt_type,
            arch=arch,
            machine=machine,
            cpu_modes=cast(tuple[()], unseen),
            max_vcpus=cast(None, unseen),
        )
    most = root.find("vcpu")
    return GuestKind(
        virt_type=virt_type,
        arch=arch,
        machine=machine,
        cpu_modes=tuple(
            CpuMode(name=mode.get("name", ""), supported=mode.get("supported") == "yes")
            for mode in root.findall("cpu/mode")
        ),
        max_vcpus=int(most.get("max", "0")) or None if most is not None and most.get("max", "0").isdecimal() else None,
    )
