"""The passes of a probe: one over files that are near, a few over those that are fetched in batches."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from kvmnb.core.errors import KvmnbError
from kvmnb.machine.machine import Machine


def passes(machine: Machine) -> Iterator[Machine]:
    """The machine, once for each pass; the last pass is the one that counts.

    libvirt is asked each question in the first pass alone.
    """
    if machine.files is None:
        yield machine
        return
    asked = replace(machine, hypervisor=_Asked(machine.hypervisor)) if machine.hypervisor is not None else machine
    for _ in machine.files.batches():
        yield asked


class _Asked:
    """A hypervisor whose answers, errors too, are kept for the passes that follow."""

    def __init__(self, hypervisor: Any) -> None:
        self._hypervisor = hypervisor
        self._told: dict[tuple[str, tuple[Any, ...]], Any] = {}

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._hypervisor, name)
        if not callable(found):
            return found

        def ask(*arguments: Any) -> Any:
            key = (name, arguments)
            if key not in self._told:
                try:
                    self._told[key] = found(*arguments)
                except KvmnbError as problem:
                    self._told[key] = problem
            told = self._told[key]
            if isinstance(told, KvmnbError):
                raise told
            return told

        return ask
