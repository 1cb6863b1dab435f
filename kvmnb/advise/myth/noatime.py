"""noatime brings next to nothing for images of guests.

What is said
    Mount the file system of the images with noatime and nodiratime for speed.

What is true
    Linux mounts with relatime since 2.6.30: the time of access is written once a day at most, or after a change.
    An image that is open all day is one inode, and with O_DIRECT hardly read through the cache at all. noatime
    holds nodiratime in itself, so the pair says the same twice.

Where it comes from
    The years before relatime, when each read of a file wrote its inode.

When it holds
    For trees of many small files that are read often, such as mail or build folders; inside a guest it can be
    felt there.

Look by hand
    ``findmnt -no OPTIONS -T /var/lib/libvirt/images``.

Sources
    * Linux manual, mount(8): relatime, noatime
    * Linux documentation, filesystems
"""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.advise.finding import Seen
from kvmnb.advise.folklore import Myth
from kvmnb.advise.host.images import image_mounts, in_short
from kvmnb.advise.view import View
from kvmnb.tunable.spelling import percent_encode

MYTH = Myth("myth.noatime")


@MYTH.host
def check(view: View) -> Iterator[Seen]:
    """A finding for each mount of images with both options, of which one holds the other."""
    for mount, files in image_mounts(view):
        if {"noatime", "nodiratime"} <= set(mount.options):
            yield MYTH.sign(
                f"{mount.mount_point} is mounted with noatime and nodiratime (/proc/self/mountinfo) "
                f"and holds {in_short(files)}",
                "It does no harm; nodiratime is part of noatime, and neither speeds guests up.",
                subject=f"mount/{percent_encode(mount.mount_point)}",
            )
