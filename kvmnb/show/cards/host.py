"""The card of a host: its CPUs, nodes and hypervisor."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from kvmnb.core.cpuset import CpuSet
from kvmnb.core.units import format_bytes
from kvmnb.facts.gap import Gap
from kvmnb.facts.host import Host
from kvmnb.facts.memory import NumaNode
from kvmnb.show import template, words
from kvmnb.show.cards.rows import Row, row

_CPU_ROOT = "/sys/devices/system/cpu"


@dataclass(frozen=True, slots=True)
class NodeRow:
    """One NUMA node in words."""

    id: int
    cpus: str
    memory: str
    free: str
    distances: str
    hugepages: str


def html(host: Host) -> str:
    """The card."""
    found = words.seen(lambda: host.numa_nodes)
    nodes = [] if isinstance(found, Gap) else [_node(node) for node in found]
    return template.page("host", rows=rows(host), nodes=nodes, gaps=host.gaps())


def text(host: Host) -> str:
    """The card as one line."""
    return f"Host: {words.or_gap(lambda: cpus(host))}; {words.or_gap(lambda: nodes_in_words(host))}; {hypervisor(host)}"


def rows(host: Host) -> list[Row]:
    """The host's facts in words, with their sources."""
    return [
        row("CPUs", lambda: cpus(host), f"{_CPU_ROOT}/cpu*/topology"),
        row("Threads of one core", lambda: siblings(host), f"{_CPU_ROOT}/cpu*/topology/thread_siblings_list"),
        row("Not schedulable", lambda: set_apart(host), f"{_CPU_ROOT}/offline, {_CPU_ROOT}/isolated"),
        row("Last-level cache", lambda: last_caches(host), f"{_CPU_ROOT}/cpu*/cache"),
        row("Clock", lambda: frequency(host), f"{_CPU_ROOT}/cpufreq"),
        row("Memory", lambda: nodes_in_words(host), "/sys/devices/system/node/node*/meminfo"),
        row("Hypervisor", lambda: hypervisor(host), "libvirt"),
    ]


def cpus(host: Host) -> str:
    """How many CPUs, and how they are stacked."""
    online = [cpu for cpu in host.cpus if cpu.online]
    packages = len({cpu.package for cpu in online})
    threads = sorted({len(cpu.siblings & host.online) for cpu in online})
    per_core = " or ".join(map(str, threads))
    stacked = f"{words.plural(packages, 'package')}, {words.plural(len(host.cores), 'core')}"
    per_core = f"{per_core} {'thread' if threads == [1] else 'threads'} per core"
    return f"{words.plural(len(online), 'CPU')} online: {stacked}, {per_core}"


def siblings(host: Host) -> str:
    """An example of two CPUs that are one core."""
    core = next((core for core in host.cores if len(core) > 1), None)
    if core is None:
        return "each CPU is a core of its own"
    return f"CPUs {words.listed([str(cpu) for cpu in core])} are one core"


def set_apart(host: Host) -> str:
    """CPUs that the scheduler does not use, or not by itself."""
    offline = CpuSet(cpu.id for cpu in host.cpus if not cpu.online)
    parts = [f"offline: {offline}"] if offline else []
    parts += [f"isolated: {host.isolated}"] if host.isolated else []
    return "; ".join(parts) or "none: every CPU is online and none is isolated"


def last_caches(host: Host) -> str:
    """The caches that are shared widest, and by how many CPUs."""
    caches = {
        (cache.level, cache.cpus, cache.size_bytes)
        for cpu in host.cpus
        for cache in cpu.caches
        if cache.level == max(one.level for one in cpu.caches)
    }
    if not caches:
        return "the kernel tells none"
    counted = Counter((level, len(shared), size) for level, shared, size in caches)
    return "; ".join(
        f"{count} × L{level}{'' if size is None else ' of ' + format_bytes(size)}, "
        f"each shared by {words.plural(shared, 'CPU')}"
        for (level, shared, size), count in sorted(counted.items(), key=str)
    )


def frequency(host: Host) -> str:
    """Which governor drives how many CPUs."""
    policies = Counter((cpu.frequency.governor, cpu.frequency.driver) for cpu in host.cpus if cpu.frequency is not None)
    if not policies:
        return "no cpufreq here, as in most virtual machines"
    return "; ".join(
        f"governor {governor} ({driver}) on {words.plural(count, 'CPU')}"
        for (governor, driver), count in sorted(policies.items())
    )


def nodes_in_words(host: Host) -> str:
    """How many NUMA nodes, and how much memory they have together."""
    total = sum(node.memory_bytes for node in host.numa_nodes)
    return f"{words.plural(len(host.numa_nodes), 'NUMA node')} with {format_bytes(total)}"


def hypervisor(host: Host) -> str:
    """Versions of libvirt and of what it drives."""

    def read() -> str:
        found = host.hypervisor
        if found is None:
            return "none: this is a bare tree without libvirt"
        return f"{found.driver} {found.version or 'of unknown version'}, libvirt {found.libvirt}"

    return words.or_gap(read)


def _node(node: NumaNode) -> NodeRow:
    return NodeRow(
        id=node.id,
        cpus=words.or_gap(lambda: str(node.cpus) or "none"),
        memory=words.or_gap(lambda: format_bytes(node.memory_bytes)),
        free=words.or_gap(lambda: format_bytes(node.free_bytes)),
        distances=words.or_gap(lambda: " ".join(map(str, node.distances))),
        hugepages=words.or_gap(
            lambda: ", ".join(f"{format_bytes(pool.size_bytes)}: {pool.total} ({pool.free})" for pool in node.hugepages)
        ),
    )
