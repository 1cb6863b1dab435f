"""What libvirt changes on a guest while it runs, apart from its pins: the settings, and the seam to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Protocol


class Call(Enum):
    """The call of libvirt that reads and writes a setting; the value is virsh's command."""

    VCPUS = "setvcpus"
    MEMORY = "setmem"
    STATS_PERIOD = "dommemstat"
    SCHEDULER = "schedinfo"
    LIMITS = "memtune"
    NUMA = "numatune"
    BLOCK = "blkiotune"
    DISK = "blkdeviotune"
    INTERFACE = "domiftune"


@dataclass(frozen=True, slots=True)
class Setting:
    """One number or set that libvirt keeps of a running guest.

    ``path`` is where the live XML shows it, ``name`` what libvirt calls it, ``device`` the disk or interface
    that it belongs to (``""``: the guest). ``absent`` is its value where the live XML has none; None: that
    depends on the host.
    """

    path: str
    call: Call
    name: str
    device: str = ""
    absent: str | None = None


class LiveCalls(Protocol):
    """Live calls on a running guest. Each raises as ``Hypervisor`` does; none touches what is stored."""

    def setting(self, uuid: str, setting: Setting) -> str:
        """The value in force."""
        ...

    def set_setting(self, uuid: str, setting: Setting, value: str) -> None:
        """Set it now. The guest may need time to follow (vCPUs, memory)."""
        ...

    def iothreads(self, uuid: str) -> Mapping[int, Mapping[str, int]]:
        """Each iothread by its number, with its polling: ``poll_max_ns``, ``poll_grow``, ``poll_shrink``."""
        ...

    def add_iothread(self, uuid: str, number: int) -> None:
        """Start one more iothread; no device uses it."""
        ...

    def remove_iothread(self, uuid: str, number: int) -> None:
        """End an iothread that no device uses."""
        ...

    def set_iothread(self, uuid: str, number: int, name: str, value: int) -> None:
        """Set one polling parameter of an iothread."""
        ...

    def update_device(self, uuid: str, path: str, xml: str) -> None:
        """Let a device of the live XML become ``xml``. libvirt may take it and change nothing: read it back."""
        ...
