"""A machine's host and domains, probed once each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from kvmnb.core.cpuset import CpuSet
from kvmnb.core.errors import KvmnbError
from kvmnb.facts.domain import Domain
from kvmnb.facts.gap import Gap
from kvmnb.facts.host import Host
from kvmnb.machine.identity import host_uuid
from kvmnb.machine.machine import Machine
from kvmnb.machine.passes import passes
from kvmnb.probe.cpu import ROOT, online_cpus, probe_cpus
from kvmnb.probe.cpu_system import probe_cpu_system
from kvmnb.probe.domains import probe_domains
from kvmnb.probe.hypervisor import host_identity, probe_hypervisor
from kvmnb.probe.interrupts import probe_interrupts
from kvmnb.probe.kernel import probe_kernel
from kvmnb.probe.memory import probe_nodes
from kvmnb.probe.mounts import probe_mounts
from kvmnb.probe.network import probe_nics
from kvmnb.probe.network_ethtool import RecordedAnswers
from kvmnb.probe.network_stack import probe_bridge_netfilter, probe_conntrack, probe_softnet
from kvmnb.probe.odd import oddities
from kvmnb.probe.reader import Reader, seen
from kvmnb.probe.storage import probe_blocks


@dataclass(frozen=True, slots=True)
class Survey:
    """All facts of one machine at one moment."""

    host: Host
    domains: tuple[Domain, ...]
    gaps: tuple[Gap, ...]
    warnings: tuple[Gap, ...]
    """Facts that were read and yet must not be taken at their word, and why."""

    def domain(self, name: str) -> Domain:
        """The domain of this name; KvmnbError that lists the names where there is none."""
        for domain in self.domains:
            if domain.name == name:
                return domain
        known = ", ".join(repr(domain.name) for domain in self.domains[:20]) or "none"
        raise KvmnbError(f"no domain is named {name!r}; the domains are {known}")


def probe(machine: Machine) -> Survey:
    """Every fact of the host and of all its domains."""
    *_, survey = map(_probe, passes(machine))
    return survey


def _probe(machine: Machine) -> Survey:
    domains = probe_domains(machine)
    host, odd = _host(machine, domains)
    # CPUs share caches and policies, and with them their gaps.
    gaps = dict.fromkeys([*host.gaps(), *(gap for domain in domains for gap in domain.gaps())])
    return Survey(host, domains, tuple(gaps), odd)


def _host(machine: Machine, domains: Sequence[Domain]) -> tuple[Host, tuple[Gap, ...]]:
    told, arch = host_identity(machine.hypervisor) if machine.hypervisor is not None else (None, None)
    uuid = host_uuid(machine, told)
    hypervisor = probe_hypervisor(machine.hypervisor, domains) if machine.hypervisor is not None else None
    if machine.files is None:
        reason = machine.files_gap or "not readable"
        of_files = {field.name for field in fields(Host)} - {"uuid", "arch", "hypervisor"}
        unseen: dict[str, Any] = {name: Gap(f"host.{name}", reason) for name in of_files}
        return Host(uuid=uuid, arch=arch, hypervisor=hypervisor, **unseen), ()
    read = Reader(machine.files)
    online = online_cpus(read)
    nodes = probe_nodes(read, online)
    listed = nodes if seen(nodes) else ()
    node_of = {cpu: node.id for node in listed if node.gap_of("cpus") is None for cpu in node.cpus}
    cpus, system = probe_cpus(read, node_of), probe_cpu_system(read, online)
    blocks = probe_blocks(read)
    host = Host(
        uuid=uuid,
        arch=arch,
        cpus=cpus,
        cpu_system=system,
        numa_nodes=nodes,
        isolated=read.cpus(f"{ROOT}/isolated", "host.isolated", CpuSet()),
        kernel=probe_kernel(read),
        blocks=blocks,
        mounts=probe_mounts(read, blocks),
        nics=probe_nics(read, lambda names: _ethtool(read, names)),
        softnet=probe_softnet(read, online if seen(online) else None),
        bridge_netfilter=probe_bridge_netfilter(read),
        conntrack=probe_conntrack(read),
        interrupts=probe_interrupts(read),
        hypervisor=hypervisor,
    )
    return host, oddities(read, cpus, nodes, system)


def _ethtool(read: Reader, names: list[str]) -> Mapping[str, Any]:
    """The kernel's answers, asked where the files are; else those that a recording holds."""
    answers = read.files.ethtool(names)
    return RecordedAnswers(read)(names) if answers is None else answers
