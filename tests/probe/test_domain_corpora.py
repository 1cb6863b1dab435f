"""Every domain XML of other projects, read; its facts against those that were taken from it by plain XPath."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Iterator
from functools import cache
from typing import Any

from kvmnb.facts import device, tuning
from kvmnb.facts.at import Place, place_of
from kvmnb.facts.domain import Configuration
from kvmnb.facts.gap import Fact
from kvmnb.probe.domain import domain_of_text
from tests.core.xml.corpora import ROOT, domain_files, needs_corpora
from tests.probe.whole_domain import RARE, read

pytestmark = needs_corpora

REFERENCES = 1117

# Where a plain reading and these facts differ, and why.
DIFFERENCES = {
    (
        "numatune-memnodes-problematic.xml",
        "numatune_mode",
    ): "a memory element without a mode is strict, as libvirt reads",
}

# Values that are not as libvirt writes them, in files that are templates or must fail: each is a gap.
GAPS = {"vcpus": 21, "memory_bytes": 21, "tuning.memory.current_bytes": 2, "tuning.timers[1].frequency_hz": 1}


@cache
def configurations() -> dict[str, Configuration]:
    return {file.name: read(file.text) for file in domain_files()}


def test_every_file_is_read_and_only_templates_have_gaps() -> None:
    assert len(configurations()) == 1203
    counted: dict[str, int] = {}
    for file in domain_files():
        for gap in domain_of_text(file.text, file.name).gaps():
            name = gap.fact.partition("].")[2]
            counted[name] = counted.get(name, 0) + 1
    assert counted == GAPS


def test_the_facts_agree_with_a_plain_reading() -> None:
    compared, differing = 0, set()
    for path in sorted((ROOT / "domain-xml").glob("*.facts.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            expected = json.loads(line)
            found = plain(configurations()[f"{path.name.split('.')[0]}/{expected['file']}"])
            differing |= {(expected["file"], name) for name in found if found[name] != expected.get(name)}
            compared += 1
    assert compared == REFERENCES
    assert differing == set(DIFFERENCES)


def test_a_thousand_domains_are_read_within_a_second() -> None:
    files = domain_files()[:1000]
    assert len(files) == 1000
    began = time.process_time()
    for file in files:
        domain_of_text(file.text, file.name)
    assert time.process_time() - began < 1.0


def test_every_declared_property_has_a_value_in_some_domain() -> None:
    met = {key for one in (*configurations().values(), read(RARE)) for key in valued(one)}
    declared = {
        (kind.__name__, field.name)
        for module in (device, tuning)
        for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, Fact) and kind.__module__ == module.__name__
        for field in dataclasses.fields(kind)  # type: ignore[arg-type]
        if place_of(field) is not None
    }
    assert len(declared) > 200
    assert declared - met == set()


def valued(value: object) -> Iterator[tuple[str, str]]:
    """The declared properties in a fact that are not absent."""
    if isinstance(value, tuple):
        for member in value:
            yield from valued(member)
    elif isinstance(value, Fact):
        for field in dataclasses.fields(value):  # type: ignore[arg-type]
            if value.gap_of(field.name) is None:
                found = getattr(value, field.name)
                place = place_of(field)
                if place is not None and found != absent(place):
                    yield type(value).__name__, field.name
                yield from valued(found)


def absent(place: Place) -> Any:
    return False if place.path.endswith("?") else place.absent


def plain(one: Configuration) -> dict[str, Any]:
    """The facts under the names of the reference."""
    topology = one.cpu.topology if one.cpu is not None else None
    pinned = {pin.vcpu for pin in one.vcpu_pins}
    found = {
        "vcpus": one.vcpus,
        "arch": one.arch,
        "cpu_mode": one.cpu.mode if one.cpu is not None else None,
        "has_topology": topology is not None,
        "vcpupin": len(one.vcpu_pins),
        "emulatorpin": one.emulator_pin is not None,
        "unpinned_vcpus": [vcpu for vcpu in range(one.vcpus) if vcpu not in pinned] if pinned else [],
        "numatune_mode": one.numatune.mode if one.numatune is not None else None,
        "guest_numa_cells": len(one.cpu.cells) if one.cpu is not None else 0,
        "hugepages": one.memory_backing.hugepages,
        "locked": one.memory_backing.locked,
        "iothreads": _text(one.iothreads or None),
        "memballoon": one.devices.balloon.model if one.devices.balloon is not None else "absent",
        "hostdevs": len(one.devices.hostdevs),
        "disks": [
            {name: getattr(disk, name) for name in ("target", "bus", "format", "cache", "io", "discard")}
            | {"iothread": _text(disk.iothread), "queues": _text(disk.queues)}
            for disk in one.devices.disks
            if disk.device == "disk"
        ],
        "nics": [
            {"type": nic.type, "model": nic.model, "queues": _text(nic.queues), "driver": nic.driver}
            for nic in one.devices.interfaces
        ],
    }
    return found | ({"topology_product": topology.vcpus} if topology is not None else {})


def _text(number: int | None) -> str | None:
    return None if number is None else str(number)
