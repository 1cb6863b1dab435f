"""What libvirt keeps of all domains beside their XML, in few calls.

Lists with a filter answer for all domains at once. A running domain costs three calls more; none of
them waits for a QEMU that does not answer its monitor.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from kvmnb.machine.hypervisor import DomainState

Ask = Callable[[str, Callable[[], Any]], Any]


class DomainStates:
    """Reads the states of one connection once."""

    def __init__(self, libvirt: Any, connect: Any) -> None:
        self._libvirt = libvirt
        self._connect = connect
        self._states = _constants(libvirt, "VIR_DOMAIN_", "NOSTATE RUNNING BLOCKED PAUSED SHUTDOWN SHUTOFF CRASHED")
        self._states[libvirt.VIR_DOMAIN_PMSUSPENDED] = "pmsuspended"
        self._reasons = _constants(libvirt, "VIR_DOMAIN_PAUSED_")
        self._jobs = _constants(libvirt, "VIR_DOMAIN_JOB_OPERATION_")

    def read(self, ask: Ask) -> Mapping[str, DomainState]:
        """The state of every domain by UUID; ``ask`` makes a call and words its failure."""
        listed = ask("listing the domains", self._connect.listAllDomains)
        autostart, saved, with_snapshots = (
            self._filtered(getattr(self._libvirt, f"VIR_CONNECT_LIST_DOMAINS_{name}"))
            for name in ("AUTOSTART", "MANAGEDSAVE", "HAS_SNAPSHOT")
        )
        states = self._stated()
        found = {}
        for domain in listed:
            uuid = domain.UUIDString()
            told = _Told((self._error, _Busy))
            number, reason = self._state(told, domain, states.get(uuid))
            found[uuid] = DomainState(
                name=None if number is None else self._states.get(number, "nostate"),
                reason=self._reasons.get(reason) if number == self._libvirt.VIR_DOMAIN_PAUSED else None,
                autostart=told.member("autostart", uuid, autostart),
                managed_save=told.member("managed_save", uuid, saved),
                snapshots=self._snapshots(told, domain, told.member("snapshots", uuid, with_snapshots)),
                job=told.take("job", partial(self._job, domain)),
                updated=told.take("updated", partial(_updated, domain)),
                untold=told.untold,
            )
        return found

    def _state(self, told: _Told, domain: Any, known: tuple[int, int] | None) -> tuple[int | None, int]:
        answer: tuple[int, int] | None = known if known is not None else told.take("name", domain.state)
        return answer if answer is not None else (None, 0)

    @property
    def _error(self) -> type[Exception]:
        found: type[Exception] = self._libvirt.libvirtError
        return found

    def _filtered(self, flag: int) -> frozenset[str] | str:
        """The UUIDs of the domains that pass a filter; a reason where the driver does not know it."""
        try:
            return frozenset(domain.UUIDString() for domain in self._connect.listAllDomains(flag))
        except self._error as problem:
            return str(problem)

    def _stated(self) -> dict[str, tuple[int, int]]:
        """State and reason of all domains from one call; empty where the driver has none."""
        try:
            stats = self._connect.getAllDomainStats(self._libvirt.VIR_DOMAIN_STATS_STATE)
        except self._error:
            return {}
        return {
            domain.UUIDString(): (values["state.state"], values.get("state.reason", 0))
            for domain, values in stats
            if "state.state" in values
        }

    def _snapshots(self, told: _Told, domain: Any, any_there: bool | None) -> int | None:
        if not any_there:
            return None if any_there is None else 0
        count: int | None = told.take("snapshots", domain.snapshotNum)
        return count

    def _job(self, domain: Any) -> str | None:
        if domain.ID() < 0:
            return None
        # Asking for the job of a domain that is busy would wait for the other command to end.
        control = domain.controlInfo()[0]
        if control != self._libvirt.VIR_DOMAIN_CONTROL_OK:
            raise _Busy("libvirt is busy with this domain, or its QEMU does not answer")
        stats = domain.jobStats()
        if stats.get("type", self._libvirt.VIR_DOMAIN_JOB_NONE) == self._libvirt.VIR_DOMAIN_JOB_NONE:
            return None
        return self._jobs.get(stats.get("operation", 0), "unknown")


class _Busy(Exception):
    """A domain that is not asked further."""


class _Told:
    """What was told of one domain, and why the rest was not."""

    def __init__(self, expected: tuple[type[Exception], ...]) -> None:
        self.untold: dict[str, str] = {}
        self._expected = expected

    def take(self, field: str, call: Callable[[], Any]) -> Any:
        try:
            return call()
        except self._expected as problem:
            self.untold[field] = str(problem)
            return None

    def member(self, field: str, uuid: str, known: frozenset[str] | str) -> bool | None:
        if isinstance(known, str):
            self.untold[field] = known
            return None
        return uuid in known


def _updated(domain: Any) -> bool:
    return domain.ID() >= 0 and bool(domain.isUpdated())


def _constants(libvirt: Any, prefix: str, names: str = "") -> dict[int, str]:
    """libvirt's numbers and what they are called; of all constants with this prefix where no names are given."""
    chosen = names.split() or [name.removeprefix(prefix) for name in dir(libvirt) if name.startswith(prefix)]
    return {getattr(libvirt, prefix + name): name.lower() for name in chosen}
