"""A machine's host and domains, probed once each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from kvmnb.core.cpuset import CpuSet
from kvmnb.core.errors import KvmnbError
from kvmnb.facts.domain import Domain
from kvmnb.facts.gap import Gap
from kvmnb.facts.host import Host
from kvmnb.machine.identity import host_uuid
from kvmnb.machine.machine import Machine
from kvmnb.probe.cpu import ROOT, probe_cpus
from kvmnb.probe.domain import probe_domain
from kvmnb.probe.hypervisor import host_identity, probe_hypervisor
from kvmnb.probe.memory import probe_nodes
from kvmnb.probe.reader import Reader, seen


@dataclass(frozen=True, slots=True)
class Survey:
    """All facts of one machine at one moment."""

    host: Host
    domains: tuple[Domain, ...]
    gaps: tuple[Gap, ...]

    def domain(self, name: str) -> Domain:
        """The domain of this name; KvmnbError that lists the names where there is none."""
        for domain in self.domains:
            if domain.name == name:
                return domain
        known = ", ".join(repr(domain.name) for domain in self.domains[:20]) or "none"
        raise KvmnbError(f"no domain is named {name!r}; the domains are {known}")


def probe(machine: Machine) -> Survey:
    """Every fact of the host and of all its domains."""
    domains: tuple[Domain, ...] = ()
    if machine.hypervisor is not None:
        source = machine.hypervisor
        domains = tuple(probe_domain(source, record) for record in source.domains())
    host = _host(machine, domains)
    gaps = [*host.gaps(), *(gap for domain in domains for gap in domain.gaps())]
    return Survey(host, domains, tuple(gaps))


def _host(machine: Machine, domains: Sequence[Domain]) -> Host:
    told, arch = host_identity(machine.hypervisor) if machine.hypervisor is not None else (None, None)
    uuid = host_uuid(machine, told)
    hypervisor = probe_hypervisor(machine.hypervisor, domains) if machine.hypervisor is not None else None
    if machine.files is None:
        unseen = [
            Gap(f"host.{name}", machine.files_gap or "not readable") for name in ("cpus", "numa_nodes", "isolated")
        ]
        return Host(
            uuid=uuid,
            arch=arch,
            cpus=cast(tuple[()], unseen[0]),
            numa_nodes=cast(tuple[()], unseen[1]),
            isolated=cast(CpuSet, unseen[2]),
            hypervisor=hypervisor,
        )
    read = Reader(machine.files)
    online = read.cpus(f"{ROOT}/online", "host.cpus.online", absent=None)
    nodes = probe_nodes(read, online if online is not None and seen(online) else _present(read))
    node_of = {cpu: node.id for node in nodes if node.gap_of("cpus") is None for cpu in node.cpus}
    return Host(
        uuid=uuid,
        arch=arch,
        cpus=probe_cpus(read, node_of),
        numa_nodes=nodes,
        isolated=read.cpus(f"{ROOT}/isolated", "host.isolated", CpuSet()),
        hypervisor=hypervisor,
    )


def _present(read: Reader) -> CpuSet:
    numbers = (name[3:] for name in read.names(ROOT) if name.startswith("cpu"))
    return CpuSet(int(number) for number in numbers if number.isdecimal())
