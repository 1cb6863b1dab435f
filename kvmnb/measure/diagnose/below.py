"""On which block device of the host each disk of a guest lies."""

from __future__ import annotations

from collections.abc import Iterable

from kvmnb.facts.domain import Domain
from kvmnb.facts.gap import Gap, NotSeen
from kvmnb.facts.host import Host


def devices_below(host: Host, domains: Iterable[Domain]) -> dict[tuple[str, str], str | Gap]:
    """The device at the bottom, by the guest's UUID and the disk's target; a gap that says why it is not told."""
    found: dict[tuple[str, str], str | Gap] = {}
    for domain in domains:
        try:
            disks = domain.live.devices.disks if domain.running and domain.live is not None else ()
        except NotSeen:
            continue
        for disk in disks:
            found[domain.uuid, disk.target] = _below(host, disk.file or disk.block, disk.target)
    return found


def _below(host: Host, path: str | None, target: str) -> str | Gap:
    fact = f"the device below {target}"
    if path is None:
        return Gap(fact, "the disk is no file and no block device of this host")
    try:
        disks = host.location_of(path).disks
    except NotSeen as unseen:
        return unseen.gap
    if len(disks) != 1:
        return Gap(fact, f"{len(disks)} block devices are known below its image, and one was expected")
    return disks[0].name
