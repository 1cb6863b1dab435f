"""The host as one value."""

from __future__ import annotations

from dataclasses import dataclass

from kvmnb.core.cpuset import CpuSet
from kvmnb.facts.cpu import Cpu
from kvmnb.facts.cpu_system import CpuSystem
from kvmnb.facts.gap import Fact, Gap, NotSeen
from kvmnb.facts.hypervisor import Hypervisor
from kvmnb.facts.interrupt import Interrupt
from kvmnb.facts.kernel import Kernel
from kvmnb.facts.memory import NumaNode
from kvmnb.facts.network import BridgeNetfilter, Conntrack, Nic, SoftnetCpu
from kvmnb.facts.storage import BlockDevice, Location, Mount, ThinPool, device_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Host(Fact):
    """One host: its CPUs, NUMA nodes and hypervisor."""

    uuid: str | None
    """The host's UUID, None without libvirt; capabilities ``host/uuid``.

    On a host without firmware tables it is derived from ``/etc/machine-id``.
    """
    arch: str | None
    """The host's architecture; capabilities ``host/cpu/arch``."""
    cpus: tuple[Cpu, ...]
    """All CPUs that are present, by number."""
    cpu_system: CpuSystem
    """What holds for the CPUs together."""
    numa_nodes: tuple[NumaNode, ...]
    """All online nodes, by number."""
    isolated: CpuSet
    """CPUs that the scheduler leaves alone; ``/sys/devices/system/cpu/isolated``."""
    kernel: Kernel
    """The running kernel, its settings, and who else sets them."""
    blocks: tuple[BlockDevice, ...]
    """All block devices, by name; loop devices without a file are left out."""
    mounts: tuple[Mount, ...]
    """All mounts, in the kernel's order."""
    nics: tuple[Nic, ...]
    """All network interfaces, by name; ``/sys/class/net``."""
    softnet: tuple[SoftnetCpu, ...]
    """What each online CPU did with packets; ``/proc/net/softnet_stat``."""
    bridge_netfilter: BridgeNetfilter | None
    """Whether bridged packets pass the IP filters; None where br_netfilter is not loaded."""
    conntrack: Conntrack | None
    """The table of tracked connections; None where nf_conntrack is not loaded."""
    interrupts: tuple[Interrupt, ...]
    """The device interrupts, by number; ``/proc/interrupts``."""
    hypervisor: Hypervisor | None
    """None for a bare tree without libvirt."""
    thin_pools: tuple[ThinPool, ...] = ()
    """The device mapper's thin pools; empty where they were not asked for."""

    @property
    def online(self) -> CpuSet:
        """The CPUs that the kernel schedules on."""
        return CpuSet(cpu.id for cpu in self.cpus if cpu.online)

    @property
    def cores(self) -> tuple[CpuSet, ...]:
        """The hardware threads of each core that has a CPU online, by their first CPU."""
        return tuple(sorted({cpu.siblings for cpu in self.cpus if cpu.online}))

    @property
    def packages(self) -> tuple[CpuSet, ...]:
        """The CPUs of each package that has a CPU online."""
        return tuple(sorted({cpu.package_cpus for cpu in self.cpus if cpu.online and cpu.package_cpus}))

    def cpu(self, number: int) -> Cpu | None:
        """The CPU of this number, if it is present."""
        return next((cpu for cpu in self.cpus if cpu.id == number), None)

    def thin_pool(self, name: str) -> ThinPool:
        """A thin pool by its name; NotSeen where it was not asked for."""
        for pool in self.thin_pools:
            if pool.name == name:
                return pool
        raise NotSeen(Gap(f"host.thin_pools[{name}]", "how full it is was not asked for"))

    def location_of(self, path: str) -> Location:
        """What an image's path lies on: its mount and its block devices."""
        return device_of(path, self.mounts, self.blocks)

    def nodes_of(self, cpus: CpuSet) -> CpuSet:
        """The nodes that these CPUs lie on."""
        return CpuSet(node.id for node in self.numa_nodes if not node.cpus.isdisjoint(cpus))
