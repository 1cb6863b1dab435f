"""CPU pins contradict each other, or name CPUs that cannot be used.

What is seen
    One of these: vCPUs of two guests, or two of one guest, are pinned to the same single CPU; a vCPU's only CPU is
    in the pool of another guest's pins; a pin names CPUs that are offline or not there; a pin is for a vCPU that
    the guest does not have; a pin to several CPUs takes in ones that are isolated from the scheduler; running
    guests are pinned to every CPU, so that none is left for the host. Two pools that overlap are a choice and not
    judged. CPUs that a cgroup withholds are not read yet.

Why it hurts
    The scheduler may not move either of two vCPUs that are pinned to one CPU, so each has half of it whatever else
    is idle. A guest whose pin names no usable CPU does not start. A pin for a missing vCPU is dropped by libvirt
    with no more than a line in its log. On isolated CPUs nothing balances: all threads of a pool stay on one.

What to do
    Pin anew with all guests in view, and leave at least one physical core of each node to the host. Good pins
    stay where they are; of two guests on one CPU, the smaller one moves.

Leave it when
    The guests never run at the same time, as with a stand-by pair; then pin them to the same CPUs knowingly.

Cost
    Pins work at once and need no restart. Durability: none. Migration: pins name this host's CPUs. Security: none.
    Where a guest moves to another node, its memory follows only at its next start.

Look by hand
    ``virsh vcpupin GUEST`` for each guest, beside ``cat /sys/devices/system/cpu/online``.

Measure it
    ``vcpu.N.delay`` in ``virsh domstats --vcpu``: about half of the time with two busy vCPUs on one CPU, next to
    nothing after.

Sources
    * libvirt, Domain XML format, CPU Allocation and CPU Tuning
    * Linux documentation, CPU isolation (housekeeping CPUs)
    * Tested with libvirt 9.0: a vcpupin for a vCPU beyond the maximum is accepted and ignored
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from kvmnb.advise.cpu.ground import Ground, ground
from kvmnb.advise.cpu.pins import (
    bind_costs,
    bind_wants,
    in_words,
    layers,
    moves,
    own_cpus_meant,
    pin_wants,
    pins_by_hand,
    stays,
    told,
    xml,
)
from kvmnb.advise.finding import Safety, Seen, Severity
from kvmnb.advise.rule import ALL_GOALS, Rule
from kvmnb.advise.view import View
from kvmnb.core.cpuset import CpuSet, union
from kvmnb.facts.domain import Configuration, Domain
from kvmnb.place.asks import narrow_pins
from kvmnb.tunable.tunable import Want

RULE = Rule(id="cpu.pin.overlap", severity=Severity.HIGH, goals=ALL_GOALS, basis="documented")

Problem = tuple[Severity, str]


@RULE.domain
def check(domain: Domain, view: View) -> Iterator[Seen]:
    """A finding where the guest's pins cannot do what they say."""
    pinned_layers = [(name, layer) for name, layer in layers(domain) if _has_pins(layer)]
    if not pinned_layers:
        return
    here = ground(view)
    partners: set[str] = set()
    problems = [
        *_same_cpu(domain, here, partners),
        *_told((name, problem) for name, layer in pinned_layers for problem in _dead(layer, here)),
        *_told((name, problem) for name, layer in pinned_layers for problem in _isolated(layer, view)),
    ]
    nowhere = list(_nothing_left(domain, here, view))
    absent = _absent_vcpus(domain)
    if absent:
        text = f"pins for {in_words(absent, 'vCPU')}, which the guest with {domain.wanted.vcpus} vCPUs does not have"
        problems.append((Severity.LOW, f"{text} (cputune/vcpupin)"))
    problems += nowhere
    if not problems:
        return
    removals = tuple(Want(xml(domain, f"cputune/vcpupin[{vcpu}]"), None) for vcpu in absent) if domain.inactive else ()
    wants = removals
    bindings: tuple[Want, ...] = ()
    only_absent = len(problems) == 1 and bool(absent)
    place = None if only_absent else view.placement.guests[domain.uuid]
    # Of guests on one CPU the one that stays has nothing to do; its partner has.
    partner_goes = place is not None and bool(partners) and stays(domain, place)
    if place is not None and place.vcpus and own_cpus_meant(domain, view) and not partner_goes:
        pins = pin_wants(domain, place)
        wants = (*pins, *removals)
        bindings = bind_wants(domain, place.nodes, here) if pins and moves(domain, place, here) else ()
    severity = min((problem[0] for problem in problems), key=lambda one: one.rank)
    solved = only_absent or len(wants) > len(removals)
    yield Seen(
        saw="; ".join(text for _, text in problems),
        severity=severity,
        wants=(*wants, *bindings) if solved else (),
        safety=Safety.MANUAL if not solved else Safety.DISRUPTIVE if bindings else Safety.SAFE,
        costs=bind_costs(domain) if solved and bindings else (),
        by_hand=() if solved else _by_hand(domain, partners, placed=place is not None and bool(place.vcpus)),
        note=None if place is None else f"chosen: {place.reason}" if solved else place.reason,
    )


