"""Runs a program in a guest through its agent (``guest-exec``), for a person who asked for that.

It is a raw command to the agent, after which libvirt counts the guest as tainted (``custom-ga-command`` in its log)
until it is stopped. An agent may refuse it: many distributions switch ``guest-exec`` off.
"""

from __future__ import annotations

import base64
import json
import time
from typing import Any

from kvmnb.core.errors import NotAnswered
from kvmnb.machine.hypervisor import Ended

MOST_TOLD_BYTES = 16 * 1024
"""So much of what a program writes is taken; it is the guest's word, however long it is."""
PAUSE_SECONDS = 0.1


def run(program: str, arguments: tuple[str, ...], seconds: float, domain: Any) -> Ended:
    """Run it and wait for its end; NotAnswered where that does not come within ``seconds`` or makes no sense."""
    deadline = time.monotonic() + seconds
    begun = _told(domain, seconds, "guest-exec", {"path": program, "arg": list(arguments), "capture-output": True})
    number = begun.get("pid")
    if not isinstance(number, int):
        raise NotAnswered(f"{program} was to run in the guest, and the agent named no process")
    while time.monotonic() < deadline:
        state = _told(domain, seconds, "guest-exec-status", {"pid": number})
        if state.get("exited"):
            code = state.get("exitcode", -1)
            return Ended(code if isinstance(code, int) else -1, _text(state))
        time.sleep(PAUSE_SECONDS)
    raise NotAnswered(f"{program} still ran in the guest after {seconds:g} seconds; it was left alone")


def _told(domain: Any, seconds: float, command: str, arguments: dict[str, Any]) -> dict[str, Any]:
    import libvirt_qemu

    text = json.dumps({"execute": command, "arguments": arguments})
    answer = libvirt_qemu.qemuAgentCommand(domain, text, max(1, int(seconds)), 0)
    try:
        told = json.loads(answer)["return"]
    except (ValueError, KeyError, TypeError) as problem:
        raise NotAnswered(f"the answer of the agent to {command} makes no sense") from problem
    if not isinstance(told, dict):
        raise NotAnswered(f"the answer of the agent to {command} makes no sense")
    return told


def _text(state: dict[str, Any]) -> str:
    written = b""
    for name in ("out-data", "err-data"):
        packed = state.get(name, "")
        try:
            written += base64.b64decode(packed if isinstance(packed, str) else "", validate=True)
        except ValueError as problem:
            raise NotAnswered("what the program wrote did not come whole out of the guest") from problem
    text = written[:MOST_TOLD_BYTES].decode("utf-8", "replace").expandtabs()
    return "".join(one if one.isprintable() or one == "\n" else "\ufffd" for one in text)
