"""Following what rules want of disks silences them, raises nothing as grave, and keeps the XML valid."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kvmnb.advise.intent import Goal, Intent
from kvmnb.advise.registry import audit
from kvmnb.facts.host import Host
from tests.advise.disk.builders import DEBIAN, a_block, a_disk, a_mount, scsi_controller, storage_host
from tests.advise.test_contract import agreeing, well_formed
from tests.advise.test_following import check_following, check_following_all
from tests.builders import Guest, a_guest

OS = (
    "  <metadata>\n    <libosinfo:libosinfo xmlns:libosinfo='http://libosinfo.org/xmlns/libvirt/domain/1.0'>\n"
    f"      <libosinfo:os id='{DEBIAN}'/>\n    </libosinfo:libosinfo>\n  </metadata>\n"
)
HOSTS = (
    storage_host(a_block(scheduler="mq-deadline")),
    storage_host(
        a_block(), a_block("sda", transport="sata", rotational=True), mounts=(a_mount(device="sda", options=("rw",)),)
    ),
    storage_host(mounts=(a_mount(fs_type="nfs4", device=None),), sysctls={"kernel.io_uring_disabled": "2"}),
)


@dataclass(frozen=True)
class _Linux:
    """Puts libosinfo's word into a guest."""

    guest: Guest

    @property
    def spoken(self) -> Guest:
        def with_os(text: str) -> str:
            return text.replace("  <memory unit", f"{OS}  <memory unit", 1)

        return Guest(with_os(self.guest.xml), None if self.guest.live is None else with_os(self.guest.live))


@st.composite
def guests(draw: st.DrawFn, name: str) -> Guest:
    iothreads = draw(st.integers(0, 2))
    devices = []
    for number in range(draw(st.integers(1, 3))):
        bus = draw(st.sampled_from(["virtio", "virtio", "scsi", "sata", "usb"]))
        attributes = {
            "cache": draw(st.sampled_from([None, "none", "writeback", "writethrough", "directsync", "unsafe"])),
            "io": draw(st.sampled_from([None, "native", "threads", "io_uring"])),
            "discard": draw(st.sampled_from([None, "unmap", "ignore"])),
            "detect_zeroes": draw(st.sampled_from([None, "on", "unmap", "off"])),
            "queues": draw(st.sampled_from([None, "1", "4"])) if bus == "virtio" else None,
            "iothread": "1" if iothreads and bus == "virtio" and draw(st.booleans()) else None,
        }
        kind = draw(st.sampled_from(["file", "block"]))
        devices.append(
            a_disk(
                f"{'vd' if bus == 'virtio' else 'sd'}{chr(97 + number)}",
                bus=bus,
                kind=kind,
                format=draw(st.sampled_from(["raw", "qcow2"])),
                driver=" ".join(f"{key}='{value}'" for key, value in attributes.items() if value is not None),
                more=draw(st.sampled_from(["", "", "<readonly/>"])),
            )
        )
    driver = draw(st.sampled_from(["", "queues='1'", "iothread='1'" if iothreads else ""]))
    devices.append(scsi_controller(draw(st.sampled_from(["virtio-scsi", "lsilogic"])), driver=driver))
    guest = a_guest(
        name,
        running=draw(st.booleans()),
        vcpus=2,
        iothreads=iothreads,
        machine=draw(st.sampled_from(["pc-q35-7.2", "pc-q35-5.1", "pc-q35-3.1"])),
        devices="".join(devices),
    )
    return _Linux(guest).spoken if draw(st.booleans()) else guest


scenes = given(st.sampled_from(HOSTS), guests("a"), guests("b"), st.sampled_from(list(Goal)))


def check(host: Host, first: Guest, second: Guest, goal: Goal) -> None:
    result = audit(host, [first.domain, second.domain], Intent(goal=goal))
    agreeing(result)
    for finding in result.findings:
        well_formed(finding)
    check_following(host, [first, second], goal)
    check_following_all(host, [first, second], goal)


@scenes
@settings(max_examples=25, deadline=None)
def test_what_is_wanted_of_disks_silences_its_rule(host: Host, first: Guest, second: Guest, goal: Goal) -> None:
    check(host, first, second, goal)


@pytest.mark.soak
@scenes
@settings(max_examples=1_000, deadline=None)
def test_what_is_wanted_of_many_disks_silences_its_rule(host: Host, first: Guest, second: Guest, goal: Goal) -> None:
    check(host, first, second, goal)
