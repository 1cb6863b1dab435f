"""What many rules ask of one audit, worked out once: the host's CPUs by number, and who is pinned where."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from weakref import WeakKeyDictionary

from kvmnb.advise.view import View
from kvmnb.core.cpuset import CpuSet
from kvmnb.facts.domain import Configuration, Domain
from kvmnb.place.asks import narrow_pins

_OF_VIEW: WeakKeyDictionary[View, Ground] = WeakKeyDictionary()


@dataclass(frozen=True, slots=True)
class Pinned:
    """One vCPU that is pinned to one CPU alone."""

    domain: Domain
    vcpu: int
    cpu: int
    core: int
    """Which of the guest's own cores the vCPU is a thread of."""
    live: bool
    """Whether the running guest has this pin."""


class Ground:
    """The facts of one audit by number; a part is read when a rule first asks for it."""

    def __init__(self, view: View) -> None:
        self._host = view.host
        self._domains = view.domains

    @cached_property
    def online(self) -> CpuSet:
        """The CPUs that the kernel schedules on."""
        return self._host.online

    @cached_property
    def threads(self) -> dict[int, CpuSet]:
        """The online hardware threads of each online CPU's core."""
        return {cpu.id: (cpu.siblings & self.online) | CpuSet.of(cpu.id) for cpu in self._host.cpus if cpu.online}

    @cached_property
    def cores(self) -> int:
        """How many physical cores have a CPU online."""
        return len(set(self.threads.values()))

    @cached_property
    def node_of(self) -> dict[int, int]:
        """The node of each online CPU."""
        return {cpu: node.id for node in self._host.numa_nodes for cpu in node.cpus}

    @cached_property
    def cpu_nodes(self) -> dict[int, CpuSet]:
        """The CPUs of each node that has any."""
        return {node.id: node.cpus for node in self._host.numa_nodes if node.cpus}

    @cached_property
    def memory_of(self) -> dict[int, int]:
        """The bytes of memory of each node that has any."""
        return {node.id: node.memory_bytes for node in self._host.numa_nodes if node.memory_bytes}

    def nodes(self, cpus: CpuSet) -> CpuSet:
        """The nodes that these CPUs lie on."""
        return CpuSet(self.node_of[cpu] for cpu in cpus if cpu in self.node_of)

    @cached_property
    def pinned(self) -> dict[int, tuple[Pinned, ...]]:
        """The vCPUs of all guests that are pinned to one CPU alone, by that CPU."""
        found: dict[int, dict[tuple[str, str, int], Pinned]] = {}
        for domain in self._domains:
            for is_live, layer in _layers(domain):
                width = guest_threads(layer)
                for vcpu, cpu in narrow_pins(layer).items():
                    found.setdefault(cpu, {})[domain.uuid, domain.name, vcpu] = Pinned(
                        domain, vcpu, cpu, vcpu // width, is_live
                    )
        return {cpu: tuple(pins.values()) for cpu, pins in found.items()}

    @cached_property
    def pins_of(self) -> dict[tuple[str, str], list[Pinned]]:
        """The same vCPUs, by their guest's UUID and name."""
        found: dict[tuple[str, str], list[Pinned]] = {}
        for pins in self.pinned.values():
            for pin in pins:
                found.setdefault((pin.domain.uuid, pin.domain.name), []).append(pin)
        return found

    @cached_property
    def taken_by_running(self) -> CpuSet:
        """The CPUs that some vCPU of a running guest has alone."""
        return CpuSet(cpu for cpu, pins in self.pinned.items() if any(pin.domain.running for pin in pins))

    @cached_property
    def pools(self) -> dict[int, tuple[Domain, ...]]:
        """The guests with a vCPU that is pinned to several CPUs, by each of these CPUs."""
        found: dict[int, dict[tuple[str, str], Domain]] = {}
        for domain in self._domains:
            for _, layer in _layers(domain):
                for cpus in {pin.cpus for pin in layer.vcpu_pins if len(pin.cpus) > 1}:
                    for cpu in cpus:
                        found.setdefault(cpu, {})[domain.uuid, domain.name] = domain
        return {cpu: tuple(domains.values()) for cpu, domains in found.items()}


def ground(view: View) -> Ground:
    """The ground of this audit; the same one for every rule."""
    found = _OF_VIEW.get(view)
    if found is None:
        found = _OF_VIEW[view] = Ground(view)
    return found


def guest_threads(layer: Configuration) -> int:
    """The threads per core that the guest is told."""
    topology = layer.cpu.topology if layer.cpu is not None else None
    return max(1, topology.threads) if topology is not None else 1


def _layers(domain: Domain) -> tuple[tuple[bool, Configuration], ...]:
    """The wanted configuration, then what runs, whose word on a pin is the last."""
    layers = [(False, domain.wanted)]
    if domain.running and domain.live is not None:
        layers.append((True, domain.live))
    return tuple(layers)
