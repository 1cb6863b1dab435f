"""A disk reads through a long chain of images.

What is seen
    Of the running guest's XML, else of the persistent one: the disk's image and those below it are four or more. The
    size of an overlay beside its base, and the age of snapshots, are not read yet; a disk with a shorter chain, or a
    guest with snapshots, is therefore not checked and not called healthy.

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
"""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.advise.disk.change import data_disks, subject
from kvmnb.advise.finding import Effect, Safety, Seen, Severity
from kvmnb.advise.intent import Goal
from kvmnb.advise.rule import Rule
from kvmnb.advise.threshold import Threshold
from kvmnb.advise.view import View
from kvmnb.facts.device import Disk
from kvmnb.facts.domain import Domain
from kvmnb.facts.gap import Gap, NotSeen
from kvmnb.tunable.spelling import shell_word

RULE = Rule(
    id="disk.qcow2.chain",
    severity=Severity.HIGH,
    goals=(Goal.LATENCY, Goal.THROUGHPUT),
    basis="heuristic",
    effect=Effect.MODERATE,
    effect_basis="heuristic: nearly the speed of the base image comes back",
)

LONG_CHAIN = Threshold(
    name="disk.qcow2.chain.long",
    default=4,
    unit="images",
    least=2,
    most=200,
    meaning="a chain of so many is long: the upper image and three below it",
)


@RULE.domain
def check(domain: Domain, view: View) -> Iterator[Seen]:
    """A finding for each long chain; NotSeen where a shorter one's overlays or snapshots are not known."""
    live = domain.live if domain.running and domain.live is not None else None
    unread: list[str] = []
    spoken = False
    for disk in data_disks(live if live is not None else domain.wanted):
        depth = disk.backing_chain + 1
        if depth >= view.value(LONG_CHAIN):
            spoken = True
            yield _long(domain, disk, depth, "live XML" if live is not None else "persistent XML")
        elif depth > 1:
            unread.append(f"how much of its base the overlay of {disk.target} holds is not read")
        elif live is None and disk.format == "qcow2":
            unread.append(f"the images below {disk.target} are not read while the guest is shut off")
    if domain.state is not None and domain.state.snapshots:
        unread.append(f"how old its {domain.state.snapshots} snapshots are is not read")
    if unread and not spoken:
        raise NotSeen(Gap("images", "; ".join(unread)))


def _long(domain: Domain, disk: Disk, depth: int, where: str) -> Seen:
    name, target = shell_word(domain.name), shell_word(disk.target)
    if domain.running:
        merge = f"virsh blockpull {name} {target} --wait --verbose  # or blockcommit --active --pivot"
    else:
        merge = "qemu-img commit IMAGE  # from the top downwards, while no guest uses any of them"
    return Seen(
        saw=f"disk {disk.target}: {depth} images lie in one chain ({where}, backingStore)",
        safety=Safety.MANUAL,
        by_hand=(
            "Make a backup, and see that no other guest uses an image of the chain: qemu-img info -U --backing-chain",
            merge,
        ),
        subject=subject(disk),
    )
