"""QEMU's command line before and after a plan, where the driver can tell it."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass

from kvmnb.core.diff import unified
from kvmnb.core.errors import KvmnbError, NotAnswered
from kvmnb.core.xml import mask
from kvmnb.core.xml.mask import MASK
from kvmnb.machine.deadline import within
from kvmnb.machine.machine import Machine
from kvmnb.plan.check import Check, Outcome
from kvmnb.plan.edited import EditedDomain

SECONDS = 5.0
"""How long libvirt is waited for; on a quiet host it answers in some tens of milliseconds."""

_SECRET_OBJECT = re.compile(r"\bsecret\b")
_FIELD = re.compile(r"(?<=,)(data|file)=[^,]*")


@dataclass(frozen=True, slots=True)
class CommandLine:
    """What came of asking for one guest's command lines."""

    diff: str | None
    """A unified diff, one option a line, secrets masked; empty where nothing differs; None where nobody told."""
    check: Check


def command_line(edited: EditedDomain, machine: Machine, seconds: float = SECONDS) -> CommandLine:
    """The difference that a plan makes to QEMU's command line, and whether libvirt can build the new one."""
    name = edited.domain.name
    try:
        after = _native(machine, edited.after_xml, seconds)
    except NotAnswered as problem:
        said = f"Whether libvirt can build QEMU's command line was not checked: {problem}."
        return CommandLine(None, Check("command-line", name, Outcome.UNKNOWN, said))
    except KvmnbError as problem:
        return CommandLine(None, _refused(edited, machine, seconds, problem))
    passed = Check("command-line", name, Outcome.PASSED, "libvirt built QEMU's command line from the edited XML.")
    try:
        before = _native(machine, edited.before_xml, seconds)
    except KvmnbError:
        # The guest could not start before, so there is nothing to compare with.
        return CommandLine(None, passed)
    return CommandLine(unified(option_lines(before), option_lines(after), f"qemu of {name}"), passed)


def _refused(edited: EditedDomain, machine: Machine, seconds: float, problem: KvmnbError) -> Check:
    """A refusal of the edited XML stops the plan, unless libvirt refuses the present XML in the same way."""
    said = f"libvirt cannot build QEMU's command line from the edited XML, so the guest would not start: {problem}"
    try:
        _native(machine, edited.before_xml, seconds)
    except NotAnswered as silence:
        # A daemon that became slow meanwhile has said nothing in the edited XML's favour.
        said = f"{said} (the present XML was not compared: {silence})"
    except KvmnbError:
        said = f"libvirt can build QEMU's command line neither from the present XML nor from the edited one: {problem}"
        return Check("command-line", edited.domain.name, Outcome.TOLD, f"{said}.")
    return Check("command-line", edited.domain.name, Outcome.STOPS, f"{said}.")


def _native(machine: Machine, xml: str, seconds: float) -> str:
    if seconds <= 0:
        raise NotAnswered("libvirt took too long with the guests before this one")
    return within(seconds, lambda: machine.libvirt.native(xml), "asking libvirt for QEMU's command line")


def option_lines(command: str) -> str:
    """A command line as text with one option a line, secrets masked.

    >>> option_lines("LC_ALL=C /usr/bin/qemu -m size=1024k -nographic")
    'LC_ALL=C\\n/usr/bin/qemu\\n-m size=1024k\\n-nographic\\n'
    """
    lines: list[str] = []
    for word in shlex.split(command):
        if word.startswith("-") or not lines or not lines[-1].startswith("-") or " " in lines[-1]:
            lines.append(word)
        else:
            lines[-1] += f" {masked_option(word)}"
    return "".join(f"{mask(line)}\n" for line in lines)


def masked_option(word: str) -> str:
    """An option's value without the secret that it may hold (``-object secret``)."""
    if not _SECRET_OBJECT.search(word):
        return word
    if word.startswith("{"):
        try:
            fields = json.loads(word)
        except ValueError:
            return MASK
        return json.dumps({name: MASK if name in ("data", "file") else value for name, value in fields.items()})
    return _FIELD.sub(rf"\1={MASK}", word)
