"""What a guest's memory is made of and who holds on to it, as memory rules ask it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from kvmnb.advise.threshold import Threshold
from kvmnb.advise.view import View
from kvmnb.core.units import GIB
from kvmnb.facts.domain import Configuration, Domain

# Kernel documentation, sched(7): the two policies of real-time threads.
_REAL_TIME = ("fifo", "rr")
_HYPERVISORS = ("kvm", "qemu")
_SHOWN = 8
# They belong to mem.overcommit, which imports them.
HOST_LEAST = Threshold(
    name="mem.overcommit.host_least",
    default=2 * GIB,
    unit="bytes",
    least=0,
    most=2**50,
    meaning="the least that the host itself is left",
)
HOST_PART = Threshold(
    name="mem.overcommit.host_part",
    default=5,
    unit="%",
    least=0,
    most=100,
    meaning="what the host itself is left, as a part of the memory",
)
HOST_NODE = Threshold(
    name="mem.overcommit.host_node",
    default=GIB,
    unit="bytes",
    least=0,
    most=2**50,
    meaning="what the host is left on top for each node with memory",
)


def running(view: View) -> Iterator[tuple[Domain, Configuration]]:
    """The running guests of QEMU, each with what runs."""
    for domain in view.domains:
        if domain.running:
            layer = domain.live if domain.live is not None else domain.wanted
            if layer.virt_type in _HYPERVISORS:
                yield domain, layer


def of_qemu(layer: Configuration) -> bool:
    """Whether QEMU runs such a guest."""
    return layer.virt_type in _HYPERVISORS


def is_shared(layer: Configuration) -> bool:
    """Whether the memory is that of a file or memfd, which follows the rules of shared memory."""
    memory = layer.tuning.memory
    return memory.source in ("memfd", "file") or memory.access == "shared"


def is_anonymous(layer: Configuration) -> bool:
    """Whether the memory is plain memory of the process: no pool of hugepages, no file."""
    return not layer.memory_backing.hugepages and not is_shared(layer)


def is_real_time(layer: Configuration) -> bool:
    """Whether some vCPU runs with a real-time policy."""
    return any(one.scheduler in _REAL_TIME for one in layer.tuning.vcpu_schedulers)


def has_vfio(layer: Configuration) -> bool:
    """Whether a device of the host reads its memory, which VFIO or vDPA keeps in place for that."""
    devices = layer.devices
    return (
        any(one.type in ("pci", "mdev") for one in devices.hostdevs)
        or any(one.type in ("hostdev", "vdpa") for one in devices.interfaces)
        or any(one.type == "nvme" for one in devices.disks)
    )


def vhost_user(layer: Configuration) -> tuple[str, ...]:
    """The devices that another process serves out of the guest's memory, in words."""
    devices = layer.devices
    return (
        *("interface of type vhostuser" for one in devices.interfaces if one.type == "vhostuser"),
        *(f"disk {one.target} of type vhostuser" for one in devices.disks if one.type == "vhostuser"),
        *("filesystem with virtiofs" for one in devices.filesystems if one.driver == "virtiofs"),
    )


def host_reserve(view: View) -> int:
    """The bytes to leave to the host itself: a least or a part, and some for each node with memory."""
    nodes = sum(1 for node in view.host.numa_nodes if node.memory_bytes)
    part = view.host.kernel.memory_bytes * view.value(HOST_PART) // 100
    return max(view.value(HOST_LEAST), part) + nodes * view.value(HOST_NODE)


def owner_note(view: View, name: str, what: str) -> str | None:
    """A warning where a service that sets this by itself runs here, or has a profile."""
    for owner in view.host.kernel.owners:
        if owner.name == name and (owner.running or owner.profile is not None):
            profile = f" (profile {owner.profile})" if owner.profile is not None else ""
            return f"{name}{profile} is in charge here and may set {what} back: change it there"
    return None


def names_of(domains: Iterable[Domain]) -> str:
    """Guests by name, quoted; a long list is cut."""
    names = sorted({domain.name for domain in domains})
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(repr(name) for name in names[:_SHOWN]) + more
