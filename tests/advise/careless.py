"""Scratch copies of the demo host with more guests and settings, so that every rule that can be followed speaks."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from kvmnb import demo
from kvmnb.advise.intent import Intent
from kvmnb.core.units import GIB, KIB
from kvmnb.machine.sources import scratch
from kvmnb.verbs import Here
from tests.advise.disk.builders import DEBIAN, IMAGES, a_disk, scsi_controller
from tests.advise.mem.builders import HUGEPAGES, REAL_TIME, VHOST_USER, a_memory_guest
from tests.advise.net.builders import interface
from tests.builders import Guest, a_guest, cells

POOL = "sys/devices/system/node/node0/hugepages/hugepages-2048kB"
MOUNTS = "proc/self/mountinfo"
HOSTS = {
    "crowded": {
        "proc/sys/net/netfilter/nf_conntrack_count": "250000\n",
        # A mount with strictatime has no word for it.
        MOUNTS: (demo.path() / MOUNTS).read_text().replace("/images rw,relatime", "/images rw"),
    },
    "roomy": {
        "sys/kernel/mm/transparent_hugepage/enabled": "always [madvise] never\n",
        f"{POOL}/nr_hugepages": "8192\n",
        f"{POOL}/free_hugepages": "8192\n",
    },
}
"""By host: the files in which it differs from the demo host."""

IMAGE = f"{IMAGES}/vdb.img"
ANSWERS = {
    ("stat", "-L", "-c", "%f %d %i %t %T", "--", IMAGE): "81a4 66306 131 0 0\n",
    ("stat", "-f", "-L", "-c", "%S %b %a", "--", IMAGE): "4096 100000000 90000000\n",
    ("qemu-img", "info", "-U", "--output=json", "-f", "qcow2", "--", IMAGE): json.dumps(
        {"virtual-size": 1024 * GIB, "actual-size": 9 * GIB, "cluster-size": 64 * KIB, "format": "qcow2"}
    ),
}
"""What programs say of the image of a guest: large, in small clusters."""

OLD_CPU = "<cpu mode='custom' match='exact'><model fallback='forbid'>Haswell-noTSX</model></cpu>"
LINUX = (
    "<metadata><libosinfo:libosinfo xmlns:libosinfo='http://libosinfo.org/xmlns/libvirt/domain/1.0'>"
    f"<libosinfo:os id='{DEBIAN}'/></libosinfo:libosinfo></metadata>"
)
NO_OFFLOADS = "name='vhost'><host gso='off' csum='on'/><guest tso4='off'/>"


def guests() -> dict[str, Guest]:
    """Guests by what is wrong with them."""
    made = [
        a_guest("emulated", virt_type="qemu"),
        a_guest("named", cpu=OLD_CPU, running=False),
        a_guest("shaped", vcpus=2, memory_gib=2, cpu=cells(("0", 1), ("1", 0.5))),
        a_memory_guest("urgent", extra=REAL_TIME, running=False, memory_gib=1),
        a_memory_guest("served", devices=VHOST_USER, memory_gib=1),
        a_memory_guest("waits", backing=HUGEPAGES, memory_gib=1, running=False),
        a_guest("cards", vcpus=4, devices=interface(driver=NO_OFFLOADS) + _ring("1024")),
        _with(
            "disks",
            LINUX,
            devices=a_disk("vda", kind="block", driver="cache='none' io='threads'", format="raw")
            + a_disk("vdb", driver="cache='none' queues='1'")
            + a_disk("sda", bus="scsi", driver="cache='unsafe' detect_zeroes='on'")
            + scsi_controller("lsilogic"),
        ),
    ]
    return {one.domain.name: one for one in made}


def _with(name: str, inside: str, **words: object) -> Guest:
    text = a_guest(name, **words).xml.replace("  <devices>", f"{inside}\n  <devices>", 1)  # type: ignore[arg-type]
    return Guest(text, text)


def _ring(size: str) -> str:
    return interface(mac="52:54:00:00:00:09", driver=f"tx_queue_size='{size}'")


def a_careless_host(folder: Path, more: Iterable[Guest], files: Mapping[str, str]) -> Here:
    """A scratch copy of the demo host with these guests, and with these files in the place of its own."""
    machine = scratch(demo.path(), folder)
    for guest in more:
        place = folder / "libvirt/domains" / guest.domain.uuid
        place.mkdir()
        (place / "inactive.xml").write_text(guest.xml)
        if guest.live is not None:
            (place / "live.xml").write_text(guest.live)
        (place / "state.json").write_text('{"autostart": true}')
    for path, text in files.items():
        (folder / path).write_text(text)
    (folder / "commands").mkdir()
    lines = []
    for number, (argv, said) in enumerate(ANSWERS.items()):
        (folder / f"commands/{number}.txt").write_text(said)
        lines.append({"argv": argv, "code": 0, "stdout": f"{number}.txt", "stderr": ""})
    (folder / "commands/index.json").write_text(json.dumps({"schema": "kvmnb.commands/1", "answers": lines}))
    return Here(machine, Intent())
