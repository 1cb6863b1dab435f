"""A closer look: images and places of memory, from this system, from a recording, and refused elsewhere."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from kvmnb.facts.gap import NotSeen
from kvmnb.facts.running import NodeMemory, ProcessMemory
from kvmnb.machine import sources
from kvmnb.machine.commands import LocalCommands
from kvmnb.machine.given import GivenDomains
from kvmnb.machine.machine import Machine
from kvmnb.probe.closer import with_images, with_memory
from kvmnb.probe.survey import probe
from kvmnb.share.record import record
from tests.advise.disk.builders import a_disk
from tests.builders import guest_xml, uuid_of
from tests.small_host import write_guest, write_host

PLACED = ProcessMemory(
    nodes=(NodeMemory(node=0, bytes=3 << 30), NodeMemory(node=1, bytes=1 << 30)),
    page_sizes=((4096, 4 << 30),),
    policies=("bind:0",),
    transparent_bytes=1 << 30,
    shared_transparent_bytes=0,
    swapped_bytes=0,
)


def a_machine(tmp_path: Path, *sources_of_disks: str) -> Machine:
    """A recorded host with one running guest of these disks, whose programs are this system's."""
    host = write_host(tmp_path / "host")
    write_guest(host, "payroll")
    (domain,) = (host / "libvirt/domains").iterdir()
    disks = "".join(a_disk(f"vd{'abc'[n]}", source=path) for n, path in enumerate(sources_of_disks))
    for name in ("inactive.xml", "live.xml"):
        text = guest_xml("payroll", devices=disks).replace(uuid_of("payroll"), domain.name)
        (domain / name).write_text(text)
    (domain / "state.json").write_text('{"state": "running", "persistent": true}')
    return replace(sources.recorded(host), commands=LocalCommands())


def test_what_was_not_asked_for_is_not_seen(tmp_path: Path) -> None:
    (domain,) = probe(a_machine(tmp_path, "/srv/a.qcow2")).domains
    with pytest.raises(NotSeen, match="its image was not asked for"):
        domain.image_of("vda")
    with pytest.raises(NotSeen, match="was not asked for"):
        _ = domain.placed


@pytest.mark.skipif(shutil.which("qemu-img") is None, reason="qemu-img is not installed")
def test_a_recording_tells_the_images_that_its_machine_told(tmp_path: Path) -> None:
    base, top, raw = (str(tmp_path / name) for name in ("Payroll base.qcow2", "payroll-top.qcow2", "plain.qcow2"))
    for path, more in ((base, []), (top, ["-b", base, "-F", "qcow2"]), (raw, ["-o", "preallocation=metadata"])):
        subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", *more, path, "64M"], check=True)
    subprocess.run(["qemu-img", "bitmap", "--add", top, "monday-bitmap"], check=True)
    subprocess.run(["qemu-img", "snapshot", "-c", "before-payroll", raw], check=True)
    machine = a_machine(tmp_path, top, raw)
    (domain,) = with_images(probe(machine), machine).domains
    record(machine, tmp_path / "out")
    again = sources.recorded(tmp_path / "out")
    (told,) = with_images(probe(again), again).domains
    for target in ("vda", "vdb"):
        seen, read = domain.image_of(target), told.image_of(target)
        assert [_numbers(one) for one in seen.chain] == [_numbers(one) for one in read.chain]
    assert [(one.bitmaps, one.snapshots) for one in told.image_of("vda").chain] == [(1, 0), (0, 0)]
    assert told.image_of("vdb").snapshots == 1
    text = "".join(path.read_text() for path in (tmp_path / "out").rglob("*") if path.is_file())
    assert "ayroll" not in text and "monday" not in text


def _numbers(image: object) -> dict[str, object]:
    """All of an image but the names in it, and the room, which others take too."""
    from kvmnb.core.codec import to_builtins

    names = ("path", "backing_file", "backing", "space")
    return {name: value for name, value in to_builtins(image).items() if name not in names}


def test_a_recording_tells_where_memory_lies(tmp_path: Path) -> None:
    from kvmnb.core import codec

    machine = a_machine(tmp_path)
    (folder,) = (tmp_path / "host/libvirt/domains").iterdir()
    (folder / "memory.json").write_text(codec.to_json(PLACED))
    (domain,) = with_memory(probe(machine), machine).domains
    assert domain.placed == PLACED
    record(machine, tmp_path / "out")
    again = sources.recorded(tmp_path / "out")
    (told,) = with_memory(probe(again), again).domains
    assert told.placed == PLACED


@pytest.mark.parametrize("text", ["", "{", '{"nodes": []}', json.dumps({"nodes": 1})])
def test_a_broken_record_of_memory_is_a_gap(tmp_path: Path, text: str) -> None:
    machine = a_machine(tmp_path)
    (folder,) = (tmp_path / "host/libvirt/domains").iterdir()
    (folder / "memory.json").write_text(text)
    survey = with_memory(probe(machine), machine)
    with pytest.raises(NotSeen, match=r"memory\.json"):
        _ = survey.domains[0].placed
    assert any(gap.fact == "domains[payroll].memory" for gap in survey.gaps)


def test_a_recording_without_them_says_that_they_are_not_recorded(tmp_path: Path) -> None:
    machine = sources.recorded(a_machine(tmp_path, "/srv/a.qcow2").origin)
    survey = with_memory(with_images(probe(machine), machine), machine)
    with pytest.raises(NotSeen, match="not recorded"):
        _ = survey.domains[0].placed
    with pytest.raises(NotSeen, match="not recorded"):
        survey.domains[0].image_of("vda")
    assert {gap.fact for gap in survey.gaps} >= {"images[/srv/a.qcow2]", "domains[payroll].memory"}


def test_a_guest_of_a_file_has_its_images_elsewhere(tmp_path: Path) -> None:
    machine = a_machine(tmp_path)
    text = guest_xml("given", devices=a_disk(source=str(tmp_path / "x.qcow2")))
    machine = replace(machine, hypervisor=GivenDomains({"x.xml": text}, machine.hypervisor))
    (domain,) = with_images(probe(machine), machine).domains
    with pytest.raises(NotSeen, match="given as a file"):
        domain.image_of("vda")


def test_a_domain_whose_xml_is_broken_keeps_its_gaps(tmp_path: Path) -> None:
    machine = a_machine(tmp_path)
    (folder,) = (tmp_path / "host/libvirt/domains").iterdir()
    (folder / "inactive.xml").write_text("<domain")
    survey = with_memory(with_images(probe(machine), machine), machine)
    assert survey.domains[0].images == ()
    assert survey.domains[0].gap_of("inactive") is not None
