"""The way in which QEMU hands a disk's requests to the kernel does not fit its storage.

What is seen
    Four patterns. ``io`` absent or ``threads`` on a block device or a raw file that is fully allocated, with cache
    ``none`` or ``directsync``. ``native`` on a qcow2 file, a raw file that still grows, or a file of a network or FUSE
    file system. ``native`` with another cache mode, which libvirt and QEMU refuse. ``io_uring`` where the host's
    kernel forbids it; where a group may use it, it is taken that QEMU is in that group. Whether a raw file is fully
    allocated is asked of the image itself; where that is not read, such a disk is not checked.

Why it hurts
    Threads hand each request from one thread to another and back. ``native`` (Linux AIO) saves that, but only with
    direct I/O, and it blocks whenever the file has to grow, which stalls the disk's thread. Where io_uring is
    forbidden QEMU falls back to threads without a word.

What to do
    Block devices and raw files that are fully allocated: ``native``. Files that grow: ``threads``, or ``io_uring``
    where it is allowed and was measured (libvirt 6.3, QEMU 5.0, kernel 5.1, ``kernel.io_uring_disabled`` 0).

Leave it when
    You measured another choice on this very storage.

Cost
    The guest has to be shut down and started; libvirt refuses the change while it runs. Durability: none. Migration:
    none. Security: ``native`` and ``threads`` none; io_uring, which is not asked for, widens what a guest's escape
    could attack in the host's kernel.

Look by hand
    ``aio`` on QEMU's command line; ``sysctl kernel.io_uring_disabled``; threads named ``iou-wrk`` are io_uring's.

Measure it
    ``fio`` in the guest at depth 1 and 32, and the CPU time of QEMU's threads, before and after.

Sources
    * libvirt source, src/qemu/qemu_validate.c (native needs none or directsync)
    * QEMU source, block/file-posix.c
    * Linux documentation, sysctl kernel.io_uring_disabled
    * KubeVirt and virt-manager choose native for block devices
"""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.advise.apart import apart
from kvmnb.advise.disk.cache import fitting
from kvmnb.advise.disk.change import DIRECT, at_next_start, location
from kvmnb.advise.disk.images import image_disks, known_image
from kvmnb.advise.finding import Effect, Seen, Severity, Sure
from kvmnb.advise.intent import Goal
from kvmnb.advise.load import NOT_MEASURED
from kvmnb.advise.rule import Rule
from kvmnb.advise.view import View
from kvmnb.facts.device import Disk
from kvmnb.facts.domain import Domain
from kvmnb.facts.gap import Gap, NotSeen

RULE = Rule(
    id="disk.io",
    severity=Severity.MEDIUM,
    goals=(Goal.LATENCY, Goal.THROUGHPUT),
    basis="documented and source",
    effect=Effect.MODERATE,
    effect_basis="documented and source: depends on the storage, so measure",
    asks=("images",),
)

# Linux documentation, kernel.io_uring_disabled: 1 leaves it to a group (-1: to nobody), 2 to nobody at all.
URING_FOR_A_GROUP, URING_FOR_NOBODY = "1", "2"
NO_GROUP = "-1"
# Linux AIO blocks in the submitting thread on these.
SLOW_TO_SUBMIT = ("nfs", "nfs4", "cifs", "smb3", "ceph", "9p", "virtiofs")


@RULE.domain
def check(domain: Domain, view: View) -> Iterator[Seen]:
    """A finding for each disk whose requests take the wrong way."""
    yield from apart(view, image_disks(domain), lambda disk: _judged(domain, disk, view))


def _judged(domain: Domain, disk: Disk, view: View) -> Iterator[Seen]:
    direct = disk.cache in DIRECT
    if disk.io == "native" and not direct:
        yield _refused(domain, disk, view)
    elif disk.io == "io_uring":
        yield from _uring(domain, disk, view)
    elif disk.io == "native" and disk.type != "block":
        yield from _slow_to_submit(domain, disk, view)
    elif disk.io in (None, "threads") and direct and (whole := _whole(domain, disk, view)) is not None:
        word = f"driver/@io is {disk.io}" if disk.io is not None else "there is no driver/@io"
        saw = f"{word} (QEMU's threads) on {whole} with cache {disk.cache}"
        yield at_next_start(domain, disk, saw, {"driver/@io": "native"})