def _told(seen: Iterable[tuple[str, Problem]]) -> Iterator[Problem]:
    """Problems with the places where each was read, one time each."""
    by_severity: dict[Severity, list[tuple[str, str]]] = {}
    for name, (severity, sentence) in seen:
        by_severity.setdefault(severity, []).append((name, sentence))
    for severity, sentences in by_severity.items():
        yield from ((severity, text) for text in told(sentences))


def _has_pins(layer: Configuration) -> bool:
    return bool(layer.vcpu_pins or layer.iothread_pins or layer.emulator_pin is not None or layer.vcpu_cpus is not None)


def _same_cpu(domain: Domain, here: Ground, partners: set[str]) -> Iterator[Problem]:
    """CPUs that another vCPU is held to as well."""
    for mine in here.pins_of.get((domain.uuid, domain.name), ()):
        for other in here.pinned[mine.cpu]:
            if other.domain is domain:
                if other.vcpu > mine.vcpu:
                    yield Severity.HIGH, f"vCPUs {mine.vcpu} and {other.vcpu} are both pinned to CPU {mine.cpu} alone"
                continue
            partners.add(other.domain.name)
            who = f"vCPU {mine.vcpu} and vCPU {other.vcpu}"
            both_run = domain.running and other.domain.running
            state = "" if both_run else ", which is shut off" if not other.domain.running else ", which runs"
            yield (
                Severity.HIGH if both_run else Severity.MEDIUM,
                f"{who} of guest {other.domain.name!r}{state} are both pinned to CPU {mine.cpu} alone",
            )
        for pool in here.pools.get(mine.cpu, ()):
            if pool is not domain:
                partners.add(pool.name)
                yield (
                    Severity.MEDIUM,
                    f"vCPU {mine.vcpu} has only CPU {mine.cpu}, which is also in the pool of guest {pool.name!r}",
                )


def _dead(layer: Configuration, here: Ground) -> Iterator[Problem]:
    """Pins to CPUs that are offline or not there."""
    pins = [(f"{in_words(vcpus, 'vCPU')} (cputune/vcpupin)", cpus) for vcpus, cpus in _alike(layer, here)] + [
        *((f"iothread {pin.iothread} (cputune/iothreadpin)", pin.cpus) for pin in layer.iothread_pins),
        ("the emulator threads (cputune/emulatorpin)", layer.emulator_pin or CpuSet()),
        ("threads without a pin (vcpu/@cpuset)", layer.vcpu_cpus or CpuSet()),
    ]
    for who, cpus in pins:
        if gone := cpus - here.online:
            severity = Severity.HIGH if gone == cpus else Severity.MEDIUM
            which = f"CPUs {cpus}" if gone == cpus else f"CPUs {cpus}, and of these {gone}"
            yield severity, f"{who} are held to {which}, which are not among the host's online CPUs {here.online}"


def _alike(layer: Configuration, here: Ground) -> Iterator[tuple[list[int], CpuSet]]:
    """vCPUs and their CPUs: those with no usable CPU as one, those with some as another."""
    pins = [pin for pin in layer.vcpu_pins if pin.vcpu < layer.vcpus and not pin.cpus.issubset(here.online)]
    for unusable in (True, False):
        some = [pin for pin in pins if pin.cpus.isdisjoint(here.online) is unusable]
        if some:
            yield [pin.vcpu for pin in some], union(pin.cpus for pin in some)


def _isolated(layer: Configuration, view: View) -> Iterator[Problem]:
    """Pools that take in isolated CPUs."""
    isolated = view.host.isolated
    if not isolated:
        return
    for cpus in dict.fromkeys(pin.cpus for pin in layer.vcpu_pins):
        if len(cpus) > 1 and (inside := cpus & isolated):
            where = "/sys/devices/system/cpu/isolated"
            yield Severity.MEDIUM, f"a pool of CPUs {cpus} takes in {inside}, isolated from the scheduler by {where}"


def _nothing_left(domain: Domain, here: Ground, view: View) -> Iterator[Problem]:
    """The host without a CPU of its own, told to each running guest on a CPU that should be the host's."""
    if not domain.running or not here.pins_of.get((domain.uuid, domain.name)):
        return
    taken = here.taken_by_running
    if here.online and here.online.issubset(taken):
        mine = CpuSet(narrow_pins(domain.wanted).values())
        if own := mine & view.placement.housekeeping:
            taken_all = (
                f"running guests are pinned to each of the {len(here.online)} CPUs, and none is left for the host"
            )
            yield Severity.HIGH, f"{taken_all}; this one has CPUs {own}, which are best left free"


def _absent_vcpus(domain: Domain) -> list[int]:
    return [pin.vcpu for pin in domain.wanted.vcpu_pins if pin.vcpu >= domain.wanted.vcpus]


def _by_hand(domain: Domain, partners: set[str], *, placed: bool) -> tuple[str, ...]:
    if placed and partners:
        names = ", ".join(repr(name) for name in sorted(partners))
        return (f"This guest can stay; follow this rule's finding of {names}, or take these CPUs out of its pool.",)
    return ("Choose CPUs that are online and that no other guest is pinned to, then:", *pins_by_hand(domain))
