"""libvirt's own QEMU driver inside this process, as a judge of what a daemon would define."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from kvmnb.apply import landing
from kvmnb.core.xml import Edited, Reversal, altered
from kvmnb.machine.connection import import_libvirt
from kvmnb.machine.domain_shape import DOMAIN
from kvmnb.machine.sources import live
from kvmnb.plan.edited import EditedDomain
from kvmnb.probe.domain import domain_of_text


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


def changed_places(edited: Edited, after: str, whole: Reversal) -> set[str]:
    """Where the text that libvirt gives back differs from what was asked of it, as apply sees it."""
    asked = {said.split(" ")[0] for said in altered(edited.text, after, DOMAIN)}
    return asked | set(landing.altered(whole, edited.reversal))


def foretold(told: set[str], places: set[str]) -> bool:
    """Whether just these places were named; libvirt drops an element with the last that stood in it."""
    within = {path: [place for place in places if f"{path}/".startswith(f"{place}/")] for path in told}
    return all(within.values()) and {place for found in within.values() for place in found} == places


def as_planned(before: str, after: str) -> EditedDomain:
    """A domain with its XML before and after a plan, as the preflight gets it."""
    first = domain_of_text(before, "domain")
    return EditedDomain(first, before, after, first.wanted, domain_of_text(after, "domain").wanted)
