"""The recorded hosts, which hold no libvirt side, filled up to hosts that rules can judge guests on."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from kvmnb import demo
from kvmnb.core.units import MIB
from kvmnb.facts.gap import changed
from kvmnb.facts.host import Host
from kvmnb.facts.kernel import Thp
from kvmnb.facts.memory import HugepagePool
from kvmnb.machine.sources import recorded
from kvmnb.probe.survey import probe
from tests.builders import a_fact

HOSTS = Path(__file__).parent / "hosts"
# The page size of the pools, and the share of each node that they hold.
PAGE = 2 * MIB
POOLED = 0.5


@cache
def filled(name: str) -> Host:
    """CPUs and nodes of the recorded host; storage, network, kernel and libvirt of the demo host.

    Half of each node lies in a pool of free hugepages, and transparent ones are had on request.
    """
    shape, rest = probe(recorded(HOSTS / name)).host, probe(recorded(demo.path())).host
    nodes = tuple(
        changed(node, hugepages=(a_fact(HugepagePool, size_bytes=PAGE, total=pages, free=pages),))
        for node in shape.numa_nodes
        for pages in (int((node.memory_bytes or 0) * POOLED) // PAGE,)
    )
    kernel = changed(
        rest.kernel,
        memory_bytes=sum(node.memory_bytes or 0 for node in shape.numa_nodes),
        thp=a_fact(Thp, enabled="madvise", defrag="madvise", shmem="never"),
    )
    nics = tuple(changed(nic, mtu=1500) if nic.name != "lo" else nic for nic in rest.nics)
    return changed(rest, cpus=shape.cpus, numa_nodes=nodes, isolated=shape.isolated, kernel=kernel, nics=nics)
