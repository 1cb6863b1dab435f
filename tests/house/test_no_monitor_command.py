"""kvmnb sends no monitor command to a guest, and a raw agent command from one module alone: both taint it."""

from __future__ import annotations

import re
from pathlib import Path

import kvmnb

# libvirt-python's names of such calls, virsh's word for the one, and QEMU's own sockets.
SENDS = re.compile(r"qemuMonitorCommand|qemuAgentCommand|libvirt_qemu|qemu-monitor-command|qmp_capabilities")


# Runs fixed commands in a guest for a person who asked for that, and is called by nothing else.
ASKED_FOR = {"machine/agent_program.py": {"libvirt_qemu", "qemuAgentCommand"}}


def test_no_module_names_a_call_that_sends_a_monitor_or_a_raw_agent_command_unasked() -> None:
    root = Path(kvmnb.__file__).parent
    modules = sorted(root.rglob("*.py"))
    assert len(modules) > 100
    texts = {str(path.relative_to(root)): path.read_text(encoding="utf-8") for path in modules}
    assert {name: set(found) for name, text in texts.items() if (found := SENDS.findall(text))} == ASKED_FOR
    assert SENDS.search("libvirt_qemu.qemuMonitorCommand(domain, '{}', 0)")
    # The way to it has these stations, and only a person's word begins it.
    stations = {"verbs.py", "probe/inside.py", "show/cards/inside.py"}
    passed_on = {f"machine/{name}.py" for name in ("hypervisor", "connection", "recording", "given", "named_guests")}
    assert {name for name, text in texts.items() if "run_inside" in text} == stations | passed_on
