"""In what two configurations of one domain differ, apart from what libvirt itself adds to a running one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from kvmnb.core.units import format_bytes
from kvmnb.facts.domain import Configuration
from kvmnb.facts.gap import Fact

# What libvirt fills in or spells anew when a guest starts, seen in live XML of libvirt 9.0 and 11.3; and what the
# balloon has just now.
_FILLED_IN = frozenset(
    (
        "os_id",
        "cpu.check",
        "cpu.features",
        "tuning.boot",
        "tuning.firmware",
        "tuning.iothreads",
        "tuning.security_models",
        "tuning.resource_partition",
        "tuning.metadata_namespaces",
        "tuning.description",
        "tuning.block_weight",
        "tuning.memory.current_bytes",
        "devices.disks.backing_chain",
        "devices.disks.mirrored",
        "devices.interfaces.target",
        "devices.interfaces.bridge",
        "devices.interfaces.lower",
        "devices.memory.current_bytes",
        "devices.channels.state",
        "devices.others.type",
    )
)
# What follows from another setting: the CPU model that stands for the host's, the place that numad chose.
_EXPANDED_CPU = frozenset(("cpu.mode", "cpu.model", "cpu.migratable", "cpu.cache_mode", "cpu.cache_level"))
_CHOSEN_BY_NUMAD = frozenset(("vcpu_cpus", "numatune.nodes"))
# An empty drive has no format while it runs; a volume becomes the file behind it.
_MEDIUM = frozenset(("format", "file", "block", "pool", "volume"))

_KEYS: dict[str, Callable[[Any], object]] = {
    "vcpu_pins": lambda one: one.vcpu,
    "iothread_pins": lambda one: one.iothread,
    "numatune.cells": lambda one: one.cell,
    "cpu.cells": lambda one: one.id,
    "tuning.hyperv": lambda one: one.name,
    "tuning.timers": lambda one: one.name,
    "tuning.features.all": lambda one: one.name,
    "devices.disks": lambda one: one.target,
    "devices.interfaces": lambda one: one.mac,
    "devices.controllers": lambda one: (one.type, one.index),
    "devices.channels": lambda one: one.name or one.type,
    "devices.filesystems": lambda one: one.target,
}


def differences(stored: Configuration, runs: Configuration) -> Iterator[tuple[str, str, str]]:
    """Each difference: what it is about, what is stored and what runs, in words."""
    left_out = set(_FILLED_IN)
    if stored.cpu is None or stored.cpu.mode in (None, "host-model", "maximum"):
        left_out |= _EXPANDED_CPU
    if stored.vcpu_placement == "auto" or (stored.numatune is not None and stored.numatune.placement == "auto"):
        left_out |= _CHOSEN_BY_NUMAD
    yield from _facts(stored, runs, "", "", left_out)


def _facts(stored: Fact, runs: Fact, path: str, words: str, left_out: set[str]) -> Iterator[tuple[str, str, str]]:
    for name in type(stored).__slots__:
        below = f"{path}.{name}" if path else name
        if below in left_out or (path == "devices.disks" and name in _MEDIUM and _medium_moves(stored)):
            continue
        yield from _values(getattr(stored, name), getattr(runs, name), below, f"{words} {name}".strip(), left_out)


def _values(stored: Any, runs: Any, path: str, words: str, left_out: set[str]) -> Iterator[tuple[str, str, str]]:
    if stored == runs:
        return
    if isinstance(stored, Fact) and isinstance(runs, Fact):
        yield from _facts(stored, runs, path, words, left_out)
    elif path == "cpu" and stored is None:
        # Without a cpu element libvirt writes the default's into what runs.
        return
    elif _facts_in(stored) or _facts_in(runs):
        yield from _lists(stored, runs, path, words, left_out)
    elif isinstance(stored, int) and isinstance(runs, int) and words.endswith("_bytes"):
        yield words.removesuffix("_bytes"), format_bytes(stored), format_bytes(runs)
    else:
        yield words, _word(stored), _word(runs)


def _lists(
    stored: Sequence[Fact], runs: Sequence[Fact], path: str, words: str, left_out: set[str]
) -> Iterator[tuple[str, str, str]]:
    here, there = _by_key(stored, path), _by_key(runs, path)
    noun = words.rpartition(" ")[2].removesuffix("s")
    for key in [*here, *(key for key in there if key not in here)]:
        name = f"{noun} {_word(key[0])}" + (f" ({key[1] + 1})" if key[1] else "")
        if key not in there:
            yield name, "there", "absent"
        elif key not in here:
            yield name, "absent", "there"
        else:
            yield from _facts(here[key], there[key], path, name, left_out)


def _by_key(members: Sequence[Fact], path: str) -> dict[tuple[object, int], Fact]:
    """The members by what they are called, and by their place among namesakes."""
    named = _KEYS.get(path, _kind)
    found: dict[tuple[object, int], Fact] = {}
    for one in members:
        name, place = named(one), 0
        while (name, place) in found:
            place += 1
        found[name, place] = one
    return found


def _kind(one: Any) -> object:
    return getattr(one, "kind", None) or getattr(one, "model", None) or ""


def _facts_in(value: object) -> bool:
    return isinstance(value, tuple) and bool(value) and isinstance(value[0], Fact)


def _medium_moves(disk: Any) -> bool:
    """Whether the medium of a running guest may well be another one: a volume of a pool, or an empty drive."""
    return disk.volume is not None or (disk.file is None and disk.block is None and disk.protocol is None)


def _word(value: object) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return " ".join(str(one) for one in value) or "nothing"
    return str(value)[:80]
