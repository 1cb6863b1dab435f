"""A qcow2 image was made without the options that make its first writes cheap.

What is seen
    Two patterns. An overlay on another image without ``extended_l2``. Or, for the goal throughput, an image of its own
    with clusters of at most 64 KiB whose space is not taken yet: whether it holds a database, and whether its tables
    were made beforehand, nothing on the host tells, so that this is possible and no more.

Why it hurts
    The first write to a cluster takes space and writes tables, and in an overlay copies the rest of the cluster from
    below: a write of 4 KiB reads and writes 64 KiB. Subclusters make that 32 times less.

What to do
    For new overlays ``cluster_size=128k,extended_l2=on`` (QEMU 5.2). For new images that are written all over,
    ``preallocation=metadata``, or ``falloc`` where the space is to be sure. An image in use is copied into a new one.

Leave it when
    The guest has written most of its disk already: only first writes are slow. Or the image has to be read by QEMU
    older than 5.2.

Cost
    A copy of the image, of a running guest with ``virsh blockcopy``. Durability: none, but have a backup. Migration:
    extended L2 needs QEMU 5.2 everywhere. Security: none. Tables take twice the memory with extended L2.

Look by hand
    ``qemu-img info -U IMAGE``: cluster size, extended l2, disk size beside virtual size.

Measure it
    ``fio`` with random writes of 4 KiB to a part of the disk that was never written, before and after.

Sources
    * QEMU documentation, system/qemu-block-drivers (qcow2)
    * QEMU documentation, qcow2-cache
    * Igalia, Subcluster allocation for qcow2 images (2020)
"""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.advise.apart import apart
from kvmnb.advise.disk.change import subject
from kvmnb.advise.disk.images import path_of, qcow2_disks
from kvmnb.advise.finding import Effect, Safety, Seen, Severity, Sure
from kvmnb.advise.intent import Goal
from kvmnb.advise.rule import Rule
from kvmnb.advise.versions import at_least
from kvmnb.advise.view import View
from kvmnb.core.units import KIB, format_bytes
from kvmnb.facts.device import Disk
from kvmnb.facts.domain import Domain
from kvmnb.facts.image import Image
from kvmnb.tunable.spelling import shell_word

RULE = Rule(
    id="disk.qcow2.layout",
    severity=Severity.LOW,
    goals=(Goal.THROUGHPUT, Goal.DENSITY),
    basis="documented",
    effect=Effect.SMALL,
    effect_basis="documented: first writes copy up to 32 times less; later ones gain nothing",
    asks=("images",),
)

# QEMU's default; a larger cluster was chosen by somebody.
DEFAULT_CLUSTER = 64 * KIB
QEMU = "5.2"


@RULE.domain
def check(domain: Domain, view: View) -> Iterator[Seen]:
    """A finding for each image whose first writes are dear."""
    yield from apart(view, qcow2_disks(domain), lambda disk: _judged(domain, disk, view))


def _judged(domain: Domain, disk: Disk, view: View) -> Iterator[Seen]:
    image = domain.image_of(disk.target)
    if image.backing_file is not None:
        if image.extended_l2 is False:
            yield _overlay(domain, disk, image, view)
    elif view.goal(domain) is Goal.THROUGHPUT and _thin(image):
        taken = f"{format_bytes(image.actual_bytes or 0)} of {format_bytes(image.virtual_bytes)}"
        yield Seen(
            saw=f"disk {disk.target}: clusters of {format_bytes(image.cluster_bytes or 0)}, {taken} taken (qemu-img)",
            sure=Sure.POSSIBLE,
            safety=Safety.MANUAL,
            by_hand=(
                f"qemu-img create -f qcow2 -o preallocation=metadata NEW {image.virtual_bytes}  # falloc: space too",
                _copy(domain, disk),
            ),
            note="it pays for a disk that is written all over, such as a database's",
            subject=subject(disk),
        )


def _thin(image: Image) -> bool:
    return (image.cluster_bytes or 0) <= DEFAULT_CLUSTER and image.fully_allocated is False


def _overlay(domain: Domain, disk: Disk, image: Image, view: View) -> Seen:
    hypervisor = view.host.hypervisor
    version = hypervisor.version if hypervisor is not None else None
    had = at_least(version, QEMU)
    options = "cluster_size=128k,extended_l2=on" if had else "cluster_size=64k"
    return Seen(
        saw=f"disk {disk.target}: an overlay with clusters of {format_bytes(image.cluster_bytes or 0)} and without "
        "extended L2 (qemu-img)",
        severity=None if had else Severity.INFO,
        safety=Safety.MANUAL,
        by_hand=(f"qemu-img create -f qcow2 -o {options} -b BASE -F FORMAT NEW", _copy(domain, disk)),
        note=None if had else f"extended L2 needs QEMU {QEMU}; here is {version or 'a version that is not known'}",
        subject=subject(disk),
    )


def _copy(domain: Domain, disk: Disk) -> str:
    if domain.running:
        name, target = shell_word(domain.name), shell_word(disk.target)
        return f"virsh blockcopy {name} {target} NEW --reuse-external --pivot --wait --verbose  # --shallow: an overlay"
    return f"qemu-img convert -n -f qcow2 -O qcow2 {shell_word(path_of(disk))} NEW  # while the guest is shut off"
