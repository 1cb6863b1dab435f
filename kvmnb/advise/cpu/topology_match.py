"""The CPU topology that the guest is told is absent, impossible or not true.

What is seen
    One of these: a Windows guest with more than two vCPUs and no topology; a topology that promises threads
    although the vCPUs are not pinned, and will not be, to the threads of the host's cores; a topology
    that holds another number of vCPUs than the guest has.

Why it hurts
    Without a topology libvirt makes every vCPU a socket of its own. Windows editions use only a few sockets, so
    vCPUs stay dark, and schedulers see no shared cache. With threads that are none, the guest's scheduler avoids
    vCPUs that it believes to be half of a busy core. A number that does not match is refused by libvirt.

What to do
    One socket (or one for each guest NUMA cell), as many cores as vCPUs, one thread for each core. Tell of threads
    only where pairs of vCPUs are pinned to the two threads of a core.

Leave it when
    A licence counts cores and not sockets, or the guest was installed for just this topology and works well.

Cost
    The guest has to be shut down and started; it then sees another machine. Durability: none. Migration: a
    running guest keeps what it has. Security: wrong words about threads weaken mitigations in the guest. Licences
    and Windows activation may look anew.

Look by hand
    ``virsh dumpxml GUEST --xpath /domain/cpu/topology``; in the guest ``lscpu -e``, in Windows the task manager.

Measure it
    In the guest, how evenly a load of as many threads as vCPUs spreads (``mpstat -P ALL``), before and after.

Sources
    * libvirt, Domain XML format, CPU model and topology
    * libvirt source, src/qemu/qemu_command.c (a missing topology becomes one socket for each vCPU)
    * Tested with libvirt 9.0: a topology of another number of vCPUs is refused
"""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.advise.cpu.ground import ground
from kvmnb.advise.cpu.pins import own_cpus_meant, restart_cost, xml
from kvmnb.advise.finding import Effect, Safety, Seen, Severity
from kvmnb.advise.intent import Goal
from kvmnb.advise.rule import Rule
from kvmnb.advise.view import View
from kvmnb.facts.domain import Configuration, Domain
from kvmnb.tunable.tunable import Want

RULE = Rule(
    id="cpu.topology.match",
    severity=Severity.MEDIUM,
    goals=(Goal.LATENCY, Goal.THROUGHPUT, Goal.BALANCED),
    basis="source",
    effect=Effect.SMALL,
    effect_basis="source: mostly truth; a guest of many CPUs schedules better",
)

# Windows client editions use at most two sockets.
SOCKETS_OF_WINDOWS = 2


@RULE.domain
def check(domain: Domain, view: View) -> Iterator[Seen]:
    """A finding where the topology is missing on Windows, of the wrong size, or promises threads that are none."""
    wanted = domain.wanted
    topology = wanted.cpu.topology if wanted.cpu is not None else None
    severity = None
    if topology is None:
        if wanted.vcpus <= SOCKETS_OF_WINDOWS or not view.windows(domain):
            return
        saw = (
            f"a Windows guest with {wanted.vcpus} vCPUs and no cpu/topology (persistent XML), so that each vCPU is a "
            f"socket; client editions use {SOCKETS_OF_WINDOWS}"
        )
    elif topology.vcpus != wanted.vcpus:
        severity = Severity.HIGH
        saw = (
            f"cpu/topology holds {topology.vcpus} vCPUs ({_words(wanted)}), vcpu says {wanted.vcpus} (persistent XML); "
            "libvirt refuses such a guest"
        )
    elif topology.threads > 1 and not _true_threads(domain, view):
        saw = (
            f"cpu/topology tells of {topology.threads} threads for each core (persistent XML), and the guest's vCPUs "
            "are not on the threads of the host's cores"
        )
    else:
        return
    yield Seen(
        saw=saw,
        wants=_wants(domain, wanted) if domain.inactive is not None else (),
        severity=severity,
        safety=Safety.DISRUPTIVE if domain.inactive is not None else Safety.MANUAL,
        costs=(
            *restart_cost(domain),
            "the guest sees another CPU topology: Windows and licensed software may ask for activation again",
        ),
        by_hand=()
        if domain.inactive is not None
        else ("Make the guest anew with a topology of one socket, a core for each vCPU and one thread.",),
    )


def _true_threads(domain: Domain, view: View) -> bool:
    """Whether the threads of each guest core are, or by the placement will be, threads of one host core.

    A guest whose pins are there but wrong is the business of cpu.pin.siblings.
    """
    topology = domain.wanted.cpu.topology if domain.wanted.cpu is not None else None
    assert topology is not None
    place = view.placement.guests[domain.uuid]
    if not place.vcpus or not own_cpus_meant(domain, view):
        return False
    threads = ground(view).threads
    return all(
        len({threads[place.vcpus[vcpu]] for vcpu in range(first, first + topology.threads)}) == 1
        for first in range(0, domain.wanted.vcpus, topology.threads)
    )


def _wants(domain: Domain, wanted: Configuration) -> tuple[Want, ...]:
    cells = len(wanted.cpu.cells) if wanted.cpu is not None else 0
    sockets = cells if cells > 1 and wanted.vcpus % cells == 0 else 1
    topology = wanted.cpu.topology if wanted.cpu is not None else None
    words = {"sockets": sockets, "cores": wanted.vcpus // sockets, "threads": 1}
    if topology is not None:
        words |= {name: 1 for name in ("dies", "clusters") if getattr(topology, name) != 1}
    return tuple(
        Want(xml(domain, f"cpu/topology/@{name}"), str(count))
        for name, count in words.items()
        if topology is None or getattr(topology, name) != count
    )


def _words(wanted: Configuration) -> str:
    topology = wanted.cpu.topology if wanted.cpu is not None else None
    assert topology is not None
    return f"{topology.sockets} sockets, {topology.dies} dies, {topology.cores} cores, {topology.threads} threads"
