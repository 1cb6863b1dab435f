"""The form in a browser, before a real libvirtd, a running guest and the kernel: pressed, seen in force, taken back."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from kvmnb.advise import registry
from tests.advise.in_force import Qemu
from tests.lab.daemon import Lab
from tests.lab.domain import domain_xml
from tests.lab.guest import Guest
from tests.ui.jupyter import REPO, Notebook, jupyterlab, write_notebook

pytestmark = [pytest.mark.lab, pytest.mark.browser, pytest.mark.slow]

# No other run on this machine has this name, nor has the machine itself.
BRIDGE = f"kvmnb{os.getpid() % 1_000_000}br"
POOL = Path("/sys/devices/system/node/node0/hugepages/hugepages-2048kB/nr_hugepages")
NEW_DEVICES = ("disk.bus", "disk.cache", "net.model", "mem.hugepages.static")
THEIR_SETTINGS = ("disk.iothread", "disk.io", "net.queues")
"""What the rules have to say of the new devices, once the XML names them."""

OPENING = """\
import kvmnb
from dataclasses import replace
from kvmnb.tunable.sysfs import Sysfs
from kvmnb.tunable.tunable import Want
from tests.findings import a_finding
here = kvmnb.open(goal="throughput")
look = here.audit
own = replace(a_finding(Want(Sysfs("block/{loop}/queue/scheduler"), "mq-deadline")), title="another scheduler")
here.audit = lambda **how: (lambda one: replace(one, findings=(*one.findings, own)))(look(**how))
"""
"""A loop device stands in for a disk, of whose scheduler no rule speaks."""
FORM = "form = here.tune(rules={rules})\nform"
SAID = """\
[guest."{name}"]
os = "linux"

