"""Which boot of the kernel this is: live values end with it."""

from __future__ import annotations

from kvmnb.apply.journal import Journal
from kvmnb.machine.machine import Machine


def boot_id(machine: Machine) -> str | None:
    """The id of the kernel's present boot; None where the host's files are not ours to read."""
    if machine.files is None:
        return None
    try:
        return machine.files.read("proc/sys/kernel/random/boot_id")
    except (OSError, ValueError):
        return None


def booted_since(journal: Journal, machine: Machine) -> bool:
    """Whether the host was booted since the journal was begun; no, where either boot's id is not known."""
    then, now = journal.opening.boot_id, boot_id(machine)
    return then is not None and now is not None and then != now
