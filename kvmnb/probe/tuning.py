"""A domain's limits, weights and features, from its XML."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kvmnb.core.errors import KvmnbError
from kvmnb.core.text import whole_number
from kvmnb.core.units import parse_size
from kvmnb.facts.device import Timer
from kvmnb.facts.gap import Gap
from kvmnb.facts.tuning import CpuTune, Features, Hyperv, Iothread, MemoryTune, Tuning, VcpuSched
from kvmnb.probe.element import read_element

if TYPE_CHECKING:
    from lxml.etree import _Element

# libvirt's own "no limit" (VIR_DOMAIN_MEMORY_PARAM_UNLIMITED), in KiB.
_UNLIMITED_KIB = 9007199254740991


def read_tuning(root: _Element, fact: str) -> Tuning:
    """All of one configuration that is neither CPU model, pin nor device."""
    clock = root.find("clock")
    hyperv = root.find("features/hyperv")
    metadata = root.find("metadata")
    return Tuning(
        cputune=read_element(CpuTune, root.find("cputune"), f"{fact}.cputune"),
        vcpu_schedulers=tuple(
            read_element(VcpuSched, one, f"{fact}.vcpu_schedulers[{position}]")
            for position, one in enumerate(root.findall("cputune/vcpusched"))
        ),
        iothreads=tuple(
            read_element(Iothread, one, f"{fact}.iothreads[{position}]")
            for position, one in enumerate(root.findall("iothreadids/iothread"))
        ),
        features=read_element(Features, root.find("features"), f"{fact}.features"),
        hyperv=tuple(
            read_element(Hyperv, one, f"{fact}.hyperv[{one.tag}]", name=str(one.tag))
            for one in (() if hyperv is None else hyperv)
        ),
        memory=read_element(
            MemoryTune,
            root,
            f"{fact}.memory",
            current_bytes=_size(root, "currentMemory", fact),
            max_bytes=_size(root, "maxMemory", fact),
            hard_limit_bytes=_limit(root, "memtune/hard_limit", fact),
            soft_limit_bytes=_limit(root, "memtune/soft_limit", fact),
            swap_hard_limit_bytes=_limit(root, "memtune/swap_hard_limit", fact),
        ),
        clock_offset=None if clock is None else clock.get("offset"),
        timers=tuple(
            read_element(Timer, one, f"{fact}.timers[{position}]")
            for position, one in enumerate(root.findall("clock/timer"))
        ),
        block_weight=_number(root, "blkiotune/weight", fact),
        resource_partition=root.findtext("resource/partition"),
        firmware=_firmware(root),
        security_models=tuple(one.get("model", "") for one in root.findall("seclabel")),
        qemu_arguments=root.find("{http://libvirt.org/schemas/domain/qemu/1.0}commandline") is not None,
        metadata_namespaces=() if metadata is None else _namespaces(metadata),
    )


def _size(root: _Element, path: str, fact: str) -> int | None:
    element = root.find(path)
    if element is None:
        return None
    try:
        return parse_size((element.text or "").strip(), element.get("unit"))
    except KvmnbError as problem:
        return Gap(f"{fact}.memory", f"{path}: {problem}")  # type: ignore[return-value]


def _limit(root: _Element, path: str, fact: str) -> int | None:
    size = _size(root, path, fact)
    return None if isinstance(size, int) and size >= _UNLIMITED_KIB * 1024 else size


def _number(root: _Element, path: str, fact: str) -> int | None:
    text = root.findtext(path)
    try:
        return None if text is None else whole_number(text)
    except ValueError as problem:
        return Gap(fact, f"{path}: {problem}")  # type: ignore[return-value]


def _firmware(root: _Element) -> str | None:
    named = root.find("os")
    loader = root.find("os/loader")
    if named is not None and named.get("firmware"):
        return named.get("firmware")
    return "pflash" if loader is not None and loader.get("type") == "pflash" else None


def _namespaces(metadata: _Element) -> tuple[str, ...]:
    found = (re.match(r"\{([^}]*)\}", str(one.tag)) for one in metadata.iter("*"))
    return tuple(sorted({match[1] for match in found if match}))
