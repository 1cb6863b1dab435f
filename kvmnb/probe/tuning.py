"""A domain's limits, weights and features, from its XML."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, TypeVar

from kvmnb.core.errors import KvmnbError
from kvmnb.core.units import parse_size
from kvmnb.facts.device import Timer
from kvmnb.facts.gap import Fact
from kvmnb.facts.tuning import (
    BlockTune,
    Boot,
    CpuTune,
    Features,
    Hyperv,
    Iothread,
    IothreadSched,
    MemoryTune,
    Switch,
    Tuning,
    VcpuSched,
)
from kvmnb.probe.element import read_element
from kvmnb.probe.reader import gap

if TYPE_CHECKING:
    from lxml.etree import _Element

F = TypeVar("F", bound=Fact)

# libvirt's own "no limit" (VIR_DOMAIN_MEMORY_PARAM_UNLIMITED), in KiB.
_UNLIMITED_KIB = 9007199254740991


def read_tuning(root: _Element, fact: str) -> Tuning:
    """All of one configuration that is neither CPU model, pin nor device."""
    features = root.find("features")
    boot = root.find("os")
    blkio = read_element(
        BlockTune, root.find("blkiotune"), f"{fact}.blkio", devices=len(root.findall("blkiotune/device"))
    )
    return read_element(
        Tuning,
        root,
        fact,
        cputune=read_element(CpuTune, root.find("cputune"), f"{fact}.cputune"),
        vcpu_schedulers=_all(VcpuSched, root, "cputune/vcpusched", f"{fact}.vcpu_schedulers"),
        iothread_schedulers=_all(IothreadSched, root, "cputune/iothreadsched", f"{fact}.iothread_schedulers"),
        iothreads=_all(Iothread, root, "iothreadids/iothread", f"{fact}.iothreads"),
        features=read_element(Features, features, f"{fact}.features", all=tuple(_switches(features))),
        hyperv=tuple(
            read_element(Hyperv, one, f"{fact}.hyperv[{one.tag}]", name=str(one.tag))
            for one in root.iterfind("features/hyperv/*")
        ),
        memory=read_element(
            MemoryTune,
            root,
            f"{fact}.memory",
            current_bytes=_size(root, "currentMemory", f"{fact}.memory.current_bytes"),
            max_bytes=_size(root, "maxMemory", f"{fact}.memory.max_bytes"),
            hard_limit_bytes=_limit(root, "memtune/hard_limit", f"{fact}.memory.hard_limit_bytes"),
            soft_limit_bytes=_limit(root, "memtune/soft_limit", f"{fact}.memory.soft_limit_bytes"),
            swap_hard_limit_bytes=_limit(root, "memtune/swap_hard_limit", f"{fact}.memory.swap_hard_limit_bytes"),
        ),
        timers=_all(Timer, root, "clock/timer", f"{fact}.timers"),
        blkio=blkio,
        block_weight=blkio.gap_of("weight") or blkio.weight,
        throttle_groups=tuple(
            (one.text or "").strip() for one in root.iterfind("throttlegroups/throttlegroup/group_name")
        ),
        boot=read_element(
            Boot, boot, f"{fact}.boot", order=tuple(one.get("dev", "") for one in root.iterfind("os/boot"))
        ),
        firmware=_firmware(boot),
        security_models=tuple(one.get("model", "") for one in root.iterfind("seclabel")),
        perf_events=tuple(
            one.get("name", "") for one in root.iterfind("perf/event") if one.get("enabled") in ("yes", "on")
        ),
        metadata_namespaces=_namespaces(root.find("metadata")),
        product=next(
            ((one.text or "").strip() for one in root.iterfind("sysinfo/system/entry") if one.get("name") == "product"),
            None,
        ),
    )


def _all(kind: type[F], root: _Element, path: str, fact: str) -> tuple[F, ...]:
    return tuple(read_element(kind, one, f"{fact}[{position}]") for position, one in enumerate(root.iterfind(path)))


def _switches(features: _Element | None) -> Iterator[Switch]:
    """Every feature; a state that is neither on nor off (``kvm``'s ``auto`` of other elements) counts as on."""
    for element in () if features is None else features.iterchildren("*"):
        # hyperv and kvm only hold others; hyperv's own facts stand beside.
        if element.tag == "kvm":
            for part in element.iterchildren("*"):
                yield Switch(name=f"kvm/{part.tag}", on=part.get("state") not in ("off", "no"))
        elif element.tag != "hyperv":
            yield Switch(name=str(element.tag), on=element.get("state") not in ("off", "no"))


def _size(root: _Element, path: str, fact: str) -> int | None:
    element = root.find(path)
    if element is None:
        return None
    try:
        return parse_size((element.text or "").strip(), element.get("unit"))
    except KvmnbError as problem:
        found: int | None = gap(fact, f"{path}: {problem}")
        return found


def _limit(root: _Element, path: str, fact: str) -> int | None:
    size = _size(root, path, fact)
    return None if isinstance(size, int) and size >= _UNLIMITED_KIB * 1024 else size


def _firmware(boot: _Element | None) -> str | None:
    if boot is None:
        return None
    loader = boot.find("loader")
    if boot.get("firmware"):
        return boot.get("firmware")
    return "pflash" if loader is not None and loader.get("type") == "pflash" else None


def _namespaces(metadata: _Element | None) -> tuple[str, ...]:
    """The namespaces of the elements in ``metadata``; those of their parts too, as oVirt's lie deeper."""
    if metadata is None:
        return ()
    found = (re.match(r"\{([^}]*)\}", str(one.tag)) for one in metadata.iter("*"))
    return tuple(sorted({match[1] for match in found if match}))
