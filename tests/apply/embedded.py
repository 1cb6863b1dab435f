"""libvirt's own QEMU driver inside this process, as a judge of what a daemon would define."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from kvmnb.machine.connection import import_libvirt
from kvmnb.machine.sources import live


class Embedded:
    """A connection to ``qemu:///embed``; it lasts until the process ends, as libvirt's event loop does."""

    def __init__(self, folder: Path) -> None:
        self.libvirt: Any = import_libvirt()
        self.libvirt.virEventRegisterDefaultImpl()
        threading.Thread(target=self._loop, daemon=True).start()
        (folder / "etc").mkdir(parents=True)
        folder.chmod(0o755)
        (folder / "etc/qemu.conf").write_text('user = "root"\ngroup = "root"\n')
        uri = f"qemu:///embed?root={folder}"
        self.connect: Any = self.libvirt.open(uri)
        self.machine = live(uri)

    def _loop(self) -> None:
        while True:
            self.libvirt.virEventRunDefaultImpl()

    def defined(self, xml: str) -> str | None:
        """The text that libvirt gives back of a definition; None where it refuses it. Nothing stays defined."""
        flags = self.libvirt.VIR_DOMAIN_XML_INACTIVE | self.libvirt.VIR_DOMAIN_XML_SECURE
        try:
            domain = self.connect.defineXMLFlags(xml, self.libvirt.VIR_DOMAIN_DEFINE_VALIDATE)
        except self.libvirt.libvirtError as problem:
            self.said = str(problem.get_error_message())
            return None
        text = str(domain.XMLDesc(flags))
        domain.undefineFlags(self.libvirt.VIR_DOMAIN_UNDEFINE_NVRAM)
        return text
