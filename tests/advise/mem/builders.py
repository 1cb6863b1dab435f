"""Hosts and guests for tests of memory rules."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from kvmnb.core.units import GIB, KIB, MIB
from kvmnb.facts.gap import changed
from kvmnb.facts.host import Host
from kvmnb.facts.kernel import Kernel, Ksm, Owner, Pressure, Swap, Thp
from kvmnb.facts.kernel import Sysctl as SysctlFact
from kvmnb.facts.memory import HugepagePool
from kvmnb.facts.running import Running
from kvmnb.tunable.sysctl import Sysctl
from kvmnb.tunable.sysfs import Sysfs
from kvmnb.tunable.tunable import Want
from tests.builders import Guest, a_fact, a_guest, a_host

SMALL = 2 * MIB


def a_memory_host(
    *,
    nodes: int = 1,
    memory_gib: float = 128,
    available_gib: float | None = None,
    enabled: str | None = "madvise",
    defrag: str = "madvise",
    shmem: str | None = "advise",
    ksm: Mapping[str, Any] | None = None,
    sysctls: Mapping[str, str] | None = None,
    swaps: Iterable[Swap] = (),
    zswap: bool = False,
    owners: Iterable[Owner] = (),
    waiting: float | None = None,
    command_line: str = "",
    cpu_flags: str = "pdpe1gb",
    pools: Mapping[int, tuple[int, int]] | None = None,
    size: int = SMALL,
    **words: Any,
) -> Host:
    """A host whose memory is in good order, unless told otherwise; ``memory_gib`` is that of all nodes.

    ``pools`` holds total and free pages of ``size`` by node; ``enabled`` None is a kernel without huge pages.
    """
    host = a_host(nodes=nodes, memory_gib=memory_gib / nodes, **words)
    kernel = changed(
        host.kernel,
        memory_bytes=int(memory_gib * GIB),
        available_bytes=int((memory_gib / 2 if available_gib is None else available_gib) * GIB),
        thp=None if enabled is None else a_fact(Thp, enabled=enabled, defrag=defrag, shmem=shmem),
        ksm=None if ksm is None else a_fact(Ksm, **ksm),
        sysctls=tuple(a_fact(SysctlFact, key=key, value=value) for key, value in (sysctls or {}).items()),
        swaps=tuple(swaps),
        zswap=zswap,
        owners=tuple(owners),
        pressures=()
        if waiting is None
        else (a_fact(Pressure, resource="memory", some_avg60=waiting), a_fact(Pressure, resource="io", some_avg60=90)),
        command_line=tuple(command_line.split()),
        cpu_flags=frozenset(cpu_flags.split()),
    )
    numa_nodes = tuple(
        changed(node, hugepages=(a_fact(HugepagePool, size_bytes=size, total=have[0], free=have[1]),))
        if (have := (pools or {}).get(node.id)) is not None
        else node
        for node in host.numa_nodes
    )
    return changed(host, kernel=kernel, numa_nodes=numa_nodes)


def a_memory_guest(
    name: str = "guest",
    *,
    backing: str = "",
    tune: str = "",
    extra: str = "",
    balloon: str | None = "<memballoon model='virtio'><stats period='5'/></memballoon>",
    devices: str = "",
    numatune: str = "",
    **words: Any,
) -> Guest:
    """A guest; ``backing`` and ``tune`` are what ``memoryBacking`` and ``memtune`` hold, ``extra`` stands beside."""
    parts = [
        f"<memoryBacking>{backing}</memoryBacking>" if backing else "",
        f"<memtune>{tune}</memtune>" if tune else "",
        extra,
        numatune,
    ]
    return a_guest(
        name, numatune="\n  ".join(part for part in parts if part), devices=devices + (balloon or ""), **words
    )


REAL_TIME = "<cputune><vcpusched vcpus='0-1' scheduler='fifo' priority='1'/></cputune>"
HUGEPAGES = "<hugepages/>"
PCI = (
    "<hostdev mode='subsystem' type='pci' managed='yes'>"
    "<source><address domain='0x0000' bus='0x06' slot='0x02' function='0x0'/></source></hostdev>"
)
VHOST_USER = (
    "<interface type='vhostuser'><mac address='52:54:00:00:00:01'/>"
    "<source type='unix' path='/run/one' mode='client'/><model type='virtio'/></interface>"
)
VIRTIOFS = "<filesystem type='mount'><driver type='virtiofs'/><source dir='/srv'/><target dir='srv'/></filesystem>"


def a_disk(attributes: str = "", *, device: str = "disk", kind: str = "file") -> str:
    """A disk; ``attributes`` are those of its driver."""
    source = {"file": "file='/one.img'", "block": "dev='/dev/one'", "network": "protocol='nbd' name='one'"}[kind]
    return (
        f"<disk type='{kind}' device='{device}'><driver name='qemu' type='raw' {attributes}/>"
        f"<source {source}/><target dev='vda' bus='virtio'/></disk>"
    )


def a_process(swapped: int) -> Running:
    """A guest's process with so many bytes in swap."""
    return a_fact(Running, pid=1, swapped_bytes=swapped)


def tuned(profile: str = "network-latency") -> Owner:
    """TuneD with a profile."""
    return a_fact(Owner, name="tuned", installed=True, running=True, profile=profile)


def host_following(host: Host, wants: Iterable[Want]) -> Host:
    """The host with the memory settings that are wanted: huge pages, merging, pools and sysctls."""
    files = {want.tunable.path: want.value for want in wants if isinstance(want.tunable, Sysfs)}
    keys = {want.tunable.key: want.value for want in wants if isinstance(want.tunable, Sysctl)}
    if not keys and not any(path.startswith(("kernel/mm/", "devices/system/node/")) for path in files):
        return host
    kernel: Kernel = host.kernel
    thp, ksm = kernel.thp, kernel.ksm
    if thp is not None:
        folder = "kernel/mm/transparent_hugepage"
        thp = changed(
            thp,
            enabled=files.get(f"{folder}/enabled") or thp.enabled,
            defrag=files.get(f"{folder}/defrag") or thp.defrag,
            shmem=files.get(f"{folder}/shmem_enabled") or thp.shmem,
        )
    if ksm is not None:
        across = files.get("kernel/mm/ksm/merge_across_nodes")
        ksm = changed(
            ksm,
            run=int(files.get("kernel/mm/ksm/run") or ksm.run),
            merge_across_nodes=ksm.merge_across_nodes if across is None else int(across),
            advisor_mode=files.get("kernel/mm/ksm/advisor_mode") or ksm.advisor_mode,
        )
    sysctls = tuple(changed(one, value=keys[one.key]) if one.key in keys else one for one in kernel.sysctls)
    nodes = tuple(
        changed(node, hugepages=tuple(_grown(node.id, pool, files) for pool in node.hugepages))
        for node in host.numa_nodes
    )
    return changed(host, kernel=changed(kernel, thp=thp, ksm=ksm, sysctls=sysctls), numa_nodes=nodes)


def _grown(node: int, pool: HugepagePool, files: Mapping[str, str | None]) -> HugepagePool:
    path = f"devices/system/node/node{node}/hugepages/hugepages-{pool.size_bytes // KIB}kB/nr_hugepages"
    wanted = files.get(path)
    if wanted is None:
        return pool
    return changed(pool, total=int(wanted), free=pool.free + int(wanted) - pool.total)
