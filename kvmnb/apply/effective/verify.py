"""The verdict on a tunable, down to the layer where it works."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from kvmnb.apply.effective import disk, memory, network, system, threads
from kvmnb.apply.effective.guest_files import files_for
from kvmnb.apply.effective.look import Look, Seen
from kvmnb.core.errors import KvmnbError
from kvmnb.core.xml import Document
from kvmnb.machine.hypervisor import Layer
from kvmnb.machine.machine import Machine
from kvmnb.machine.processes import guest_processes
from kvmnb.probe.running import process_of
from kvmnb.tunable.domain_xml import DomainXml, holds_in, same_value
from kvmnb.tunable.tunable import State, Tunable, Verdict

_LOOKS = (threads.look_at, memory.look_at, disk.look_at, network.look_at, system.look_at)


def verdicts(asked: Iterable[tuple[Tunable, str | None]], machine: Machine) -> tuple[Verdict, ...]:
    """Whether each value is in force: by the tunable's own word, and by the guest's QEMU where that runs with it.

    A setting that waits for the guest's next start holds where it is stored, and the reason says that it waits.
    """
    looks: dict[str, Look | str | None] = {}
    return tuple(_verdict(tunable, value, machine, looks) for tunable, value in asked)


def _verdict(tunable: Tunable, value: str | None, machine: Machine, looks: dict[str, Look | str | None]) -> Verdict:
    told = tunable.verify(machine, value)
    if not isinstance(tunable, DomainXml) or told.state is not State.HOLDS or value is None:
        return told
    if tunable.uuid not in looks:
        looks[tunable.uuid] = _look(tunable, machine)
    look = looks[tunable.uuid]
    if look is None:
        return told
    if isinstance(look, str):
        return _unseen(told, look)
    if not holds_in(look.live, tunable.path, value):
        return told
    for look_at in _LOOKS:
        seen = look_at(look, tunable.path, value)
        if seen is not None:
            return _judged(told, seen, value)
    return told


def _look(tunable: DomainXml, machine: Machine) -> Look | str | None:
    """The running guest; None where none runs or its host is not this one, a reason where it is not found."""
    if machine.kind != "live" or machine.files is None:
        return None
    try:
        live = Document.parse(machine.libvirt.xml(tunable.uuid, Layer.LIVE))
    except KvmnbError:
        return None
    process = process_of(tunable.uuid, tunable.domain, guest_processes(machine.files))
    return (
        Look(files_for(machine.files, tunable.uuid), process, live)
        if process is not None
        else "its QEMU is not seen in /proc"
    )


def _judged(told: Verdict, seen: Seen, value: str) -> Verdict:
    if seen.why is not None:
        return _unseen(told, seen.why)
    if same_value(seen.value, value):
        return Verdict(State.HOLDS, seen.value, value, f"in force, read from {seen.where}")
    reason = f"stored, and the running guest's XML has it, but its QEMU does not: read from {seen.where}"
    return Verdict(State.DIFFERS, seen.value, value, reason)


def _unseen(told: Verdict, why: str) -> Verdict:
    return replace(told, reason=f"{told.reason}; whether it is in force was not seen: {why}")