[threshold]
"mem.hugepages.static.large" = 0
"""


@dataclass(frozen=True)
class Bench:
    """A guest with emulated devices on a block device and a bridge of its own."""

    guest: Guest
    loop: str

    @property
    def scheduler(self) -> str:
        """The one in force; the kernel writes it in brackets."""
        return Path(f"/sys/block/{self.loop}/queue/scheduler").read_text().partition("[")[2].partition("]")[0]

    def seen(self) -> dict[str, object]:
        """What QEMU, the kernel and the guest's own system say, without a word of kvmnb's."""
        self.guest.wait_ready()
        qemu = Qemu(self.guest)
        nodes = [json.loads(text) for text in qemu.after("-blockdev")]
        (file,) = (one for one in nodes if one.get("filename") == f"/dev/{self.loop}")
        (form,) = (one for one in nodes if one.get("file") == file["node-name"])
        disk = qemu.device(drive=form["node-name"])
        maps = (qemu.process / "smaps").read_text()
        return {
            "huge pages": sum(int(size) for size in re.findall(r"Private_Hugetlb: +(\d+) kB", maps)),
            "disk": disk["driver"],
            "iothread": disk.get("iothread") in [json.loads(one)["id"] for one in qemu.after("-object") if "{" in one],
            "cache": (file["cache"] if "cache" in file else form.get("cache", {})).get("direct", False),
            "aio": file.get("aio"),
            "queues of the tap": qemu.taps(),
            "disks in the guest": self.guest.run("cd /sys/block; ls -d ?d?").split(),
            "NIC in the guest": self.guest.run("basename $(readlink /sys/class/net/eth0/device/driver)").strip(),
            "queues in the guest": int(self.guest.run("ls -d /sys/class/net/eth0/queues/tx-* | wc -l")),
        }


BEFORE = {
    "huge pages": 0,
    "disk": "ide-hd",
    "iothread": False,
    "cache": False,
    "aio": None,
    "queues of the tap": 1,
    "disks in the guest": ["sda"],
    "NIC in the guest": "e1000",
    "queues in the guest": 1,
}
AFTER = {
    "huge pages": 128 * 1024,
    "disk": "virtio-blk-pci",
    "iothread": True,
    "cache": True,
    "aio": "native",
    "queues of the tap": 4,
    "disks in the guest": ["vda"],
    "NIC in the guest": "virtio_net",
    "queues in the guest": 4,
}


@pytest.fixture
def bench(lab: Lab, restore: Callable[..., None]) -> Iterator[Bench]:
    with ExitStack() as stack:
        _run("ip", "link", "add", BRIDGE, "type", "bridge")
        stack.callback(_run, "ip", "link", "del", BRIDGE)
        device = _run("losetup", "--find", "--show", str(lab.disk(f"ui-{lab.tag}"))).strip()
        stack.callback(_run, "losetup", "--detach", device)
        loop = Path(device).name
        restore(POOL, f"/sys/block/{loop}/queue/scheduler")
        Path(f"/sys/block/{loop}/queue/scheduler").write_text("none")
        POOL.write_text("0")
        disk = (
            f"<disk type='block' device='disk'><driver name='qemu' type='raw'/><source dev='{device}'/>"
            "<target dev='hda' bus='ide'/></disk>"
        )
        nic = f"<interface type='bridge'><source bridge='{BRIDGE}'/><model type='e1000'/></interface>"
        one = Guest.start(lab, f"tuned-{lab.tag}", vcpus=4, machine="pc", devices=(disk, nic))
        stack.callback(one.remove)
        # It starts with the host and wants pages, of which there are none: so the pool is too small.
        stored = lab.connect().defineXML(
            domain_xml(f"stored-{lab.tag}", lab.root, domain=("<memoryBacking><hugepages/></memoryBacking>",))
        )
        stack.callback(stored.undefine)
        stored.setAutostart(1)
        yield Bench(one, loop)


def test_host_and_guest_are_tuned_by_the_form_seen_in_force_and_taken_back_from_the_journal(
    page: Any, lab: Lab, bench: Bench, artefacts: Path, tmp_path: Path
) -> None:
    (tmp_path / "kvmnb").mkdir()
    (tmp_path / "kvmnb/kvmnb.toml").write_text(SAID.format(name=bench.guest.name))
    xml = bench.guest.xml()
    assert bench.seen() == BEFORE
    how = {"KVMNB_HOST": lab.uri, "KVMNB_TICK": "0.2", "XDG_CONFIG_HOME": str(tmp_path), "PYTHONPATH": str(REPO)}
    with jupyterlab(**how) as server:
        _write_notebook(server.root / "lab.ipynb", bench.loop)
        notebook = Notebook(page, server, "lab.ipynb")
        notebook.run_all()
        assert notebook.complaints() == []
        form = Form(page)
        assert (bench.guest.xml(), bench.scheduler, POOL.read_text()) == (xml, "none", "0\n")

        form.turn_to("This host")
        form.lasting.uncheck()
        form.choose("mem.hugepages.pool")
        form.area.get_by_label("another scheduler").check()
        form.type(re.compile("hugepages"), "128")
        form.press_apply()
        assert (bench.scheduler, POOL.read_text()) == ("mq-deadline", "128\n")

        form.turn_to(bench.guest.name)
        for rules in (NEW_DEVICES, THEIR_SETTINGS):
            form.choose(*rules)
            form.press_apply()
        assert "iothreads" in bench.guest.xml()
        notebook.shoot(artefacts, "form-on-the-lab", 1280, dark=False)
        bench.guest.restart()
        assert bench.seen() == AFTER

        form.press_undo()
        form.press_undo()
        assert bench.guest.xml() == xml
        bench.guest.restart()
        assert bench.seen() == BEFORE
        form.press_undo()
        assert (bench.guest.xml(), bench.scheduler, POOL.read_text()) == (xml, "none", "0\n")
        assert notebook.complaints() == []
        assert notebook.cut_off() == []


class Form:
    """The form on the page, as a person's hands and eyes meet it."""

    def __init__(self, page: Any) -> None:
        self.area = page.locator(".jp-OutputArea-output")
        self.lasting = self.area.get_by_label("Also after a reboot")
        self._apply = self.area.get_by_role("button", name="Apply")
        self._undo = self.area.get_by_role("button", name=re.compile(r"^Undo \d"))

    def turn_to(self, name: str) -> None:
        """Choose a guest, or the host, and nothing of what is offered for it."""
        guest = self.area.get_by_label("Guest", exact=True)
        expect(guest).to_be_enabled(timeout=30_000)
        labels = guest.locator("option").evaluate_all("all => all.map((one) => one.value)")
        guest.select_option(next(one for one in labels if one.startswith(name)))

    def choose(self, *rules: str) -> None:
        """Tick the findings of these rules."""
        for rule in rules:
            self.area.get_by_label(registry.rule(rule).title).check(timeout=10_000)

    def type(self, label: re.Pattern[str], text: str) -> None:
        """Type a value in the place of the wanted one."""
        self.area.get_by_label("Type other values than the wanted ones").check()
        self.area.get_by_role("textbox", name=label).fill(text)

    def press_apply(self) -> None:
        """Read the costs where there are some, press Apply, and wait for the tick."""
        costs = self.area.get_by_label("I have read what this costs")
        standing = self._undo.count()
        # What was typed is previewed after a pause, and a new preview wants to be read anew.
        until = time.monotonic() + 20
        while not self._apply.is_enabled():
            assert time.monotonic() < until, self.area.all_inner_texts()
            if costs.is_visible():
                costs.check()
            self.area.page.wait_for_timeout(300)
        self._apply.click()
        self._ended(standing + 1, "written and read back")
        guard = self.area.get_by_label("Keep only if confirmed within")
        expect(guard.locator("option:checked")).to_have_text(re.compile("as.needed"))

    def press_undo(self) -> None:
        """Press the newest journal's Undo in the journal pane, and wait for the tick."""
        standing = self._undo.count()
        self._undo.first.click()
        self._ended(standing - 1, "taken back and read back")

    def _ended(self, standing: int, said: str) -> None:
        status = self.area.get_by_role("status").last
        expect(status).to_contain_text(re.compile("✔ Done|✘ Not done"), timeout=30_000)
        expect(status).to_contain_text(said)
        expect(self._undo).to_have_count(standing)


def _write_notebook(path: Path, loop: str) -> None:
    rules = [*NEW_DEVICES, *THEIR_SETTINGS, "mem.hugepages.pool"]
    write_notebook(path, OPENING.format(loop=loop), FORM.format(rules=rules))


def _run(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=30).stdout
