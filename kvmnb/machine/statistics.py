"""libvirt's bulk call, over connections of its own: a call that hangs there holds up nobody else."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from kvmnb.core.errors import DomainGone, NotAnswered, SourceError
from kvmnb.machine.connection import import_libvirt

# A remote daemon that is silent for about this long is given up.
KEEPALIVE_SECONDS = 5
KEEPALIVE_TRIES = 3
# How often the event loop looks whether it is over.
LOOK_MILLISECONDS = 500


class Statistics:
    """One connection that is asked for the counters of one guest after the other."""

    def __init__(self, uri: str, *, keepalive: bool) -> None:
        """Connect; SourceError where the daemon does not answer."""
        self._libvirt = import_libvirt()
        if keepalive:
            ensure_events(self._libvirt)
        try:
            self._connect = self._libvirt.open(uri)
            if keepalive:
                self._connect.setKeepAlive(KEEPALIVE_SECONDS, KEEPALIVE_TRIES)
        except self._libvirt.libvirtError as problem:
            raise SourceError(f"libvirt at {uri} does not answer: {problem}") from problem
        self._domains: dict[str, Any] = {}

    def running(self) -> Mapping[str, str]:
        """The name of every running guest by UUID."""
        try:
            listed = self._connect.listAllDomains(self._libvirt.VIR_CONNECT_LIST_DOMAINS_ACTIVE)
        except self._libvirt.libvirtError as problem:
            raise SourceError(f"libvirt does not list its guests: {problem}") from problem
        self._domains = {domain.UUIDString(): domain for domain in listed}
        return {uuid: domain.name() for uuid, domain in self._domains.items()}

    def of(self, uuid: str, groups: tuple[str, ...]) -> Mapping[str, object]:
        """What libvirt counts of one guest: ``groups`` are names such as ``block`` and ``balloon``.

        DomainGone where it does not run any more, SourceError where the connection is lost, NotAnswered with
        libvirt's words for anything else.
        """
        libvirt = self._libvirt
        wanted = 0
        for name in groups:
            wanted |= getattr(libvirt, f"VIR_DOMAIN_STATS_{name.upper()}", 0)
        # Without NOWAIT a guest that another job holds, such as a migration, would be waited for.
        flags = libvirt.VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT
        try:
            domain = self._domains.get(uuid) or self._connect.lookupByUUIDString(uuid)
            self._domains[uuid] = domain
            told = self._connect.domainListGetStats([domain], wanted, flags)
        except libvirt.libvirtError as problem:
            self._domains.pop(uuid, None)
            if problem.get_error_code() == libvirt.VIR_ERR_NO_DOMAIN:
                raise DomainGone(f"no guest with UUID {uuid} runs any more") from problem
            if not self._connect.isAlive():
                raise SourceError(f"the connection to libvirt is lost: {problem}") from problem
            raise NotAnswered(str(problem)) from problem
        if not told:
            raise DomainGone(f"no guest with UUID {uuid} runs any more")
        counters: Mapping[str, object] = told[0][1]
        return counters

    def close(self) -> None:
        """Let go of the connection."""
        self._domains = {}
        try:
            self._connect.close()
        except self._libvirt.libvirtError:
            # The daemon may be gone already; there is nothing left to let go of.
            return


class _Events(threading.Thread):
    """Runs libvirt's event loop, without which keepalive messages are neither sent nor missed."""

    def __init__(self, libvirt: Any) -> None:
        super().__init__(name="kvmnb-libvirt-events", daemon=True)
        self.over = False
        self._libvirt = libvirt
        # The loop sleeps until something happens; the timer sees to it that something does.
        self._timer = libvirt.virEventAddTimeout(LOOK_MILLISECONDS, lambda timer, opaque: None, None)

    def run(self) -> None:
        while not self.over:
            self._libvirt.virEventRunDefaultImpl()
        self._libvirt.virEventRemoveTimeout(self._timer)


_events: list[_Events] = []
_registered: list[Any] = []
_lock = threading.Lock()


def ensure_events(libvirt: Any) -> None:
    """Start the one event thread unless it runs."""
    with _lock:
        if not _registered:
            libvirt.virEventRegisterDefaultImpl()
            _registered.append(libvirt)
        if not _events:
            _events.append(_Events(libvirt))
            _events[0].start()


def end_events() -> None:
    """End the event thread and wait for its end."""
    with _lock:
        for one in _events:
            one.over = True
            one.join()
        _events.clear()
