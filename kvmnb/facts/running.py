"""A running guest as the host sees it: a QEMU process, its threads and its memory."""

from __future__ import annotations

from dataclasses import dataclass

from kvmnb.core.cpuset import CpuSet
from kvmnb.facts.gap import Fact


@dataclass(frozen=True, slots=True, kw_only=True)
class GuestThread(Fact):
    """One thread that works for a guest, from ``/proc/PID/task/TID``."""

    tid: int
    """The kernel's number."""
    name: str
    """The name that QEMU or the kernel gave it; ``comm``."""
    kind: str
    """``vcpu``, ``emulator``, ``iothread``, ``vhost``, or ``worker`` for QEMU's helpers, which follow the emulator."""
    number: int
    """The vCPU's or iothread's number; 0 for others."""
    allowed: CpuSet
    """The CPUs that it may run on; ``status``."""
    last_cpu: int
    """The CPU that it ran on last; ``stat``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Running(Fact):
    """The QEMU process of a running guest, from ``/proc/PID``; sizes in bytes."""

    pid: int
    """The process."""
    start_ticks: int
    """When it started, in clock ticks since the host's boot; tells it from a later process with its number."""
    accel: str | None
    """``kvm`` or ``tcg``, as its arguments name it; None: they name none."""
    machine: str | None
    """The machine type in its arguments; None: they name none."""
    kvm: bool
    """Whether it holds a virtual machine of KVM open; ``fd``."""
    vhost_net: int
    """How many queues of network cards the kernel serves; ``fd``, those of ``/dev/vhost-net``."""
    threads: tuple[GuestThread, ...]
    """Its threads and the kernel's vhost threads for it, by their numbers."""
    resident_bytes: int
    """Memory in use, hugepages of a pool not counted; ``VmRSS``."""
    swapped_bytes: int
    """Memory that was swapped out; ``VmSwap``."""
    locked_bytes: int
    """Memory that stays; ``VmLck``."""
    pool_bytes: int | None
    """Memory in hugepages of a pool; ``HugetlbPages``; None on a kernel without them."""
    locked_limit_bytes: int | None
    """How much it may lock; None: no limit; ``limits``."""

    def threads_of(self, kind: str) -> tuple[GuestThread, ...]:
        """Its threads of one kind."""
        return tuple(thread for thread in self.threads if thread.kind == kind)


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeMemory(Fact):
    """What a process has on one host NUMA node."""

    node: int
    """The host node."""
    bytes: int
    """Bytes in pages of every size."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessMemory(Fact):
    """Where the memory of a running guest lies, and in which pages; from ``numa_maps`` and ``smaps_rollup``.

    QEMU's program and libraries are left out; its own working memory, some tens of MiB, is not told apart.
    """

    nodes: tuple[NodeMemory, ...]
    """Bytes on each host node that has any, by node; ``N<node>=`` times ``kernelpagesize_kB``."""
    page_sizes: tuple[tuple[int, int], ...]
    """Page size and bytes in the kernel's pages of it, smallest first; transparent hugepages count as small ones."""
    policies: tuple[str, ...]
    """The memory policies other than the default that its memory has: ``bind:0``, ``interleave:0-1``, ..."""
    transparent_bytes: int
    """Bytes in transparent hugepages of anonymous memory; ``AnonHugePages``."""
    shared_transparent_bytes: int
    """Bytes in transparent hugepages of shared memory (memfd); ``ShmemPmdMapped``."""
    swapped_bytes: int
    """Bytes that were swapped out; ``Swap``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GuestSystem(Fact):
    """What the guest agent tells of the system in the guest; all of it hostile text."""

    os_id: str | None
    """``debian``, ``rhel``, ``mswindows``, ...; None: the agent does not tell."""
    os_name: str | None
    """The system's name for people; None: the agent does not tell."""
    kernel: str | None
    """The release of its kernel; None: the agent does not tell."""
    filesystems: int | None
    """How many file systems are mounted; None: the agent does not tell."""
    interfaces: tuple[str, ...] | None
    """The names of its network interfaces; None: the agent does not tell."""
    vcpus_online: CpuSet | None
    """The vCPUs that the guest uses; None: the agent does not tell."""
