"""What a NIC's driver says of itself: rings, channels, interrupt coalescing, offloads."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase

from kvmnb.facts.gap import Fact

# The long words of ``ethtool -k`` and ``-K``, with the kernel's features that each stands for.
OFFLOADS = {
    "rx-checksumming": ("rx-checksum",),
    "tx-checksumming": ("tx-checksum-*",),
    "scatter-gather": ("tx-scatter-gather", "tx-scatter-gather-fraglist"),
    "tcp-segmentation-offload": ("tx-tcp*-segmentation",),
    "udp-fragmentation-offload": ("tx-udp-fragmentation",),
    "generic-segmentation-offload": ("tx-generic-segmentation",),
    "generic-receive-offload": ("rx-gro",),
    "large-receive-offload": ("rx-lro",),
    "rx-vlan-offload": ("rx-vlan-hw-parse",),
    "tx-vlan-offload": ("tx-vlan-hw-insert",),
    "ntuple-filters": ("rx-ntuple-filter",),
    "receive-hashing": ("rx-hashing",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature(Fact):
    """One offload or other feature of a NIC, by the kernel's name; ETHTOOL_GFEATURES."""

    name: str
    """``rx-gro``, ``tx-tcp-segmentation``, ..."""
    on: bool
    """Whether it is in force."""
    fixed: bool
    """Whether it cannot be changed."""
    requested: bool | None
    """What was asked for where that is not in force; None where both agree."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Channels(Fact):
    """How many queues a NIC serves and can serve; ETHTOOL_GCHANNELS. A channel of no kind counts 0."""

    rx: int
    """Channels for receiving alone."""
    rx_max: int
    """The most that the driver takes."""
    tx: int
    """Channels for sending alone."""
    tx_max: int
    """The most that the driver takes."""
    other: int
    """Channels for neither, as link interrupts."""
    other_max: int
    """The most that the driver takes."""
    combined: int
    """Channels for both directions."""
    combined_max: int
    """The most that the driver takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rings(Fact):
    """The descriptors of each queue of a NIC; ETHTOOL_GRINGPARAM."""

    rx: int
    """Descriptors of each receive ring."""
    rx_max: int
    """The most that the driver takes."""
    tx: int
    """Descriptors of each send ring."""
    tx_max: int
    """The most that the driver takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Coalesce(Fact):
    """How long a NIC holds an interrupt back; ETHTOOL_GCOALESCE.

    Where the driver has no such setting the kernel answers 0 and off; the ``ethtool`` program says it, then it is None.
    """

    rx_usecs: int | None
    """After a packet came in, in microseconds."""
    rx_frames: int | None
    """Packets that come in before an interrupt."""
    tx_usecs: int | None
    """After a packet was sent, in microseconds."""
    tx_frames: int | None
    """Packets sent before an interrupt."""
    adaptive_rx: bool | None
    """Whether the driver varies the receive time by load."""
    adaptive_tx: bool | None
    """Whether the driver varies the send time by load."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ethtool(Fact):
    """What the kernel answers when it is asked for a NIC's driver settings; SIOCETHTOOL.

    A part is None where the driver does not support the question.
    """

    driver: str | None
    """The driver by its own word: ``ixgbe``, ``virtio_net``, ``tun``, ``bridge``; ETHTOOL_GDRVINFO."""
    firmware: str | None
    """The firmware's version; ETHTOOL_GDRVINFO."""
    bus: str | None
    """Where the device sits, for PCI its address; ETHTOOL_GDRVINFO."""
    channels: Channels | None
    """Its channels."""
    rings: Rings | None
    """Its rings."""
    coalesce: Coalesce | None
    """Its interrupt coalescing."""
    features: tuple[Feature, ...] | None
    """Its features, in the kernel's order."""

    def offload(self, word: str) -> bool | None:
        """Whether an offload is in force, by a long word of ``ethtool -k`` or a kernel's name.

        A long word is on where one of its features is, as ``ethtool`` says it. None where the NIC tells of
        no such feature.
        """
        found = self._of(word)
        return any(feature.on for feature in found) if found else None

    def fixed(self, word: str) -> bool | None:
        """Whether no feature of this word can be changed; None where the NIC tells of none."""
        found = self._of(word)
        return all(feature.fixed for feature in found) if found else None

    def _of(self, word: str) -> tuple[Feature, ...]:
        patterns = OFFLOADS.get(word, (word,))
        return tuple(
            feature
            for feature in self.features or ()
            if any(fnmatchcase(feature.name, pattern) for pattern in patterns)
        )
