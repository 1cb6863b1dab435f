"""A host's network interfaces and what the kernel does with their packets."""

from __future__ import annotations

from dataclasses import dataclass

from kvmnb.core.cpuset import CpuSet
from kvmnb.facts.ethtool import Ethtool
from kvmnb.facts.gap import Fact


@dataclass(frozen=True, slots=True, kw_only=True)
class NicCounters(Fact):
    """Packets that a NIC lost since it was made, from ``statistics/``."""

    rx_errors: int | None
    """Bad packets received."""
    rx_dropped: int | None
    """Received and thrown away by the kernel, as for want of memory or a listener."""
    rx_missed_errors: int | None
    """Lost by the device for want of a buffer."""
    rx_fifo_errors: int | None
    """Lost by the device since its queue was full; not every driver tells it apart."""
    tx_dropped: int | None
    """Thrown away on the way out; on a tap, what its guest did not take in time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bridge(Fact):
    """The settings of a Linux bridge, from ``bridge/``."""

    stp: bool
    """Whether a spanning tree protocol runs, in the kernel or outside; ``stp_state``."""
    forward_delay_cs: int
    """How long a new port listens, and again learns, in hundredths of a second; ``forward_delay``."""
    ageing_time_cs: int | None
    """How long an address is remembered, in hundredths of a second; ``ageing_time``."""
    vlan_filtering: bool | None
    """Whether ports carry VLANs of their own; ``vlan_filtering``, Linux 3.9."""
    multicast_snooping: bool | None
    """Whether it learns who listens to multicast; ``multicast_snooping``."""
    ports: tuple[str, ...]
    """The NICs that are its ports; ``brif/``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bond(Fact):
    """The settings of a bond, from ``bonding/``."""

    mode: str | None
    """``active-backup``, ``802.3ad``, ``balance-rr``, ...; ``mode``."""
    active_slave: str | None
    """The NIC in use where the mode uses one; ``active_slave``."""
    xmit_hash_policy: str | None
    """How flows are spread; None where the mode spreads none; ``xmit_hash_policy``."""
    slaves: tuple[str, ...]
    """The NICs in it; ``slaves``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vlan(Fact):
    """A NIC for one VLAN of another, from ``/proc/net/vlan/config``."""

    id: int
    """The VLAN's number."""
    parent: str
    """The NIC below it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tap(Fact):
    """The host's end of a guest's NIC, from ``tun_flags``."""

    mode: str
    """``tap`` for Ethernet frames, ``tun`` for IP packets."""
    multi_queue: bool
    """Whether it takes more than one queue."""
    vnet_hdr: bool
    """Whether packets carry the virtio header, without which no offload reaches the guest."""
    persistent: bool
    """Whether it stays when nobody holds it open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vf(Fact):
    """One SR-IOV virtual function, from the physical function's ``virtfn*``."""

    number: int
    """Its number below the physical function."""
    address: str
    """Its PCI address."""
    driver: str | None
    """The driver that has it, ``vfio-pci`` for a guest; None where none has; ``driver``."""
    nics: tuple[str, ...]
    """The host's NICs on it; ``net/``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sriov(Fact):
    """The virtual functions of a NIC, from its device's ``sriov_*``."""

    total_vfs: int
    """As many as can be made; ``sriov_totalvfs``."""
    num_vfs: int
    """As many as are made; ``sriov_numvfs``."""
    vfs: tuple[Vf, ...]
    """Those that are made, by number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Nic(Fact):
    """One network interface, from ``/sys/class/net/*``."""

    name: str
    """The kernel's name."""
    kind: str
    """What it is: physical, representor (a switch port of a virtual function), bridge, bond, vlan, macvlan,
    macvtap, tap, tun, veth, openvswitch, loopback, or the kernel's other words (dummy, ifb, vxlan, team, ...);
    ``virtual`` where it only shows that no device is behind it. From the marks in its folder, ``uevent``
    DEVTYPE and ETHTOOL_GDRVINFO."""
    ifindex: int
    """The kernel's number; ``ifindex``."""
    up: bool
    """Whether it was switched on; ``flags``, IFF_UP."""
    promiscuous: bool
    """Whether it takes packets for any address; ``flags``, IFF_PROMISC."""
    operstate: str
    """``up``, ``down``, ``lowerlayerdown``, ``dormant``, ``unknown`` ...; ``operstate``."""
    carrier: bool | None
    """Whether there is a link; None where it is switched off; ``carrier``."""
    speed_mbit: int | None
    """The link's speed in Mbit/s; None without a link, and on a tap, which makes it up; ``speed``."""
    duplex: str | None
    """``full`` or ``half``; ``duplex``."""
    mtu: int
    """The largest packet in bytes; ``mtu``."""
    tx_queue_len: int | None
    """Packets that may wait to be sent; ``tx_queue_len``."""
    master: str | None
    """The bridge, bond, team or switch that it is a port of; ``master``."""
    lower: tuple[str, ...]
    """The NICs that it stands on; ``lower_*``."""
    upper: tuple[str, ...]
    """The NICs that stand on it; ``upper_*``."""
    rps_cpus: tuple[CpuSet, ...] | None
    """For each receive queue the CPUs that packets are spread to in software, none for not at all;
    ``queues/rx-*/rps_cpus``; None where the queues are not told."""
    xps_cpus: tuple[CpuSet | None, ...] | None
    """For each send queue the CPUs that choose it; None for the only queue of a NIC, which has no choice;
    ``queues/tx-*/xps_cpus``."""
    forwarding: bool | None
    """Whether IPv4 packets are routed from it; ``/proc/sys/net/ipv4/conf/*/forwarding``."""
    driver: str | None
    """The driver of the device behind it; ``device/driver``."""
    address: str | None
    """The PCI address of that device; ``device/uevent`` PCI_SLOT_NAME, else ETHTOOL_GDRVINFO."""
    numa_node: int | None
    """The NUMA node of that device; ``device/numa_node``."""
    irqs: tuple[int, ...]
    """The interrupts of that device, shared by all NICs on it; ``device/msi_irqs``, else ``device/irq``."""
    port_name: str | None
    """The device's own name of the port: ``p0``, ``pf0vf3``; ``phys_port_name``."""
    physical_function: str | None
    """On a virtual function, the PCI address of its physical one; ``device/physfn``."""
    sriov: Sriov | None
    """Its virtual functions; None where it can have none."""
    bridge: Bridge | None
    """None where it is no bridge."""
    bond: Bond | None
    """None where it is no bond."""
    vlan: Vlan | None
    """None where it is no VLAN."""
    tap: Tap | None
    """None where it is no tap or tun."""
    counters: NicCounters
    """What it lost."""
    ethtool: Ethtool
    """What its driver says."""

    @property
    def rx_queues(self) -> int | None:
        """The number of its receive queues."""
        return None if self.rps_cpus is None else len(self.rps_cpus)

    @property
    def tx_queues(self) -> int | None:
        """The number of its send queues."""
        return None if self.xps_cpus is None else len(self.xps_cpus)


@dataclass(frozen=True, slots=True, kw_only=True)
class SoftnetCpu(Fact):
    """What one CPU did with packets since boot, from a line of ``/proc/net/softnet_stat``."""

    cpu: int | None
    """The CPU; None where the kernel does not say (before 5.10) and CPUs are offline."""
    processed: int
    """Packets taken; 32 bits that wrap; column 1."""
    dropped: int
    """Packets lost because the backlog was full; column 2."""
    time_squeeze: int
    """How often work was left when the budget was spent; column 3."""
    received_rps: int | None
    """Wake-ups by another CPU that handed packets over; column 10."""
    flow_limit: int | None
    """Packets of one flow that were held back; column 11."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BridgeNetfilter(Fact):
    """Whether bridged packets go through the IP filters too, from ``/proc/sys/net/bridge`` (br_netfilter)."""

    call_iptables: bool | None
    """``bridge-nf-call-iptables``."""
    call_ip6tables: bool | None
    """``bridge-nf-call-ip6tables``."""
    call_arptables: bool | None
    """``bridge-nf-call-arptables``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conntrack(Fact):
    """The table of tracked connections, from ``/proc/sys/net/netfilter`` (nf_conntrack)."""

    count: int
    """Connections in it; ``nf_conntrack_count``."""
    max: int
    """As many as it takes; ``nf_conntrack_max``."""
    buckets: int | None
    """The size of its hash; ``nf_conntrack_buckets``."""
    drop: int | None
    """Packets lost because no place was free; ``/proc/net/stat/nf_conntrack``, all CPUs."""
    early_drop: int | None
    """Connections put out for new ones; ``/proc/net/stat/nf_conntrack``, all CPUs."""