def _refused(domain: Domain, disk: Disk, view: View) -> Seen:
    image = known_image(domain, disk)
    whole = disk.type == "block" or (_raw_here(disk, view) and image is not None and image.fully_allocated)
    suits = fitting(disk, view) if whole else None
    values = {"driver/@cache": suits[0]} if suits is not None else {"driver/@io": "threads"}
    saw = f"driver/@io is native with cache {disk.cache or 'writeback (absent)'}; QEMU takes it only with none "
    return at_next_start(domain, disk, f"{saw}or directsync", values)


def _uring(domain: Domain, disk: Disk, view: View) -> Iterator[Seen]:
    why = _forbidden(view)
    if why is None:
        return
    block, direct = disk.type == "block", disk.cache in DIRECT
    suits = fitting(disk, view) if block and not direct else None
    values = {"driver/@io": "native" if block and (direct or suits) else "threads"}
    if suits is not None:
        values["driver/@cache"] = suits[0]
    saw = f"driver/@io is io_uring, but {why}, so that QEMU falls back to threads"
    yield at_next_start(domain, disk, saw, values)


def _slow_to_submit(domain: Domain, disk: Disk, view: View) -> Iterator[Seen]:
    slow = _slow(disk, view)
    if slow is None and disk.format in (None, "raw"):
        if _allocated(domain, disk):
            return
        grows = "a raw file that is not fully allocated"
    elif slow is None and disk.format != "qcow2":
        return
    else:
        grows = slow or "a qcow2 file"
    yield at_next_start(
        domain,
        disk,
        f"driver/@io is native on {grows}, where submitting a write can block",
        {"driver/@io": "threads"},
        sure=Sure.LIKELY if slow is None else Sure.CERTAIN,
        note=f"{NOT_MEASURED}; native is right for an image that was allocated beforehand" if slow is None else None,
    )


def _forbidden(view: View) -> str | None:
    kernel = view.host.kernel
    disabled = kernel.sysctl("kernel.io_uring_disabled")
    if disabled == URING_FOR_NOBODY:
        return "kernel.io_uring_disabled is 2"
    if disabled != URING_FOR_A_GROUP:
        return None
    if not any(one.key == "kernel.io_uring_group" for one in kernel.sysctls):
        raise NotSeen(Gap("io", "kernel.io_uring_disabled is 1, and kernel.io_uring_group is not read"))
    named = kernel.sysctl("kernel.io_uring_group") != NO_GROUP
    return None if named else "kernel.io_uring_disabled is 1 and kernel.io_uring_group names no group"


def _whole(domain: Domain, disk: Disk, view: View) -> str | None:
    """The storage in words where a write never has to allocate."""
    if disk.type == "block":
        return f"the block device {disk.block}"
    if _raw_here(disk, view) and _allocated(domain, disk):
        return "a raw file that is fully allocated"
    return None


def _raw_here(disk: Disk, view: View) -> bool:
    """Whether it is a raw file of a local file system, whose allocation decides."""
    return disk.format in (None, "raw") and _slow(disk, view) is None


def _allocated(domain: Domain, disk: Disk) -> bool:
    """Whether all of a raw file's space is taken; NotSeen where its image is not read."""
    image = domain.image_of(disk.target)
    if image.fully_allocated is None:
        raise NotSeen(Gap(f"images[{image.path}]", "how much of it is allocated is not told"))
    return image.fully_allocated


def _slow(disk: Disk, view: View) -> str | None:
    mount = location(disk, view).mount
    if mount is not None and (mount.fs_type in SLOW_TO_SUBMIT or mount.fs_type.startswith("fuse")):
        return f"a file of {mount.fs_type}"
    return None
