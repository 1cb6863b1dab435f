"""The vCPUs of a guest that is meant to have its own CPUs float.

What is seen
    The guest is meant to have CPUs of its own (goal latency, policy ``dedicated``, or a pin on every vCPU), and
    some vCPU may run on every CPU of the host, or on CPUs of more than one NUMA node. Both configurations are
    read: what runs and what the next start takes. How long vCPUs wait for a CPU, a window shows.

Why it hurts
    Each move to another CPU leaves warm caches behind; a move to another node also leaves the memory behind, so
    that every access takes the longer way. A vCPU that waits in line for a CPU looks to the guest like stolen time.

What to do
    Pin each vCPU to a CPU of its own, all of them in one node, and with them the emulator threads and iothreads to
    CPUs of the host's own. Where the host has several nodes, bind the memory to the same node. The CPUs are chosen
    for all guests together: one vCPU on a physical core, sibling pairs for a guest that is told of threads.

Leave it when
    The host runs more vCPUs than it has cores to give: pins then take away the one thing that helps, the
    scheduler's freedom. Leave it too where a cluster manager pins, or where guests migrate between unlike hosts.

Cost
    Pins work at once and need no restart. A memory binding waits for the guest's next start, and with it a full
    node keeps the guest from starting. Durability: none. Migration: the other host needs the same CPUs and nodes.
    Security: none. Other guests lose these CPUs only if they are kept off them.

Look by hand
    ``virsh vcpupin GUEST`` shows the masks; ``grep Cpus_allowed_list /proc/PID/task/*/status`` shows what the
    kernel holds the threads to.

Measure it
    The run delay of the guest's vCPUs (``vcpu.N.delay`` of ``virsh domstats --vcpu``), and ``nr_migrations`` in
    ``/proc/PID/task/TID/sched`` of the vCPU threads, before and after under the same load.

Sources
    * libvirt, Domain XML format, CPU Tuning (vcpupin, emulatorpin)
    * libvirt knowledge base, KVM real time guest configuration
    * OpenStack Nova administration guide, CPU topologies
    * Red Hat, Virtualization Tuning and Optimization Guide (RHEL 7), NUMA vCPU pinning
"""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.advise.cpu.ground import Ground, ground
from kvmnb.advise.cpu.move import move_of
from kvmnb.advise.cpu.pins import in_words, layers, own_cpus_meant, told
from kvmnb.advise.finding import Effect, Safety, Seen, Severity, Sure
from kvmnb.advise.load import NOT_MEASURED, mean_delay, over, seen_guest
from kvmnb.advise.rule import ALL_GOALS, Rule, SeenBy
from kvmnb.advise.threshold import Threshold
from kvmnb.advise.view import View
from kvmnb.core.cpuset import CpuSet
from kvmnb.facts.domain import Configuration, Domain

RULE = Rule(
    id="cpu.pin.vcpu",
    severity=Severity.HIGH,
    goals=ALL_GOALS,
    basis="heuristic",
    effect=Effect.MODERATE,
    seen_by=SeenBy.SURER,
    effect_basis="documented: Red Hat puts more than 10 % on lost locality; pins are half of the cure",
)

WAITING = Threshold(
    name="cpu.pin.vcpu.waiting",
    default=1.0,
    unit="%",
    least=0.0,
    most=100.0,
    meaning="where its vCPUs wait for a CPU so much of the time, the pattern is certain to hurt",
)


@RULE.domain
def check(domain: Domain, view: View) -> Iterator[Seen]:
    """A finding where a vCPU of a guest with CPUs of its own floats."""
    if not own_cpus_meant(domain, view):
        return
    here = ground(view)
    seen = told(
        (name, sentence) for name, layer in layers(domain) for sentence in _floating(layer, here, name == "live XML")
    )
    if not seen:
        return
    place = view.placement.guests[domain.uuid]
    saw = "; ".join(seen)
    if not place.vcpus:
        yield Seen(
            saw=saw,
            severity=Severity.LOW,
            sure=Sure.LIKELY,
            safety=Safety.MANUAL,
            by_hand=(
                "Give guests fewer vCPUs, move some away, or name in kvmnb.toml the few that need CPUs of their own.",
                "Until then do not pin this guest.",
            ),
            note=place.reason,
        )
        return
    move = move_of(domain, view, here, bind=True)
    delay = mean_delay(seen_guest(view, domain))
    yield Seen(
        saw=saw,
        wants=move.all_wants,
        safety=move.safety,
        costs=move.costs,
        by_hand=move.by_hand(),
        sure=Sure.CERTAIN if delay is not None and delay * 100 >= view.value(WAITING) else Sure.LIKELY,
        note=f"{_waited(delay, view)}; chosen: {place.reason}",
    )


def _waited(delay: float | None, view: View) -> str:
    if delay is None:
        return f"{NOT_MEASURED}: how often the vCPUs move or wait was not seen"
    return f"its vCPUs were ready without a CPU {delay:.1%} of the time {over(view)}"


def _floating(layer: Configuration, here: Ground, live: bool) -> Iterator[str]:
    """A sentence for each mask that leaves vCPUs free to roam."""
    if len(here.online) < 2:
        return
    pins = {pin.vcpu: pin.cpus for pin in layer.vcpu_pins}
    # Where numad places the guest, its vCPUs without a pin stay on the nodes that it chose at the start.
    placed_by_numad = layer.vcpu_placement == "auto"
    by_mask: dict[CpuSet | None, list[int]] = {}
    for vcpu in range(layer.vcpus_current if live else layer.vcpus):
        if vcpu in pins or not placed_by_numad:
            by_mask.setdefault(pins.get(vcpu, layer.vcpu_cpus), []).append(vcpu)
    for mask, vcpus in by_mask.items():
        who = in_words(vcpus, "vCPU")
        if mask is None:
            yield f"{who} may run on all {len(here.online)} CPUs of the host: no vcpupin, no vcpu/@cpuset"
        elif here.online.issubset(mask):
            yield f"{who} may run on all {len(here.online)} CPUs of the host: the mask {mask} spans all CPUs"
        elif len(nodes := here.nodes(mask)) > 1:
            yield f"{who} may run on CPUs {mask}, which lie on nodes {nodes}"
