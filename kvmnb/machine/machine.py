"""A machine: its files and its hypervisor, and the word that they are one host."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from kvmnb.core.errors import SourceError
from kvmnb.machine.commands import Commands
from kvmnb.machine.files import Files
from kvmnb.machine.hypervisor import Hypervisor

Kind = Literal["live", "recorded", "scratch", "demo", "root"]


@dataclass(slots=True)
class Machine:
    """One host, as one of the kinds live, recorded, scratch, demo or root (a bare tree, no libvirt).

    ``files`` is None where its files cannot be proved to belong to the hypervisor's host; the reason
    stands in ``files_gap``, and every host fact is then a gap and every host change refused.
    """

    kind: Kind
    title: str
    origin: str
    hypervisor: Hypervisor | None
    files: Files | None
    files_gap: str | None = None
    commands: Commands | None = None
    """What runs the host's programs; None where none may be run: over a network, and for a bare tree."""
    series: Path | None = None
    """The recording of series that this machine is; None where it is none."""

    @property
    def libvirt(self) -> Hypervisor:
        """The hypervisor; SourceError where this machine has none."""
        if self.hypervisor is None:
            raise SourceError(f"{self.title} is a bare tree without libvirt, so it has no domains to ask for")
        return self.hypervisor

    @property
    def tree(self) -> Files:
        """The files; SourceError where they are not proved to be this host's."""
        if self.files is None:
            raise SourceError(f"the host files of {self.title} cannot be used: {self.files_gap}")
        return self.files

    def close(self) -> None:
        """Let go of the hypervisor's connection, and of what the files are read through."""
        if self.hypervisor is not None:
            self.hypervisor.close()
        if self.files is not None:
            self.files.close()


def state_folder() -> Path:
    """Where journals and the demo host live: the XDG state folder, ``/var/lib/kvmnb`` for root.

    ``XDG_STATE_HOME`` wins also for root. The folder is made with mode 0700.
    """
    chosen = os.environ.get("XDG_STATE_HOME", "")
    if os.path.isabs(chosen):
        folder = Path(chosen) / "kvmnb"
    elif os.geteuid() == 0:
        folder = Path("/var/lib/kvmnb")
    else:
        folder = Path.home() / ".local/state/kvmnb"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as problem:
        raise SourceError(
            f"the state folder {folder} cannot be made: {problem.strerror}; set XDG_STATE_HOME to a folder you own"
        ) from problem
    return folder
