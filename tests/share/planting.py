"""Originals that nobody's vocabulary holds, in the forms that they can hide in."""

from __future__ import annotations

import base64
import html
import shutil
from collections.abc import Callable
from itertools import count
from pathlib import Path

from kvmnb import demo

STEM = "Zqxplant"
"""What all originals begin with."""


class Planter:
    """Gives a new original at each call, plain or encoded in turn, and looks for all of them in a text."""

    def __init__(self) -> None:
        self._numbers = count(1000)
        self.planted = 0

    def __call__(self) -> str:
        token = f"{STEM}{next(self._numbers)}w"
        self.planted += 1
        forms = (token, percent(token), base64.b64encode(token.encode()).decode(), entities(token), token.upper())
        return forms[self.planted % len(forms)]


def planted_in(text: str) -> list[str]:
    """The forms of an original that stand in the text."""
    lower = text.lower()
    # Six of the eight letters fill eight characters of base64.
    in_base64 = base64.b64encode(STEM[:6].encode()).decode()
    forms = (STEM, percent(STEM), entities(STEM), html.escape(entities(STEM)))
    return [form for form in forms if form.lower() in lower] + [in_base64] * (in_base64 in text)


def percent(token: str) -> str:
    """Every letter percent-encoded."""
    return "".join(f"%{ord(letter):02X}" for letter in token)


def entities(token: str) -> str:
    """Every letter as an HTML entity."""
    return "".join(f"&#x{ord(letter):x};" for letter in token)


IDENTIFIERS = (
    "52:54:00:a1:b2:c3",
    "10.77.88.99",
    "4dea22b3-1d52-48f3-9516-782e98ab3fa0",
    "fd00:77::4:99",
    "hunter2horse",
)
"""Originals of shapes of their own, which ``planted_host`` puts where each belongs."""


def planted_host(folder: Path, plant: Planter) -> Path:
    """A copy of the demo host with an original in every file, and a guest with one in every field that may hold one."""
    shutil.copytree(demo.path(), folder)
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix not in (".xml", ".json"):
            text = path.read_text()
            lines = text.splitlines() or [""]
            lines[0] = f"{lines[0]} {plant()}"
            lines += [plant(), f"{plant()}: {plant()} kB", f"name={plant()}"]
            path.write_text("\n".join(lines) + "\n")
    nic = f"sys/class/net/{plant()}/{plant()}"
    (folder / nic).mkdir(parents=True)
    (folder / f"etc/sysctl.d/70-{plant()}.conf").write_text(f"net.ipv4.conf.{plant()}.forwarding = 1\n# {plant()}\n")
    (folder / f"sys/fs/cgroup/machine.slice/machine-{plant()}.scope").mkdir()
    guest = folder / "libvirt/domains" / IDENTIFIERS[2]
    guest.mkdir()
    for name in ("inactive.xml", "live.xml"):
        (guest / name).write_text(planted_guest(plant))
    return folder


def planted_guest(plant: Callable[[], str]) -> str:
    """A guest's XML with an original in each field that somebody chooses, and the identifiers in theirs."""
    mac, ip, uuid, ipv6, secret = IDENTIFIERS
    field = lambda: html.escape(plant(), quote=True)  # noqa: E731
    return f"""<domain type='kvm' id='77' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
  <name>{field()}</name><uuid>{uuid}</uuid><title>{field()}</title><description>{field()} {secret}</description>
  <metadata><o:owner xmlns:o="http://owner.example/{STEM}1w">{field()}</o:owner></metadata>
  <memory unit='KiB'>4194304</memory><vcpu placement='static'>2</vcpu>
  <sysinfo type='smbios'><system><entry name='serial'>{field()}</entry></system></sysinfo>
  <os><type arch='x86_64' machine='pc-q35-7.2'>hvm</type><kernel>/srv/{field()}/{field()}.bin</kernel>
    <cmdline>hugepages=4 {field()} token={secret}</cmdline></os>
  <devices>
    <disk type='file' device='disk'><driver name='qemu' type='raw' cache='writeback'/>
      <source file='/srv/{field()}/{field()}.img'/><target dev='vda' bus='virtio'/><serial>{field()}</serial></disk>
    <disk type='network' device='disk'><driver name='qemu' type='raw'/>
      <auth username='{field()}'><secret type='ceph' usage='{field()}'/></auth>
      <source protocol='rbd' name='{field()}/{field()}'><host name='{field()}.example.org' port='6789'/></source>
      <target dev='vdb' bus='virtio'/></disk>
    <interface type='bridge'><mac address='{mac}'/><source bridge='{field()}'/><target dev='{field()}'/>
      <model type='virtio'/></interface>
    <interface type='network'><mac address='{mac}'/><source network='{field()}' portgroup='{field()}'/>
      <model type='e1000'/></interface>
    <graphics type='vnc' port='5901' passwd='{secret}' listen='{ip}'>
      <listen type='address' address='{ipv6}'/></graphics>
  </devices>
  <qemu:commandline><qemu:arg value='{field()}'/></qemu:commandline>
</domain>
"""
