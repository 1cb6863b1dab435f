"""The store of the images is nearly full, so guests will pause.

What is seen
    A file system that holds images has less than a tenth or less than 20 GiB free, while its images may still grow by
    more than that. Or a thin pool of the device mapper has taken over 85 % of its data or metadata blocks. Or a guest
    stands paused because a write failed.

Why it hurts
    A thin image takes its space when the guest writes. When there is none left QEMU stops the guest in the middle of
    its work (error policy enospace), all guests on that store within minutes; with the policies report and ignore
    the guest gets errors, or loses writes without a word. A thin pool whose metadata is full needs a repair.

What to do
    Extend the store, or move images away. Trim the guests, so that freed blocks come back (see disk.discard). Set an
    alarm on each disk with ``virsh domblkthreshold``. A paused guest goes on with ``virsh resume`` once there is room.

Leave it when
    The images are templates that nobody starts, or the growth is bounded by other means.

Cost
    Extending a store costs no restart. Durability: no loss, if it is done before it is full. Migration: none.
    Security: none.

Look by hand
    ``df -h FOLDER``; ``qemu-img info -U IMAGE`` (virtual and disk size); ``dmsetup status --target thin-pool``;
    ``virsh domstate --reason GUEST``.

Measure it
    Free space of the store over days, and ``virsh domblkinfo GUEST DISK`` (allocation beside capacity).

Sources
    * QEMU manual, option werror (enospc is the default)
    * libvirt, Domain XML format, disk driver error_policy
    * virsh manual, domblkthreshold
    * Linux documentation, device-mapper/thin-provisioning
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from kvmnb.advise.apart import apart, gathered
from kvmnb.advise.disk.images import image_disks
from kvmnb.advise.finding import Effect, Safety, Seen, Severity, Sure
from kvmnb.advise.intent import Goal
from kvmnb.advise.rule import Rule
from kvmnb.advise.threshold import Threshold
from kvmnb.advise.view import View
from kvmnb.core.units import GIB, format_bytes
from kvmnb.facts.device import Disk
from kvmnb.facts.domain import Domain
from kvmnb.facts.image import Image, Space
from kvmnb.tunable.spelling import percent_encode, shell_word

RULE = Rule(
    id="disk.space",
    severity=Severity.CRITICAL,
    goals=(Goal.BALANCED, Goal.DENSITY),
    basis="heuristic",
    effect=Effect.LARGE,
    effect_basis="documented: guests that would stop do not",
    asks=("images",),
)

FREE_PART = Threshold(
    name="disk.space.free_part",
    default=10.0,
    unit="%",
    least=0.0,
    most=100.0,
    meaning="a file system with a smaller part free is short of space",
)
FREE_BYTES = Threshold(
    name="disk.space.free_bytes",
    default=20 * GIB,
    unit="bytes",
    least=0,
    most=2**50,
    meaning="a file system with less free is short of space",
)
# LVM's own default extends no pool, and names 70 % where it is told to.
POOL_PART = Threshold(
    name="disk.space.pool",
    default=85.0,
    unit="%",
    least=0.0,
    most=100.0,
    meaning="a thin pool of whose blocks more are taken is nearly full",
)
# Error policies under which a guest does not stop.
GOES_ON = ("report", "ignore")


@dataclass(slots=True)
class _Store:
    """One file system that holds images."""

    path: str
    space: Space
    growth: dict[str, int]


@RULE.host
def check(view: View) -> Iterator[Seen]:
    """A finding for each guest that ran out of space, each file system and each thin pool that will."""
    yield from apart(view, (_paused, _file_systems, _thin_pools), lambda part: part(view))


def _paused(view: View) -> Iterator[Seen]:
    def judge(domain: Domain) -> Iterator[Seen]:
        if not domain.running or domain.state is None:
            return
        if domain.state.name == "paused" and domain.state.reason == "ioerror":
            yield Seen(
                saw=f"{domain.name} stands paused since a request to its disks failed (libvirt: paused, I/O error)",
                safety=Safety.MANUAL,
                by_hand=(
                    f"virsh domblkerror {shell_word(domain.name)}  # which disk, and whether it was for want of space",
                    f"virsh resume {shell_word(domain.name)}  # once there is room",
                ),
                subject=f"guest/{percent_encode(domain.name)}",
            )

    yield from apart(view, view.domains, judge)


def _file_systems(view: View) -> Iterator[Seen]:
    disks = [(domain, disk) for domain in view.domains for disk in image_disks(domain)]
    known, unseen = gathered(disks, lambda one: _growing(*one))
    stores: dict[str, _Store] = {}
    for image, space, growth in known:
        stores.setdefault(image.number, _Store(image.path, space, {})).growth[image.path] = growth
    goes_on = [f"{domain.name} {disk.target}" for domain, disk in disks if disk.error_policy in GOES_ON]
    part, least = view.value(FREE_PART), view.value(FREE_BYTES)
    for store in stores.values():
        free, wanted = store.space.free_bytes, sum(store.growth.values())
        if (free * 100 < part * store.space.total_bytes or free < least) and wanted > free:
            yield _full(view, store, free, wanted, goes_on)
    if unseen is not None:
        raise unseen


def _growing(domain: Domain, disk: Disk) -> Iterator[tuple[Image, Space, int]]:
    image = domain.image_of(disk.target)
    if image.space is not None:
        yield image, image.space, image.growth_bytes


def _full(view: View, store: _Store, free: int, wanted: int, goes_on: list[str]) -> Seen:
    mount = view.host.location_of(store.path).mount
    place = mount.mount_point if mount is not None else store.path.rpartition("/")[0] or "/"
    kept = f"; no stop but errors in: {', '.join(goes_on[:5])} (error_policy)" if goes_on else ""
    return Seen(
        saw=f"{place} has {format_bytes(free)} of {format_bytes(store.space.total_bytes)} free (stat), and the "
        f"{len(store.growth)} images on it may still grow by {format_bytes(wanted)} (qemu-img){kept}",
        sure=Sure.LIKELY,
        safety=Safety.MANUAL,
        by_hand=(
            f"df -h {shell_word(place)}  # extend it, or move images away",
            "virsh domfstrim GUEST  # gives back what the guest has freed, where its disks pass discard on",
            "virsh domblkthreshold GUEST DISK BYTES  # an alarm before it is full",
        ),
        note="how fast the images grow is not measured",
        subject=f"mount/{percent_encode(place)}",
    )


def _thin_pools(view: View) -> Iterator[Seen]:
    for block in view.host.blocks:
        if not block.thin_pool or block.dm_name is None:
            continue
        pool = view.host.thin_pool(block.dm_name)
        full = [
            f"{share:.0%} of its {what} blocks"
            for share, what in ((pool.used_ratio, "data"), (pool.metadata_used_ratio, "metadata"))
            if share * 100 > view.value(POOL_PART)
        ]
        if full:
            yield Seen(
                saw=f"the thin pool {pool.name} has taken {' and '.join(full)} (dmsetup status)",
                safety=Safety.MANUAL,
                by_hand=(
                    "lvs -a -o name,data_percent,metadata_percent  # which pool it is",
                    "lvextend -L +SIZE VG/POOL  # --poolmetadatasize +SIZE for its metadata",
                ),
                subject=f"pool/{percent_encode(pool.name)}",
            )
