"""What a host and its guests did over one window of time: two readings, and the rates between them."""

from __future__ import annotations

from dataclasses import dataclass

from kvmnb.facts.gap import Fact


@dataclass(frozen=True, slots=True, kw_only=True)
class IdleLoad(Fact):
    """One idle state of one host CPU over the window, from ``cpuidle/state*``."""

    name: str
    """The state's name: C1, C6, ..."""
    entered_per_second: float
    """How often the CPU went to sleep in it; ``usage``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CpuLoad(Fact):
    """One host CPU over the window, from ``/proc/stat``; shares of the time."""

    cpu: int
    """The CPU's number."""
    busy_ratio: float
    """Neither idle nor waiting for a disk."""
    system_ratio: float
    """In the kernel, interrupts left out."""
    softirq_ratio: float
    """In soft interrupts, where packets are received."""
    iowait_ratio: float
    """Idle with a disk request open; the kernel's own documentation calls it unreliable."""
    steal_ratio: float
    """Taken by the hypervisor that this host itself runs on."""
    interrupts_per_second: float
    """Interrupts of devices that it took, which are the numbered lines of ``/proc/interrupts``."""
    idle: tuple[IdleLoad, ...]
    """Its idle states, by name; none where the kernel tells none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VcpuLoad(Fact):
    """One vCPU's thread over the window, from ``schedstat``."""

    vcpu: int
    """The vCPU's number."""
    run_ratio: float
    """The share of the time in which it ran."""
    delay_ratio: float
    """The share of the time in which it was ready and had no CPU; the guest sees it as steal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadLoad(Fact):
    """One thread that works for a guest over the window, from ``schedstat``."""

    kind: str
    """``emulator`` (QEMU's main loop), ``iothread`` or ``vhost``."""
    number: int
    """The iothread's number; of a vhost thread the kernel's; 0 for the main loop."""
    run_ratio: float
    """The share of the time in which it ran."""
    delay_ratio: float
    """The share of the time in which it was ready and had no CPU."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskLoad(Fact):
    """One disk of a running guest over the window, as libvirt counts it (``virDomainListGetStats``, block)."""

    target: str
    """The disk's name in its domain."""
    reads_per_second: float
    """Read requests."""
    writes_per_second: float
    """Write requests."""
    read_bytes_per_second: float
    """Bytes read."""
    write_bytes_per_second: float
    """Bytes written."""

    @property
    def requests_per_second(self) -> float:
        """Reads and writes."""
        return self.reads_per_second + self.writes_per_second

    @property
    def bytes_per_second(self) -> float:
        """Bytes read and written."""
        return self.read_bytes_per_second + self.write_bytes_per_second


@dataclass(frozen=True, slots=True, kw_only=True)
class GuestLoad(Fact):
    """One running guest over the window."""

    uuid: str
    """The domain's UUID."""
    name: str
    """The domain's name."""
    vcpus: tuple[VcpuLoad, ...]
    """Its vCPUs, by number."""
    threads: tuple[ThreadLoad, ...] = ()
    """QEMU's main loop, its iothreads, and the kernel's vhost threads for it."""
    disks: tuple[DiskLoad, ...] = ()
    """Its disks, by name."""
    throttled_ratio: float | None = None
    """The share of the periods that its CPU quota cut short, of its worst thread with one; None where no quota is
    kept account of; ``nr_throttled`` of ``nr_periods`` in its control groups' ``cpu.stat``."""
    polled_in_vain_ratio: float | None = None
    """Halt polling that no wake-up came of, as a share of the guest's CPU time; None where KVM does not count it;
    libvirt's ``cpu.haltpoll.fail.time`` of ``cpu.time``."""
    memory_usable_ratio: float | None = None
    """What the guest's system can still use without swapping, as a share of what it has, at the end of the window;
    None where its balloon reports nothing; libvirt's ``balloon.usable`` of ``balloon.available``."""
    swapped_in_bytes_per_second: float | None = None
    """What it reads back from its own swap; None where its balloon reports nothing; ``balloon.swap_in``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockLoad(Fact):
    """One block device over the window, from ``/proc/diskstats``."""

    name: str
    """The device's name."""
    reads_per_second: float
    """Read requests that ended."""
    writes_per_second: float
    """Write requests that ended."""
    busy_ratio: float
    """The share of the time with a request open; of a device that serves many at once it says little."""
    mean_wait_seconds: float | None
    """From a request's start to its end; None where none ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NicLoad(Fact):
    """One network interface over the window, from ``/proc/net/dev``; a tap receives what its guest sends."""

    name: str
    """The interface's name."""
    rx_packets_per_second: float
    """Packets received."""
    tx_packets_per_second: float
    """Packets sent."""
    rx_dropped_per_second: float
    """Received packets that were dropped."""
    tx_dropped_per_second: float
    """Packets that were dropped before they were sent."""
    rx_bytes_per_second: float
    """Bytes received."""
    tx_bytes_per_second: float
    """Bytes sent."""
    rx_lost_per_second: float | None
    """Packets that the device lost for want of a buffer or a place; ``rx_missed_errors`` and ``rx_fifo_errors``.
    None where no device tells."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load(Fact):
    """One window."""

    seconds: float
    """How long it was."""
    cpus: tuple[CpuLoad, ...]
    """The CPUs online, by number."""
    guests: tuple[GuestLoad, ...]
    """The running guests whose processes are seen, by name."""
    blocks: tuple[BlockLoad, ...]
    """The block devices, by name."""
    nics: tuple[NicLoad, ...]
    """The network interfaces, by name."""
    swapped_in_pages_per_second: float
    """Pages read back from swap; ``/proc/vmstat``, pswpin."""
    swapped_out_pages_per_second: float
    """Pages written to swap; ``/proc/vmstat``, pswpout."""
    softnet_dropped_per_second: float
    """Packets dropped for want of room in a CPU's queue; ``/proc/net/softnet_stat``, second column."""
    softnet_squeezed_per_second: float
    """Times that a CPU ran out of its packet budget; ``/proc/net/softnet_stat``, third column."""
    softnet_most_squeezed_per_second: float
    """The same, of the CPU that ran out most."""
    conntrack_dropped_per_second: float | None
    """Packets lost since the table of connections was full; None where nf_conntrack is not loaded."""

    def guest(self, uuid: str) -> GuestLoad | None:
        """A guest by its UUID; None where the window does not show it."""
        return next((one for one in self.guests if one.uuid == uuid), None)

    def cpu(self, number: int) -> CpuLoad | None:
        """A host CPU by its number; None where the window does not show it."""
        return next((one for one in self.cpus if one.cpu == number), None)

    def nic(self, name: str | None) -> NicLoad | None:
        """A network interface by its name; None where the window does not show it."""
        return next((one for one in self.nics if one.name == name), None)
