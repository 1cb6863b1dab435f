"""The table cache of a qcow2 disk does not cover its image.

What is seen
    An image whose L2 tables, 8 bytes for each cluster (16 with extended L2), are larger than the cache that QEMU gives
    them: 32 MiB where the XML says nothing, which covers 256 GiB with clusters of 64 KiB; else what remains of
    ``metadata_cache`` after four clusters for refcounts. How the guest reads cannot be told from the configuration;
    over a window, small requests show it.

Why it hurts
    Each request to a part whose table is not in the cache reads that table from the image first. A guest that reads
    here and there over the whole disk does so nearly every time.

What to do
    ``metadata_cache`` with ``max_size`` as large as all tables, and four clusters more. Images below in the chain have
    a cache of their own. Where that is too much memory, larger clusters need smaller tables (disk.qcow2.layout).

Leave it when
    The guest uses a small part of the disk, or reads it from end to end: then few tables are in use at a time.

Cost
    The guest has to be shut down and started; memory for the tables that are in use, outside the guest's own, for
    each disk. Durability: none. Migration: the other host needs libvirt 7.0 too. Security: none.

Look by hand
    ``qemu-img info -U IMAGE`` (virtual size, cluster size, extended l2); ``cache-size`` on QEMU's command line.

Measure it
    ``fio`` with random reads of 4 KiB over the whole disk in the guest, before and after.

Sources
    * QEMU documentation, qcow2-cache
    * QEMU source, block/qcow2.c (how the size is divided)
    * libvirt, Domain XML format, disk driver metadata_cache
"""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.advise.apart import apart
from kvmnb.advise.disk.change import at_next_start, subject
from kvmnb.advise.disk.images import qcow2_disks
from kvmnb.advise.finding import Effect, Safety, Seen, Severity, Sure
from kvmnb.advise.intent import Goal
from kvmnb.advise.load import NOT_MEASURED, over, seen_disk
from kvmnb.advise.rule import Rule, SeenBy
from kvmnb.advise.threshold import Threshold
from kvmnb.advise.versions import at_least
from kvmnb.advise.view import View
from kvmnb.core.units import KIB, MIB, format_bytes
from kvmnb.facts.device import Disk
from kvmnb.facts.domain import Domain
from kvmnb.facts.gap import Gap, NotSeen
from kvmnb.facts.image import Image
from kvmnb.tunable.spelling import shell_word

RULE = Rule(
    id="disk.qcow2.cache",
    severity=Severity.MEDIUM,
    goals=(Goal.THROUGHPUT, Goal.LATENCY),
    basis="documented",
    effect=Effect.LARGE,
    seen_by=SeenBy.SURER,
    effect_basis="documented: a table that is not in the cache costs a read of its own for each request",
    asks=("images",),
)

# QEMU's block/qcow2.h: DEFAULT_L2_CACHE_MAX_SIZE on Linux since 3.1, MIN_REFCOUNT_CACHE_SIZE in clusters.
DEFAULT_BYTES = 32 * MIB
REFCOUNT_CLUSTERS = 4
LIBVIRT = "7.0.0"
FEW_REQUESTS = Threshold(
    name="disk.qcow2.cache.few",
    default=100,
    unit="requests/s",
    least=0,
    most=100_000_000,
    meaning="fewer wait for no table that matters",
)


@RULE.domain
def check(domain: Domain, view: View) -> Iterator[Seen]:
    """A finding for each disk whose tables do not fit."""
    yield from apart(view, qcow2_disks(domain), lambda disk: _judged(domain, disk, view))


def _judged(domain: Domain, disk: Disk, view: View) -> Iterator[Seen]:
    image = domain.image_of(disk.target)
    tables = image.l2_bytes
    if tables is None or tables <= _covered(disk, image):
        return
    cluster = image.cluster_bytes or 0
    # QEMU rounds the tables up to whole clusters.
    size = -(-tables // cluster) * cluster + REFCOUNT_CLUSTERS * cluster
    kept = (
        f"metadata_cache has {format_bytes(disk.l2_cache_bytes)}"
        if disk.l2_cache_bytes is not None
        else (f"QEMU's default cache has {format_bytes(DEFAULT_BYTES)}")
    )
    saw = (
        f"the tables of {format_bytes(image.virtual_bytes)} in clusters of {format_bytes(cluster)} take "
        f"{format_bytes(tables)} (qemu-img), and {kept}"
    )
    hypervisor = view.host.hypervisor
    if hypervisor is None:
        raise NotSeen(Gap("host.hypervisor", "this source has no libvirt, so its version is not known"))
    if not at_least(hypervisor.libvirt, LIBVIRT):
        yield _larger_clusters(domain, disk, image, saw, hypervisor.libvirt)
        return
    severity, sure, note = _loaded(domain, disk, image, view)
    path = "driver/metadata_cache/max_size"
    yield at_next_start(
        domain,
        disk,
        saw,
        {f"{path}/@unit": "bytes", f"{path}/text()": str(size)},
        costs=(f"up to {format_bytes(size)} of the host's memory for the tables of this disk",),
        severity=severity,
        sure=sure,
        note=note,
    )


def _loaded(domain: Domain, disk: Disk, image: Image, view: View) -> tuple[Severity | None, Sure, str]:
    """How grave and how sure it is, by how many and how large the disk's requests were."""
    load = seen_disk(view, domain, disk.target)
    if load is None:
        return None, Sure.LIKELY, f"{NOT_MEASURED}: it hurts where the guest reads all over the disk"
    requests = load.requests_per_second
    mean = load.bytes_per_second / requests if requests else 0.0
    note = f"{requests:.0f} requests/s of {mean / KIB:.0f} KiB in the mean {over(view)}"
    if requests < view.value(FEW_REQUESTS):
        return Severity.LOW, Sure.LIKELY, note
    # Requests that are small against a cluster are taken for scattered ones.
    return None, Sure.CERTAIN if mean <= (image.cluster_bytes or 0) else Sure.LIKELY, note


def _larger_clusters(domain: Domain, disk: Disk, image: Image, saw: str, libvirt: str) -> Seen:
    return Seen(
        saw=f"disk {disk.target}: {saw}",
        severity=Severity.INFO,
        sure=Sure.LIKELY,
        safety=Safety.MANUAL,
        by_hand=(
            f"Shut {domain.name} down, and make the clusters larger: the tables then take a sixteenth.",
            f"qemu-img convert -O qcow2 -o cluster_size=1M {shell_word(image.path)} NEW",
        ),
        note=f"{NOT_MEASURED}; metadata_cache needs libvirt {LIBVIRT}, here is {libvirt}",
        subject=subject(disk),
    )


def _covered(disk: Disk, image: Image) -> int:
    """How much of the tables the cache can hold, in bytes."""
    if disk.l2_cache_bytes is None:
        return DEFAULT_BYTES
    return disk.l2_cache_bytes - REFCOUNT_CLUSTERS * (image.cluster_bytes or 0)
