"""All domains of a machine: their XML, libvirt's state of them, their processes and their owners."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

from kvmnb.core.errors import KvmnbError
from kvmnb.facts.domain import Configuration, Domain, State
from kvmnb.facts.gap import Gap
from kvmnb.facts.ownership import ClusterResource, DomainOwner
from kvmnb.facts.running import Running
from kvmnb.machine.hypervisor import DomainRecord, DomainState, Hypervisor
from kvmnb.machine.machine import Machine
from kvmnb.machine.processes import Processes, guest_processes
from kvmnb.probe.domain import probe_domain
from kvmnb.probe.ownership import cluster_owner, owners_of, probe_cluster
from kvmnb.probe.reader import Reader, gap
from kvmnb.probe.running import probe_running


def probe_domains(machine: Machine) -> tuple[Domain, ...]:
    """Every domain, by name; none for a bare tree without libvirt."""
    source = machine.hypervisor
    if source is None:
        return ()
    records = source.domains()
    states = _states(source)
    beside = _Beside(machine, any(record.running for record in records))
    return tuple(_domain(source, record, states, beside) for record in records)


class _Beside:
    """What the host's files tell of all guests, read once."""

    def __init__(self, machine: Machine, any_running: bool) -> None:
        self.read = Reader(machine.files) if machine.files is not None else None
        self.why_not = machine.files_gap or "the host's files are not readable"
        self.processes = self._processes() if any_running else Processes((), {})
        self.cluster: tuple[ClusterResource, ...] | Gap = (
            probe_cluster(self.read) if self.read is not None else Gap("cluster", self.why_not)
        )

    def _processes(self) -> Processes | Gap:
        if self.read is None:
            return Gap("processes", self.why_not)
        try:
            return guest_processes(self.read.files)
        except (OSError, ValueError, KvmnbError) as problem:
            return Gap("processes", f"/proc: {problem}")


def _domain(
    source: Hypervisor, record: DomainRecord, states: Mapping[str, DomainState] | Gap, beside: _Beside
) -> Domain:
    fact = f"domains[{record.name}]"
    domain = probe_domain(source, record)
    return replace(
        domain,
        # A field that is a gap cannot be read, so replace() is given every one of them.
        **{name: cast(Any, unseen) for name in ("inactive", "live") if (unseen := domain.gap_of(name))},
        state=_state(record, states, fact),
        running_state=_running(record, beside, f"{fact}.running_state"),
        owners=_owners(domain, fact),
        cluster=_cluster(record, beside, fact),
    )


def _states(source: Hypervisor) -> Mapping[str, DomainState] | Gap:
    try:
        return source.states()
    except KvmnbError as problem:
        return Gap("state", str(problem))


def _state(record: DomainRecord, states: Mapping[str, DomainState] | Gap, fact: str) -> State:
    if isinstance(states, Gap):
        return cast(State, Gap(f"{fact}.state", states.reason))
    told = states.get(record.uuid)
    if told is None:
        return cast(State, Gap(f"{fact}.state", "libvirt tells no state of it"))

    def value(name: str) -> Any:
        why = told.untold.get(name)
        return getattr(told, name) if why is None else gap(f"{fact}.state.{name}", why)

    return State(
        name=value("name"),
        reason=value("reason"),
        autostart=value("autostart"),
        managed_save=value("managed_save"),
        snapshots=value("snapshots"),
        job=value("job"),
        updated=value("updated"),
    )


def _running(record: DomainRecord, beside: _Beside, fact: str) -> Running | None:
    if not record.running:
        return None
    if isinstance(beside.processes, Gap) or beside.read is None:
        reason = beside.processes.reason if isinstance(beside.processes, Gap) else beside.why_not
        return cast(Running, Gap(fact, reason))
    return probe_running(beside.read, beside.processes, record.uuid, record.name, fact)


def _owners(domain: Domain, fact: str) -> tuple[DomainOwner, ...]:
    """Of both configurations, each owner once."""
    found: dict[str, DomainOwner] = {}
    seen = 0
    for layer in ("inactive", "live"):
        configuration: Configuration | None = None if domain.gap_of(layer) else getattr(domain, layer)
        if configuration is not None:
            seen += 1
            found.update({owner.name: owner for owner in owners_of(configuration)})
    if not seen:
        return cast(tuple[DomainOwner, ...], Gap(f"{fact}.owners", "its XML could not be read"))
    return tuple(found.values())


def _cluster(record: DomainRecord, beside: _Beside, fact: str) -> DomainOwner | None:
    if isinstance(beside.cluster, Gap):
        return cast(DomainOwner, Gap(f"{fact}.cluster", beside.cluster.reason))
    return cluster_owner(record.name, beside.cluster)
