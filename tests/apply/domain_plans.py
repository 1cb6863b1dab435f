"""Plans that are tried on every domain of the corpora: changes that a rule would want of it, by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from kvmnb.core.errors import KvmnbError
from kvmnb.core.units import parse_size
from kvmnb.core.xml import Element
from kvmnb.machine.domain_shape import DOMAIN

Wanted = list[tuple[str, str | None]]


def plans(root: Element) -> dict[str, Wanted]:
    """What is tried on this domain, each plan by its name; a plan that does not apply to it is left out."""
    made = {name: list(plan(root)) for name, plan in _PLANS.items()}
    return {name: wanted for name, wanted in made.items() if wanted}


def _pins(root: Element) -> Iterator[tuple[str, str]]:
    count = _vcpus(root)
    if count is None or _below(root, "cputune/cachetune"):
        return
    yield from ((f"cputune/vcpupin[{number}]/@cpuset", str(number)) for number in range(count))
    yield "cputune/emulatorpin/@cpuset", "0-1"
    yield from ((f"cputune/iothreadpin[{number}]/@cpuset", "0-1") for number in _iothreads(root))


def _topology(root: Element) -> Iterator[tuple[str, str]]:
    count = _vcpus(root)
    if count is not None and _x86(root) and not _below(root, "cpu/topology"):
        yield "cpu/topology", f"<topology sockets='1' cores='{count}' threads='1'/>"


def _cpu_mode(root: Element) -> Iterator[tuple[str, str | None]]:
    if _x86(root):
        yield "cpu/@mode", "host-passthrough" if root.get("type") == "kvm" else "maximum"
        yield from (("cpu/@match", None), ("cpu/model", None), ("cpu/vendor", None))
        if root.get("type") == "kvm":
            yield "cpu/@migratable", "on"


def _guest_numa(root: Element) -> Iterator[tuple[str, str]]:
    count, memory = _vcpus(root), _memory_kib(root)
    if count is None or memory is None or not _x86(root):
        return
    if any(_below(root, path) for path in ("cpu/numa", "numatune", "maxMemory", "memoryBacking")):
        return
    cell = f"<cell id='0' cpus='0-{count - 1}' memory='{memory}' unit='KiB'/>"
    yield "cpu/numa", f"<numa>{cell}</numa>"
    yield "numatune/memory/@mode", "strict"
    yield "numatune/memory/@nodeset", "0"
    yield "numatune/memnode[0]", "<memnode cellid='0' mode='strict' nodeset='0'/>"


def _hugepages(kib: int) -> Callable[[Element], Iterator[tuple[str, str]]]:
    def wanted(root: Element) -> Iterator[tuple[str, str]]:
        if not _below(root, "memoryBacking/source") and not _below(root, "memoryBacking/hugepages"):
            yield "memoryBacking/hugepages", f"<hugepages><page size='{kib}' unit='KiB'/></hugepages>"

    return wanted


def _disk_driver(root: Element) -> Iterator[tuple[str, str]]:
    for disk in _devices(root, "disk"):
        if (disk.get("device") or "disk") == "disk" and disk.get("type") in ("file", "block") and _own(disk):
            path = _path(disk)
            yield from ((f"{path}/driver/@{name}", value) for name, value in (("cache", "none"), ("io", "native")))
            yield f"{path}/driver/@discard", "unmap"


def _disk_iothread(root: Element) -> Iterator[tuple[str, str]]:
    disks = [
        disk
        for disk in _devices(root, "disk")
        if (target := _child(disk, "target")) is not None
        and target.get("bus") == "virtio"
        and (disk.get("device") or "disk") == "disk"
        and _own(disk)
    ]
    if disks and not _below(root, "iothreadids") and not _below(root, "iothreads"):
        yield "iothreads/text()", "1"
        yield from ((f"{_path(disk)}/driver/@iothread", "1") for disk in disks)


def _scsi_queues(root: Element) -> Iterator[tuple[str, str]]:
    for controller in _devices(root, "controller"):
        if controller.get("type") == "scsi" and controller.get("model") == "virtio-scsi" and _own(controller):
            yield f"{_path(controller)}/driver/@queues", str(min(_vcpus(root) or 1, 8))


def _nic_queues(root: Element) -> Iterator[tuple[str, str]]:
    for nic in _devices(root, "interface"):
        model = _child(nic, "model")
        virtio = model is not None and model.get("type") == "virtio"
        if virtio and nic.get("type") in ("bridge", "network") and _own(nic):
            yield f"{_path(nic)}/driver/@name", "vhost"
            # libvirt drops the number of a single queue.
            if (count := min(_vcpus(root) or 1, 8)) > 1:
                yield f"{_path(nic)}/driver/@queues", str(count)


def _balloon(root: Element) -> Iterator[tuple[str, str]]:
    balloon = next(iter(_devices(root, "memballoon")), None)
    if balloon is not None and str(balloon.get("model")).startswith("virtio"):
        yield "devices/memballoon/stats/@period", "5"


def _shared_off(root: Element) -> Iterator[tuple[str, str]]:
    yield "memoryBacking/nosharepages", "<nosharepages/>"


def _shares(root: Element) -> Iterator[tuple[str, str]]:
    yield "cputune/shares/text()", "2048"


_PLANS: dict[str, Callable[[Element], Iterator[tuple[str, str | None]]]] = {
    "pins": _pins,
    "topology": _topology,
    "cpu mode": _cpu_mode,
    "guest numa": _guest_numa,
    "hugepages 2M": _hugepages(2048),
    "hugepages 1G": _hugepages(1024**2),
    "disk driver": _disk_driver,
    "disk iothread": _disk_iothread,
    "scsi queues": _scsi_queues,
    "nic queues": _nic_queues,
    "balloon": _balloon,
    "no shared pages": _shared_off,
    "shares": _shares,
}
KINDS = tuple(_PLANS)


def _child(element: Element, name: str) -> Element | None:
    return next((child for child in element.children if child.name == name), None)


def _below(root: Element, path: str) -> Element | None:
    found: Element | None = root
    for name in path.split("/"):
        found = _child(found, name) if found is not None else None
    return found


def _devices(root: Element, name: str) -> list[Element]:
    devices = _child(root, "devices")
    return [child for child in devices.children if child.name == name] if devices is not None else []


def _own(device: Element) -> bool:
    """Whether the device's path finds it alone; a file that names two devices alike names none for certain."""
    keys = DOMAIN.keys_of(device)
    assert device.parent is not None
    twins = [other for other in device.parent.children if other.name == device.name]
    return bool(keys) and sum(DOMAIN.keys_of(other) == keys for other in twins) == 1


def _path(device: Element) -> str:
    return str(DOMAIN.paths_of(device)[0])


def _vcpus(root: Element) -> int | None:
    vcpu = _child(root, "vcpu")
    text = vcpu.text.strip() if vcpu is not None else "1"
    return int(text) if text.isdigit() and 0 < int(text) <= 64 else None


def _memory_kib(root: Element) -> int | None:
    memory = _child(root, "memory")
    try:
        return None if memory is None else parse_size(memory.text.strip(), memory.get("unit") or "KiB") // 1024
    except KvmnbError:
        return None


def _iothreads(root: Element) -> range:
    iothreads = _child(root, "iothreads")
    plain = iothreads is not None and iothreads.text.strip().isdigit() and not _child(root, "iothreadids")
    return range(1, int(iothreads.text) + 1) if iothreads is not None and plain else range(0)


def _x86(root: Element) -> bool:
    kind = _below(root, "os/type")
    return kind is not None and kind.get("arch") == "x86_64" and root.get("type") in ("kvm", "qemu")
