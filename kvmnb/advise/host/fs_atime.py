"""Each read of an image writes down the time of access.

What is seen
    The mount that holds images of guests has neither ``relatime`` nor ``noatime``: that is ``strictatime``, which the
    kernel does not print by name.

Why it hurts
    Hardly: every read of an image updates its inode. ``relatime``, the kernel's own default, does that once a day at
    most, so ``noatime`` beyond it brings nothing that can be measured, whatever is often said. It implies
    ``nodiratime`` by the way.

What to do
    Mount with ``relatime``, live and in ``/etc/fstab``.

Leave it when
    An audit or a backup program needs exact times of access.

Cost
    Works at once, needs no restart. Durability, migration, security: none, unless an audit reads these times.

Look by hand
    ``findmnt -T /var/lib/libvirt/images -o TARGET,OPTIONS``.

Measure it
    Not worth a measurement; ``stat -c %x IMAGE`` shows whether the time moves.

Sources
    * Linux documentation, filesystems (relatime is the default since 2.6.30)
    * Linux source, fs/proc_namespace.c (which options are printed)
"""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.advise.finding import Effect, Seen, Severity
from kvmnb.advise.host.images import image_mounts, in_short
from kvmnb.advise.intent import Goal
from kvmnb.advise.rule import Rule
from kvmnb.advise.view import View
from kvmnb.tunable.mount import Mount
from kvmnb.tunable.spelling import percent_encode
from kvmnb.tunable.tunable import Want

RULE = Rule(
    id="host.fs.atime",
    severity=Severity.INFO,
    goals=(Goal.BALANCED,),
    basis="documented",
    effect=Effect.SMALL,
    effect_basis="documented: next to nothing, and nothing for images opened with O_DIRECT",
)

SPARING = ("relatime", "noatime", "lazytime")


@RULE.host
def check(view: View) -> Iterator[Seen]:
    """A finding for each mount of images with strictatime."""
    for mount, files in image_mounts(view):
        options = mount.options
        if mount.device is None or "ro" in options or any(one in SPARING for one in options):
            continue
        yield Seen(
            saw=f"{mount.mount_point} ({mount.fs_type}) holds {in_short(files)} and has neither relatime nor noatime "
            "(/proc/self/mountinfo)",
            wants=(Want(Mount(mount.mount_point), "relatime"),),
            note="until the next mount; to keep it, remove strictatime from its line in /etc/fstab",
            subject=f"mount/{percent_encode(mount.mount_point)}",
        )
