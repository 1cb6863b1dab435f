"""A disk image and the images that it is based on."""

from __future__ import annotations

from dataclasses import dataclass

from kvmnb.facts.gap import Fact

# qcow2 maps each cluster with an L2 entry of 8 bytes, of 16 with extended L2 (QEMU's docs/qcow2-cache.txt).
L2_ENTRY_BYTES = 8
EXTENDED_L2_ENTRY_BYTES = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Space(Fact):
    """The room on the file system that an image lies on, from ``stat --file-system``."""

    total_bytes: int
    """Its size in bytes."""
    free_bytes: int
    """What a user who is not root may still take, in bytes; QEMU runs as one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Image(Fact):
    """One disk image, from ``qemu-img info --output=json`` and ``stat``; None where the format has no such thing."""

    path: str
    """Where it was looked for: hostile text, from domain XML or from another image."""
    format: str
    """The format that it was opened as, which its domain or the image above names; it is never guessed."""
    block_device: bool
    """Whether it is a block device and no file."""
    number: str
    """Major and minor number of the block device, else of the file system that the file lies on."""
    virtual_bytes: int
    """The size that the guest sees, in bytes; ``virtual-size``."""
    actual_bytes: int | None
    """What it takes on its file system, in bytes; None for a block device; ``actual-size``."""
    cluster_bytes: int | None
    """The part that is allocated at once, in bytes; ``cluster-size``."""
    compat: str | None
    """qcow2's version: ``0.10`` (old, no lazy refcounts) or ``1.1``; ``format-specific``."""
    lazy_refcounts: bool | None
    """Whether refcounts are written late; ``format-specific``."""
    extended_l2: bool | None
    """Whether clusters are divided into 32 subclusters; ``format-specific``."""
    corrupt: bool | None
    """Whether QEMU marked the image as damaged; ``format-specific``."""
    data_file: str | None
    """A file beside it that holds the guest's data: hostile text; ``format-specific``."""
    encrypted: bool
    """Whether its content is encrypted by QEMU; ``encrypted``."""
    snapshots: int
    """How many internal snapshots it holds; ``snapshots``."""
    bitmaps: int
    """How many dirty bitmaps it holds, which backups go by; ``format-specific``."""
    space: Space | None
    """The room on its file system; None for a block device."""
    backing_file: str | None
    """The image below it as its header names it: hostile text; None without one; ``backing-filename``."""
    backing_format: str | None
    """The format that the header names for the image below; None where it names none."""
    backing: Image | None
    """The image below it; None without one, a gap where that one could not be read."""

    @property
    def chain(self) -> tuple[Image, ...]:
        """This image and all below it; NotSeen where one of them could not be read."""
        found = [self]
        while (below := found[-1].backing) is not None:
            found.append(below)
        return tuple(found)

    @property
    def growth_bytes(self) -> int:
        """What it may still take of its file system until the guest has written all of its disk, in bytes."""
        return 0 if self.actual_bytes is None else max(0, self.virtual_bytes - self.actual_bytes)

    @property
    def fully_allocated(self) -> bool | None:
        """Whether all of its space is taken already, so that a write allocates nothing; None where nothing tells.

        Space alone does not tell whether qcow2's tables were made beforehand (``preallocation=metadata``).
        """
        if self.block_device and self.format == "raw":
            return True
        return None if self.actual_bytes is None else self.actual_bytes >= self.virtual_bytes

    @property
    def l2_bytes(self) -> int | None:
        """The L2 cache that maps the whole image, in bytes; None where the format has no L2 tables."""
        if self.format != "qcow2" or not self.cluster_bytes:
            return None
        entry = EXTENDED_L2_ENTRY_BYTES if self.extended_l2 else L2_ENTRY_BYTES
        return -(-self.virtual_bytes // self.cluster_bytes) * entry


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskImage(Fact):
    """The image of one disk of a domain that is a file or a block device."""

    target: str
    """The disk's name in its domain, such as ``vda``."""
    image: Image
    """The image that the disk's XML names, and those below it."""
