"""mem.shared_backing: a device is served by another process, which cannot reach the guest's memory."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from kvmnb.advise.finding import Safety, Severity
from kvmnb.facts.gap import changed
from tests.advise.mem.builders import HUGEPAGES, VHOST_USER, VIRTIOFS, a_disk, a_memory_guest, a_memory_host
from tests.builders import cells, found, silent, values

RULE = "mem.shared_backing"
HOST = a_memory_host()
DISK = a_disk().replace("type='file' device", "type='vhostuser' device").replace("file='/one.img'", "type='unix'")
BOTH = {"domain_xml:memoryBacking/access/@mode": "shared", "domain_xml:memoryBacking/source/@type": "memfd"}


def two_cells(first: str | None, second: str | None) -> str:
    text = cells(("0", 2), ("1", 2))
    for number, access in (("0", first), ("1", second)):
        if access is not None:
            text = text.replace(f"<cell id='{number}'", f"<cell id='{number}' memAccess='{access}'")
    return text


@pytest.mark.parametrize("goal", ["latency", "throughput", "balanced", "density"])
@pytest.mark.parametrize("device", [VHOST_USER, VIRTIOFS, DISK])
def test_private_memory_is_found_under_every_goal(goal: str, device: str) -> None:
    finding = found(RULE, HOST, a_memory_guest(devices=device).domain, goal=goal)
    assert values(finding) == BOTH
    assert (finding.severity, finding.safety) == (Severity.CRITICAL, Safety.DISRUPTIVE)
    assert "private by default" in finding.saw


@pytest.mark.parametrize(
    ("backing", "wanted"),
    [
        ("<source type='memfd'/>", {"access/@mode": "shared"}),
        ("<source type='file'/>", {"access/@mode": "shared"}),
        ("<source type='anonymous'/><access mode='private'/>", {"access/@mode": "shared", "source/@type": "memfd"}),
        (HUGEPAGES, {"access/@mode": "shared", "source/@type": "memfd"}),
    ],
)
def test_what_is_there_already_is_kept(backing: str, wanted: dict[str, str]) -> None:
    finding = found(RULE, HOST, a_memory_guest(backing=backing, devices=VHOST_USER).domain)
    assert values(finding) == {f"domain_xml:memoryBacking/{path}": value for path, value in wanted.items()}


@pytest.mark.parametrize(
    "words",
    [
        {"devices": VHOST_USER, "backing": "<access mode='shared'/>"},
        {"devices": VHOST_USER, "cpu": two_cells("shared", "shared")},
        {"devices": VHOST_USER, "cpu": two_cells("shared", None), "backing": "<access mode='shared'/>"},
        {"devices": ""},
        {"devices": a_disk()},
        {"devices": VIRTIOFS.replace("virtiofs", "path")},
        {"devices": VHOST_USER, "virt_type": "xen"},
    ],
)
def test_shared_memory_or_no_such_device_is_right(words: dict[str, Any]) -> None:
    assert silent(RULE, HOST, a_memory_guest(**words).domain)


def test_a_cell_that_is_private_is_made_shared() -> None:
    guest = a_memory_guest(
        devices=VHOST_USER, backing="<source type='memfd'/><access mode='shared'/>", cpu=two_cells("private", None)
    )
    assert values(found(RULE, HOST, guest.domain)) == {"domain_xml:cpu/numa/cell[0]/@memAccess": "shared"}
    assert not silent(RULE, HOST, a_memory_guest(devices=VHOST_USER, cpu=two_cells("shared", None)).domain)


@pytest.mark.parametrize(("libvirt", "safety"), [("4.10.0", Safety.DISRUPTIVE), ("4.9.0", Safety.MANUAL)])
def test_libvirt_has_to_know_memfd(libvirt: str, safety: Safety) -> None:
    host = changed(HOST, hypervisor=changed(HOST.hypervisor, libvirt=libvirt))  # type: ignore[type-var]
    finding = found(RULE, host, a_memory_guest(devices=VHOST_USER).domain)
    assert finding.safety is safety
    assert ("brought memfd" in (finding.note or "")) is (safety is Safety.MANUAL)


def test_a_guest_that_exists_only_while_it_runs_is_left_to_a_person() -> None:
    transient = replace(a_memory_guest(devices=VHOST_USER).domain, persistent=False, inactive=None)
    assert found(RULE, HOST, transient).safety is Safety.MANUAL
