"""A disk reads through a long chain of images.

What is seen
    The disk's image and those below it are four or more: of the running guest by its XML, of one that is shut off by
    its XML or by the images themselves. Or the images above the base take more than half of what the base takes,
    which is said in a low voice. How old snapshots are is not read: a guest with snapshots is therefore not checked
    and not called healthy.

Why it hurts
    What the upper image does not hold is looked up in each one below, each with tables and a cache of its own, and a
    small first write copies a whole cluster up.

What to do
    Merge the chain: commit downwards, or pull upwards. See first that no other guest uses an image that is written.

Leave it when
    The snapshots are still wanted, or the base is shared among guests on purpose.

Cost
    No restart, but heavy I/O while it runs. Durability: committing into a base that others use destroys their disks,
    so have a backup. Migration: not while the job runs. Security: none.

Look by hand
    ``virsh domblklist GUEST``; ``qemu-img info -U --backing-chain IMAGE``; ``virsh snapshot-list GUEST``.

Measure it
    ``fio`` with random reads over the whole disk in the guest, before and after.

Sources
    * QEMU documentation, interop/live-block-operations
    * libvirt knowledge base, Merging disk image chains
    * Igalia, Subcluster allocation for qcow2 images (2020)
    * Four images, and half of the base, are heuristic
"""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.advise.apart import apart
from kvmnb.advise.disk.change import data_disks, subject
from kvmnb.advise.disk.images import path_of
from kvmnb.advise.finding import Effect, Safety, Seen, Severity, Sure
from kvmnb.advise.intent import Goal
from kvmnb.advise.rule import Rule
from kvmnb.advise.threshold import Threshold
from kvmnb.advise.view import View
from kvmnb.core.units import format_bytes
from kvmnb.facts.device import Disk
from kvmnb.facts.domain import Domain
from kvmnb.facts.gap import Gap, NotSeen
from kvmnb.facts.image import Image
from kvmnb.tunable.spelling import shell_word

RULE = Rule(
    id="disk.qcow2.chain",
    severity=Severity.HIGH,
    goals=(Goal.LATENCY, Goal.THROUGHPUT),
    basis="heuristic",
    effect=Effect.MODERATE,
    effect_basis="heuristic: nearly the speed of the base image comes back",
    asks=("images",),
)

LONG_CHAIN = Threshold(
    name="disk.qcow2.chain.long",
    default=4,
    unit="images",
    least=2,
    most=200,
    meaning="a chain of so many is long: the upper image and three below it",
)
LARGE_OVERLAY = Threshold(
    name="disk.qcow2.chain.overlay",
    default=50.0,
    unit="%",
    least=0.0,
    most=10_000.0,
    meaning="images above the base that take more than this part of it are worth merging",
)


@RULE.domain
def check(domain: Domain, view: View) -> Iterator[Seen]:
    """A finding for each long chain and each large overlay; NotSeen where images or snapshots are not known."""
    live = domain.live if domain.running and domain.live is not None else None
    yield from apart(
        view,
        data_disks(live if live is not None else domain.wanted),
        lambda disk: _judged(domain, disk, view, live is not None),
    )
    if domain.state is not None and domain.state.snapshots:
        raise NotSeen(Gap("snapshots", f"how old its {domain.state.snapshots} snapshots are is not read"))


def _judged(domain: Domain, disk: Disk, view: View, live: bool) -> Iterator[Seen]:
    depth, where = disk.backing_chain + 1, f"{'live' if live else 'persistent'} XML, backingStore"
    if depth == 1 and not live and disk.format == "qcow2" and disk.type in ("file", "block"):
        # Of a guest that is shut off the XML need not tell the chain.
        depth, where = len(_image(domain, disk).chain), "qemu-img"
    if depth >= view.value(LONG_CHAIN):
        yield _long(domain, disk, f"{depth} images lie in one chain ({where})")
    elif depth > 1:
        *above, base = _image(domain, disk).chain
        sizes = [one.actual_bytes for one in (*above, base)]
        if None in sizes:
            raise NotSeen(Gap(f"images[{base.path}]", "how much of a block device its image has taken is not told"))
        *upper, lowest = [size for size in sizes if size is not None]
        if sum(upper) * 100 > view.value(LARGE_OVERLAY) * lowest:
            yield _long(
                domain,
                disk,
                f"the images above its base take {format_bytes(sum(upper))}, and the base {format_bytes(lowest)} "
                "(qemu-img)",
                severity=Severity.LOW,
                sure=Sure.LIKELY,
            )


def _image(domain: Domain, disk: Disk) -> Image:
    """The image of a disk; NotSeen where it was not read, or where another one is in use now."""
    image = domain.image_of(disk.target)
    if image.path != path_of(disk):
        raise NotSeen(Gap(f"images[{image.path}]", f"disk {disk.target} runs on another image than the stored one"))
    return image


def _long(domain: Domain, disk: Disk, saw: str, severity: Severity | None = None, sure: Sure = Sure.CERTAIN) -> Seen:
    name, target = shell_word(domain.name), shell_word(disk.target)
    if domain.running:
        merge = f"virsh blockpull {name} {target} --wait --verbose  # or blockcommit --active --pivot"
    else:
        merge = "qemu-img commit IMAGE  # from the top downwards, while no guest uses any of them"
    return Seen(
        saw=f"disk {disk.target}: {saw}",
        severity=severity,
        sure=sure,
        safety=Safety.MANUAL,
        by_hand=(
            "Make a backup, and see that no other guest uses an image of the chain: qemu-img info -U --backing-chain",
            merge,
        ),
        subject=subject(disk),
    )
