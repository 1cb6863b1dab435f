"""What each rule changes of a running guest, read by the tests themselves where it works: QEMU and the kernel."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from kvmnb.advise.finding import Finding
from tests.advise.spoiled import image
from tests.lab.guest import Guest


class Qemu:
    """The QEMU of a guest: its command line, its threads and its open files."""

    def __init__(self, guest: Guest) -> None:
        self.guest = guest
        self.process = Path(f"/proc/{guest.pid}")
        self.words = (self.process / "cmdline").read_text().split("\0")

    def after(self, option: str) -> list[str]:
        """What follows each occurrence of an option."""
        return [value for word, value in zip(self.words, self.words[1:], strict=False) if word == option]

    def device(self, **properties: object) -> dict[str, Any]:
        """The -device with these properties; empty where there is none."""
        found: list[dict[str, Any]] = [json.loads(text) for text in self.after("-device")]
        return next((one for one in found if properties.items() <= one.items()), {})

    def disk(self, finding: Finding) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        """The file, the format and the device of the disk that a finding is about."""
        path = image(self.guest.lab, self.guest.name.partition("-")[0], finding.subject.rpartition("/")[2])
        nodes: list[dict[str, Any]] = [json.loads(text) for text in self.after("-blockdev")]
        file = next(one for one in nodes if one.get("filename") == str(path))
        form = next(one for one in nodes if one.get("file") == file["node-name"])
        return file, form, self.device(drive=form["node-name"])

    def card(self, finding: Finding) -> dict[str, Any]:
        """The network card that a finding is about."""
        return self.device(mac=unquote(finding.subject.rpartition("/")[2]))

    def sockets(self) -> str:
        """How many sockets the guest is told of."""
        (said,) = self.after("-smp")
        return dict(part.split("=") for part in said.split(",")[1:])["sockets"]

    def taps(self) -> int:
        """How many queues of taps it holds open, by the kernel."""
        return sum("\niff:" in _text(one) for one in (self.process / "fdinfo").iterdir())

    def cpus(self, kind: str) -> set[int]:
        """The CPUs on which its threads whose names begin so may run; '' is the first thread."""
        threads = (
            [tid for tid, name in self.guest.threads.items() if name.startswith(kind)] if kind else [self.guest.pid]
        )
        return set().union(*(os.sched_getaffinity(tid) for tid in threads))

    def balloon(self, name: str) -> object:
        """A property of its balloon, by its monitor: the lab's own guests may be asked so."""
        import libvirt_qemu

        asked = {"execute": "qom-get", "arguments": {"path": "/machine/peripheral/balloon0", "property": name}}
        return json.loads(libvirt_qemu.qemuMonitorCommand(self.guest.domain, json.dumps(asked), 0))["return"]


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except FileNotFoundError:
        return ""


def _switched_off(card: dict[str, Any]) -> list[str]:
    return sorted(name for name, value in card.items() if value is False)


Reading = Callable[[Qemu, Finding], object]

IN_FORCE: dict[str, tuple[Reading, object]] = {
    "cpu.mode": (lambda qemu, _: qemu.after("-cpu")[0].partition(",")[0], "max"),
    "cpu.pin.emulator": (lambda qemu, _: qemu.cpus("CPU ").isdisjoint(qemu.cpus("")), True),
    "cpu.pin.iothread": (lambda qemu, _: qemu.cpus("CPU ").isdisjoint(qemu.cpus("IO ")), True),
    "cpu.topology.match": (lambda qemu, _: qemu.sockets(), "1"),
    "dev.agent": (lambda qemu, _: bool(qemu.device(driver="virtserialport", name="org.qemu.guest_agent.0")), True),
    "disk.bus": (lambda qemu, finding: qemu.disk(finding)[2]["driver"], "virtio-blk-pci"),
    "disk.cache.unsafe": (lambda qemu, finding: qemu.disk(finding)[1]["cache"]["no-flush"], False),
    "disk.controller.choice": (lambda qemu, _: qemu.device(id="scsi0")["driver"], "virtio-scsi-pci"),
    "disk.detect_zeroes": (lambda qemu, finding: qemu.disk(finding)[1].get("detect-zeroes"), None),
    "disk.discard": (lambda qemu, finding: qemu.disk(finding)[1].get("discard"), "unmap"),
    "disk.io": (lambda qemu, finding: qemu.disk(finding)[0].get("aio"), "threads"),
    "disk.iothread": (lambda qemu, finding: qemu.disk(finding)[2].get("iothread"), "iothread1"),
    "disk.queues": (lambda qemu, finding: qemu.disk(finding)[2].get("num-queues"), 2),
    "mem.balloon.fpr": (lambda qemu, _: qemu.balloon("free-page-reporting"), True),
    "mem.balloon.stats": (lambda qemu, _: qemu.balloon("guest-stats-polling-interval"), 5),
    "net.model": (lambda qemu, finding: qemu.card(finding)["driver"], "virtio-net-pci"),
    "net.offload.guest": (lambda qemu, finding: _switched_off(qemu.card(finding)), []),
    "net.queues": (lambda qemu, _: qemu.taps(), 2),
    "net.ring.virtio": (lambda qemu, finding: qemu.card(finding)["tx_queue_size"], 256),
}  # fmt: skip
"""By rule: how to read what it changes, and what that is when the rule was followed."""
