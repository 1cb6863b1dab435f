"""Packets: of the host's interfaces, of the guests' taps, and of the CPUs that take them in."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import NamedTuple

from kvmnb.machine.files import Files
from kvmnb.measure.collect.census import Census, Running
from kvmnb.measure.collect.collector import OfHost
from kvmnb.measure.metric import TICK
from kvmnb.measure.metrics import guest_nic, host_nic
from kvmnb.measure.series import Count, Reading, Series

# Columns of /proc/net/dev after the name: receive bytes packets errs drop ..., transmit from 8 on.
OF_HOST = (
    (host_nic.HOST_NIC_RECEIVED_BYTES, 0),
    (host_nic.HOST_NIC_RECEIVED, 1),
    (host_nic.HOST_NIC_RECEIVE_ERRORS, 2),
    (host_nic.HOST_NIC_RECEIVE_DROPS, 3),
    (host_nic.HOST_NIC_SENT_BYTES, 8),
    (host_nic.HOST_NIC_SENT, 9),
    (host_nic.HOST_NIC_SEND_ERRORS, 10),
    (host_nic.HOST_NIC_SEND_DROPS, 11),
)
# What the tap sends its guest receives.
OF_GUEST = (
    (guest_nic.NIC_SENT_BYTES, 0),
    (guest_nic.NIC_SENT, 1),
    (guest_nic.NIC_SEND_ERRORS, 2),
    (guest_nic.NIC_SEND_DROPS, 3),
    (guest_nic.NIC_RECEIVED_BYTES, 8),
    (guest_nic.NIC_RECEIVED, 9),
    (guest_nic.NIC_RECEIVE_ERRORS, 10),
    (guest_nic.NIC_RECEIVE_DROPS, 11),
)
LOST = ("rx_missed_errors", "rx_fifo_errors")
# Which taps a QEMU holds is looked up anew after this long: an interface that is plugged in may wait so.
TAPS_SECONDS = 30.0
SOFTNET = (host_nic.HOST_SOFTNET, host_nic.HOST_SOFTNET_DROPS, host_nic.HOST_SOFTNET_SQUEEZES)


class _Taps(NamedTuple):
    process: tuple[int, int]
    names: tuple[str, ...]
    seen_at: float


class Nics(OfHost):
    """Reads all interfaces at once, and tells the guests' taps from the others by who holds them open."""

    period = TICK

    def __init__(self, files: Files, census: Census) -> None:
        self._files = files
        self._census = census
        self._taps: dict[str, _Taps] = {}
        self._devices: dict[str, bool] = {}

    def collect(self) -> Iterator[Reading]:
        """The counters of this moment; OSError, ValueError or IndexError where the file cannot be read."""
        owners = self._owners()
        text = self._files.read("proc/net/dev")
        at = time.monotonic()
        for line in text.splitlines()[2:]:
            name, _, rest = line.rpartition(":")
            name, columns = name.strip(), rest.split()
            owner = owners.get(name, "")
            for metric, column in OF_GUEST if owner else OF_HOST:
                yield Count(Series(metric.name, owner, name), int(columns[column]), at, (owner, name))
            if not owner:
                yield from self._ring(name)
        yield from self._softnet()

    def _softnet(self) -> Iterator[Count]:
        text = self._files.read("proc/net/softnet_stat")
        at = time.monotonic()
        for place, line in enumerate(text.splitlines()):
            words = line.split()
            # Since Linux 5.10 the line says which CPU it is of; before, CPUs that are offline have none.
            cpu = int(words[12], 16) if len(words) > 12 else place
            for metric, word in zip(SOFTNET, words, strict=False):
                yield Count(Series(metric.name, "", cpu), int(word, 16), at, cpu)

    def _ring(self, name: str) -> Iterator[Count]:
        """What a NIC with a device behind it lost; a NIC that goes meanwhile has none."""
        folder = f"sys/class/net/{name}"
        if name not in self._devices:
            self._devices[name] = self._files.exists(f"{folder}/device")
        if not self._devices[name]:
            return
        try:
            lost = sum(int(self._files.read(f"{folder}/statistics/{one}")) for one in LOST)
        except OSError:
            del self._devices[name]
            return
        yield Count(Series(host_nic.HOST_NIC_RING_DROPS.name, "", name), lost, time.monotonic(), name)

    def _owners(self) -> dict[str, str]:
        """The guest of each tap."""
        now = time.monotonic()
        guests = self._census.guests()
        self._taps = {uuid: taps for uuid, taps in self._taps.items() if uuid in guests}
        for uuid, guest in guests.items():
            process = (guest.process.pid, guest.process.start_ticks)
            known = self._taps.get(uuid)
            if known is None or known.process != process or now - known.seen_at >= TAPS_SECONDS:
                self._taps[uuid] = _Taps(process, taps_of(self._files, guest), now)
        return {name: uuid for uuid, taps in self._taps.items() for name in taps.names}


def taps_of(files: Files, guest: Running) -> tuple[str, ...]:
    """The taps that a guest's QEMU holds open; none where this user may not look into its descriptors."""
    folder = f"proc/{guest.process.pid}/fdinfo"
    found: set[str] = set()
    try:
        numbers = files.names(folder)
    except OSError:
        return ()
    for number in numbers:
        try:
            found.update(re.findall(r"^iff:\s*(\S+)$", files.read(f"{folder}/{number}"), re.MULTILINE))
        except (OSError, ValueError):
            # QEMU closes descriptors while they are listed.
            continue
    return tuple(sorted(found))
