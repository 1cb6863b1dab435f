"""A guest that runs in a lab."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import select
import time
import tty
from pathlib import Path
from typing import Any, Self
from xml.etree import ElementTree

from tests.lab.boot import LabError
from tests.lab.daemon import Lab
from tests.lab.domain import domain_xml, serial_log

READY = "kvmnb-guest ready:"
"""What the guest's init prints on its serial port when it is up."""


class Guest:
    """One guest that was defined and started in a lab."""

    def __init__(self, lab: Lab, xml: str) -> None:
        """Define and start the guest of ``xml``; its system is still booting then (see ``wait_ready``)."""
        import libvirt

        self.lab = lab
        self.connection: Any = lab.connect()
        flags = libvirt.VIR_DOMAIN_DEFINE_VALIDATE
        self.domain: Any = self.connection.defineXMLFlags(xml, flags)
        self.name: str = self.domain.name()
        self.uuid: str = self.domain.UUIDString()
        self.log = serial_log(lab.root, self.name)
        self._console = -1
        # One of this name may have been before it, and have said that it is ready.
        self.log.unlink(missing_ok=True)
        try:
            self.domain.create()
        except libvirt.libvirtError:
            self.domain.undefine()
            self.connection.close()
            raise

    @classmethod
    def start(cls, lab: Lab, name: str, **options: Any) -> Self:
        """Start a guest of ``domain_xml(name, ..., **options)``."""
        return cls(lab, domain_xml(name, lab.root, **options))

    @property
    def pid(self) -> int:
        """The process id of the guest's QEMU."""
        return int((self.lab.root / "run/libvirt/qemu" / f"{self.name}.pid").read_text())

    @property
    def threads(self) -> dict[int, str]:
        """The QEMU's threads: kernel thread id to name, such as "CPU 0/TCG"."""
        found = {}
        for task in Path(f"/proc/{self.pid}/task").iterdir():
            found[int(task.name)] = (task / "comm").read_text().strip()
        return found

    @property
    def affinities(self) -> dict[int, set[int]]:
        """Where each thread of its QEMU may run, by the kernel."""
        found = {}
        for tid in self.threads:
            try:
                found[tid] = os.sched_getaffinity(tid)
            except ProcessLookupError:
                # QEMU's workers come and go.
                continue
        return found

    @property
    def vcpu_threads(self) -> tuple[int, ...]:
        """The kernel thread ids of the vCPUs, in their order."""
        named = ((re.fullmatch(r"CPU (\d+)/\w+", name), thread) for thread, name in self.threads.items())
        return tuple(thread for _, thread in sorted((int(found[1]), thread) for found, thread in named if found))

    def xml(self, *, live: bool = False) -> str:
        """Read the guest's XML with its secrets: the inactive one, or the live one."""
        import libvirt

        layer = 0 if live else libvirt.VIR_DOMAIN_XML_INACTIVE
        return str(self.domain.XMLDesc(libvirt.VIR_DOMAIN_XML_SECURE | layer))

    def wait_ready(self, timeout: float = 60.0) -> str:
        """Wait until the system in the guest says it is ready, and return the line it says it with."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            printed = self.log.read_text(errors="replace") if self.log.exists() else ""
            found = re.search(rf"{READY}.*?(?=\r?\n)", printed)
            if found:
                return found.group()
            if not self.domain.isActive():
                raise LabError(f"Guest {self.name} ended before it was ready; it printed: {printed[-600:]}")
            time.sleep(0.02)
        raise LabError(f"Guest {self.name} was not ready after {timeout:g} s; it printed: {printed[-600:]}")

    def run(self, command: str, timeout: float = 30.0) -> str:
        """Run a shell command in the ready guest over its serial port and return what it prints.

        The first call of a guest takes up to a second: so often QEMU looks whether someone opened its pty.
        Raises LabError where the command fails or does not end in time.
        """
        if self._console < 0:
            source = ElementTree.fromstring(self.xml(live=True)).find("devices/serial/source")
            assert source is not None
            self._console = os.open(source.attrib["path"], os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
            tty.setraw(self._console)
            self._wait_for_prompt(timeout)
        mark = secrets.token_hex(4)
        # The terminal echoes the line; the quotes make the marks in the echo unlike those that are printed.
        os.write(self._console, f"echo b''-{mark}; {command}; echo e''-{mark}-$?\n".encode())
        printed = ""
        deadline = time.monotonic() + timeout
        while True:
            found = re.search(rf"\bb-{mark}\r*\n(.*?)e-{mark}-(\d+)", printed, re.DOTALL)
            if found:
                break
            if not select.select([self._console], [], [], max(0.0, deadline - time.monotonic()))[0]:
                raise LabError(f"Guest {self.name} did not end '{command}' in {timeout:g} s: {printed[-600:]}")
            printed += os.read(self._console, 4096).decode(errors="replace")
        text = found.group(1).replace("\r", "")
        if found.group(2) != "0":
            raise LabError(f"Guest {self.name}: '{command}' ended with {found.group(2)}: {text}")
        return text

    def _wait_for_prompt(self, timeout: float) -> None:
        """Wait until the shell takes input: what comes while it starts is lost in part."""
        printed = ""
        deadline = time.monotonic() + timeout
        while "# " not in printed:
            if time.monotonic() > deadline:
                raise LabError(f"Guest {self.name} showed no prompt in {timeout:g} s; it printed: {printed[-600:]}")
            os.write(self._console, b"\n")
            while select.select([self._console], [], [], 0.3)[0]:
                printed += os.read(self._console, 4096).decode(errors="replace")

    def reconnect(self) -> None:
        """Open a new connection, as is needed after the lab's libvirtd was restarted."""
        self.connection = self.lab.connect()
        self.domain = self.connection.lookupByUUIDString(self.uuid)

    def restart(self) -> None:
        """Give the guest a new QEMU; its system is booting then (see ``wait_ready``)."""
        if self._console >= 0:
            os.close(self._console)
            self._console = -1
        self.log.write_text("")
        self.domain.destroy()
        self.domain.create()

    def remove(self) -> None:
        """Destroy and undefine the guest; one that is already gone is left so."""
        import libvirt

        if self._console >= 0:
            os.close(self._console)
            self._console = -1
        with contextlib.suppress(libvirt.libvirtError):
            self.connection.close()
        connection = self.lab.connect()
        try:
            domain = connection.lookupByUUIDString(self.uuid)
            if domain.isActive():
                domain.destroy()
            if domain.isPersistent():
                domain.undefineFlags(libvirt.VIR_DOMAIN_UNDEFINE_MANAGED_SAVE)
        except libvirt.libvirtError as error:
            if error.get_error_code() != libvirt.VIR_ERR_NO_DOMAIN:
                raise
        finally:
            connection.close()
