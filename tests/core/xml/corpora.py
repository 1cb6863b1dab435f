"""The domain XML of other projects, read in place, and the tunings that the tests try on each."""

from __future__ import annotations

import os
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path as FilePath

import pytest

from kvmnb.core.xml import Document, Element, Encoding, Path, decode
from kvmnb.machine.domain_shape import DOMAIN

ROOT = FilePath(os.environ.get("KVMNB_CORPORA", FilePath(__file__).parents[4] / "shared" / "corpora"))
FILES = {"libvirt-qemuxmlconf": 1066, "projects": 58, "users-licensed": 8, "virt-manager": 71}

needs_corpora = pytest.mark.skipif(not ROOT.is_dir(), reason=f"the corpora are not at {ROOT} (KVMNB_CORPORA)")

Changes = list[tuple[Path, str | None]]


@dataclass(frozen=True)
class DomainFile:
    """One file of the corpora, as bytes and as text."""

    name: str
    raw: bytes
    text: str
    encoding: Encoding


@cache
def domain_files() -> tuple[DomainFile, ...]:
    """Every domain XML of the corpora; their number is known."""
    found = tuple(_read())
    assert len(found) == sum(FILES.values())
    return found


def _read() -> Iterator[DomainFile]:
    for name, count in FILES.items():
        with tarfile.open(ROOT / "domain-xml" / f"{name}.tar.xz") as archive:
            members = [member for member in archive if member.isfile()]
            assert len(members) == count
            for member in members:
                stream = archive.extractfile(member)
                assert stream is not None
                raw = stream.read()
                yield DomainFile(f"{name}/{member.name}", raw, *decode(raw))


def tunings(text: str) -> dict[str, Changes]:
    """The changes that are tried on a domain, by name; those of a device only where it has one."""
    root = Document.parse(text).root
    vcpu = _child(root, "vcpu")
    vcpus = min(int(vcpu.text), 8) if vcpu is not None and vcpu.text.strip().isdigit() else 1
    pins = [(f"cputune/vcpupin[{i}]/@cpuset", str(i)) for i in range(vcpus)]
    found: dict[str, list[tuple[str, str | None]]] = {
        "pins": [*pins, ("cputune/emulatorpin/@cpuset", "0-1")],
        "topology": [
            ("cpu/topology/@sockets", "1"),
            ("cpu/topology/@cores", str(vcpus)),
            ("cpu/topology/@threads", "1"),
        ],
        "cpu_mode": [("cpu/@mode", "host-passthrough"), ("cpu/@migratable", "on")],
        "numatune": [("numatune", "<numatune><memory mode='strict' nodeset='0'/></numatune>")],
        "guest_numa": [
            ("cpu/numa/cell[0]/@cpus", "0"),
            ("cpu/numa/cell[0]/@memory", "1048576"),
            ("cpu/numa/cell[0]/@unit", "KiB"),
        ],
        "hugepages": [("memoryBacking/hugepages", "<hugepages><page size='2048' unit='KiB'/></hugepages>")],
    }
    devices = _child(root, "devices")
    if devices is not None:
        found["balloon"] = [("devices/memballoon", "<memballoon model='none'/>")]
    disk = _child(devices, "disk")
    if disk is not None:
        path = DOMAIN.paths_of(disk)[0]
        found["disk"] = [(f"{path}/driver/@cache", "none"), (f"{path}/driver/@io", "native")]
    interface = _child(devices, "interface")
    if interface is not None and not _has_twin(interface):
        path = DOMAIN.paths_of(interface)[0]
        found["queues"] = [(f"{path}/driver/@name", "vhost"), (f"{path}/driver/@queues", "4")]
    return {name: [(Path.parse(path), value) for path, value in pairs] for name, pairs in found.items()}


def _child(element: Element | None, name: str) -> Element | None:
    return next((child for child in element.children if child.name == name), None) if element else None


def _has_twin(element: Element) -> bool:
    """Whether another device has the same address: such a file names none of them for certain."""
    assert element.parent is not None
    keys = [DOMAIN.keys_of(other) for other in element.parent.children if other.name == element.name]
    return keys.count(DOMAIN.keys_of(element)) > 1
