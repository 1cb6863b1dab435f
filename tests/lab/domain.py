"""The XML of the lab's guests."""

from __future__ import annotations

import re
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

from tests.lab.boot import boot_files

DOMAIN = """\
<domain type='qemu'>
  <name>{name}</name>{uuid}
  <memory unit='MiB'>{memory_mib}</memory>
  <vcpu placement='static'>{vcpus}</vcpu>{domain}
  <os>
    <type arch='x86_64' machine='{machine}'>hvm</type>{system}
  </os>
  <features>
    <acpi/>
    <apic/>
  </features>{cpu}
  <on_reboot>restart</on_reboot>
  <devices>
    <emulator>{emulator}</emulator>
    <controller type='usb' model='none'/>
    <serial type='pty'>
      <log file={log} append='on'/>
      <target port='0'/>
    </serial>{devices}
  </devices>
</domain>
"""


SYSTEM = """
    <kernel>{kernel}</kernel>
    <initrd>{initrd}</initrd>
    <cmdline>console=ttyS0 quiet mitigations=off nokaslr{busy}</cmdline>"""


def domain_xml(
    name: str,
    folder: Path,
    *,
    system: bool = True,
    vcpus: int = 1,
    memory_mib: int = 128,
    busy: int = 0,
    machine: str = "q35",
    uuid: str = "",
    emulator: str = "/usr/bin/qemu-system-x86_64",
    domain: tuple[str, ...] = (),
    cpu: str = "",
    devices: tuple[str, ...] = (),
) -> str:
    """Write the XML of a guest that boots the small system under TCG, its serial log in ``folder``.

    Without a ``system`` it runs its firmware alone, which finds nothing to start from and halts: next to no work, where
    a system takes three seconds of a CPU to start. ``busy`` is how many endless loops the guest runs. ``domain`` holds
    elements that follow <vcpu> (<cputune>, <numatune>, <memoryBacking> and the like), ``cpu`` one <cpu> element,
    ``devices`` elements of <devices>.
    """
    boot = boot_files()
    loops = f" kvmnb.busy={busy}" if busy else ""
    started = SYSTEM.format(kernel=escape(str(boot.kernel)), initrd=escape(str(boot.initrd)), busy=loops)
    return DOMAIN.format(
        name=escape(name),
        uuid=f"\n  <uuid>{uuid}</uuid>" if uuid else "",
        memory_mib=memory_mib,
        vcpus=vcpus,
        domain=_indent(domain, 2),
        machine=machine,
        system=started if system else "",
        cpu=_indent((cpu,) if cpu else (), 2),
        emulator=emulator,
        log=quoteattr(str(serial_log(folder, name))),
        devices=_indent(devices, 4),
    )


def disk_xml(path: Path, target: str = "vda", bus: str = "virtio", driver: str = "") -> str:
    """Write a raw disk; ``driver`` holds more attributes of its <driver>, such as ``cache='none'``."""
    return (
        f"<disk type='file' device='disk'><driver name='qemu' type='raw' {driver}/>"
        f"<source file={quoteattr(str(path))}/><target dev='{target}' bus='{bus}'/></disk>"
    )


def nic_xml(model: str = "virtio") -> str:
    """Write a network card behind QEMU's own user-mode network: it needs no bridge and no privilege."""
    return f"<interface type='user'><model type='{model}'/></interface>"


def vnc_xml(password: str) -> str:
    """Write a VNC display with a password, and the video card it needs.

    It listens on a socket in the lab's folder: libvirt's choice of a free port can fail where two labs run.
    """
    return (
        f"<graphics type='vnc' passwd={quoteattr(password)}><listen type='socket'/></graphics>"
        "<video><model type='vga'/></video>"
    )


def serial_log(folder: Path, name: str) -> Path:
    """Name the file that takes what a guest prints on its serial port."""
    return folder / f"{re.sub(r'[^A-Za-z0-9._-]', '_', name)}.serial"


def _indent(elements: tuple[str, ...], columns: int) -> str:
    return "".join(f"\n{' ' * columns}{element}" for element in elements)
