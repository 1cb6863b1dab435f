"""Who may run on which CPU: the pins of all guests, turned the other way round."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kvmnb.core.cpuset import CpuSet
from kvmnb.facts.domain import Configuration, Domain


@dataclass(frozen=True, slots=True)
class Sitting:
    """One guest's vCPUs by the CPUs that they are kept on."""

    name: str
    running: bool
    vcpus: int
    by_cpu: tuple[tuple[int, CpuSet], ...]
    """Each host CPU with the vCPUs that may run on it; floating vCPUs are in none."""
    floating: CpuSet
    """The vCPUs that may run on any CPU."""
    absent: CpuSet
    """CPUs that pins name and the host does not have online."""

    @property
    def pinned(self) -> bool:
        """Whether any of its vCPUs is kept anywhere."""
        return bool(self.by_cpu) or bool(self.absent)


def sittings(domains: Sequence[Domain], online: CpuSet) -> tuple[Sitting, ...]:
    """Each guest's sitting: of a running guest as it runs, of another as its next start reads."""
    return tuple(_sitting(domain, domain.live or domain.wanted, online) for domain in domains)


def _sitting(domain: Domain, configuration: Configuration, online: CpuSet) -> Sitting:
    by_cpu: dict[int, set[int]] = {}
    floating: set[int] = set()
    named: set[int] = set()
    for vcpu in range(configuration.vcpus):
        allowed = configuration.pin_of(vcpu)
        if allowed is None or online.issubset(allowed):
            floating.add(vcpu)
            continue
        named.update(allowed)
        for cpu in allowed & online:
            by_cpu.setdefault(cpu, set()).add(vcpu)
    return Sitting(
        name=domain.name,
        running=domain.running,
        vcpus=configuration.vcpus,
        by_cpu=tuple((cpu, CpuSet(vcpus)) for cpu, vcpus in sorted(by_cpu.items())),
        floating=CpuSet(floating),
        absent=CpuSet(named) - online,
    )
