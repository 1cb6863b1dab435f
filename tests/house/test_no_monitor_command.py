"""kvmnb sends no monitor command and no raw agent command to a guest: the one taints it, the other is its own."""

from __future__ import annotations

import re
from pathlib import Path

import kvmnb

# libvirt-python's names of such calls, virsh's word for the one, and QEMU's own sockets.
SENDS = re.compile(r"qemuMonitorCommand|qemuAgentCommand|libvirt_qemu|qemu-monitor-command|qmp_capabilities")


def test_no_module_names_a_call_that_sends_a_monitor_or_a_raw_agent_command() -> None:
    modules = sorted(Path(kvmnb.__file__).parent.rglob("*.py"))
    assert len(modules) > 100
    named = {str(path): found for path in modules if (found := SENDS.findall(path.read_text(encoding="utf-8")))}
    assert named == {}
    assert SENDS.search("libvirt_qemu.qemuMonitorCommand(domain, '{}', 0)")
