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
from kvmnb.advise.cpu.move import holders, leaving, move_of, pins_alone, stays_beside
from kvmnb.advise.cpu.pins import in_words, layers, pins_by_hand, told, xml
from kvmnb.advise.finding import Safety, Seen, Severity
from kvmnb.advise.rule import ALL_GOALS, Rule
from kvmnb.advise.view import View
from kvmnb.core.cpuset import CpuSet, union
from kvmnb.facts.domain import Configuration, Domain
from kvmnb.place.asks import narrow_pins
from kvmnb.tunable.spelling import percent_encode
from kvmnb.tunable.tunable import Want

RULE = Rule(id="cpu.pin.overlap", severity=Severity.HIGH, goals=ALL_GOALS, basis="documented")

Problem = tuple[Severity, str]
Layers = list[tuple[str, Configuration]]


@RULE.domain
def check(domain: Domain, view: View) -> Iterator[Seen]:
    """A finding where the guest's pins cannot do what they say."""
    pinned_layers = [(name, layer) for name, layer in layers(domain) if _has_pins(layer)]
    if not pinned_layers:
        return
    here = ground(view)
    yield from _of_itself(domain, pinned_layers, view, here)
    for other, problems in _with_others(domain, here):
        move = leaving(domain, other, view, here)
        yield Seen(
            saw="; ".join(problems),
            wants=move.all_wants,
            severity=None if domain.running and other.running else Severity.MEDIUM,
            safety=move.safety,
            costs=move.costs,
            by_hand=move.by_hand(stays_beside(domain, other, view)),
            note=f"chosen: {move.reason}" if move.wants else move.reason,
            subject=f"guest/{percent_encode(other.name)}",
        )
    for other, cpus in _in_pools(domain, here):
        yield Seen(
            saw=f"CPUs {cpus}, each the only one of a vCPU, are also in the pool of guest {other.name!r} (cputune/vcpupin)",
            severity=Severity.LOW,
            safety=Safety.MANUAL,
            by_hand=(f"Take CPUs {cpus} out of that guest's pool:", pins_by_hand(other)[0]),
            subject=f"pool/{percent_encode(other.name)}",
        )


def _of_itself(domain: Domain, pinned_layers: Layers, view: View, here: Ground) -> Iterator[Seen]:
    """What is wrong with the guest's pins whatever other guests have."""
    problems = [
        *_twice(domain, here),
        *_told((name, problem) for name, layer in pinned_layers for problem in _dead(layer, here)),
        *_told((name, problem) for name, layer in pinned_layers for problem in _isolated(layer, view)),
        *_nothing_left(domain, here, view),
    ]
    absent = _absent_vcpus(domain)
    removals = tuple(Want(xml(domain, f"cputune/vcpupin[{vcpu}]"), None) for vcpu in absent) if domain.inactive else ()
    move = move_of(domain, view, here) if problems else pins_alone(domain, removals, "")
    if absent:
        text = f"pins for {in_words(absent, 'vCPU')}, which the guest with {domain.wanted.vcpus} vCPUs does not have"
        problems.append((Severity.LOW, f"{text} (cputune/vcpupin)"))
    if not problems:
        return
    extra = removals if move.wants and problems[:-1] else ()
    mask = domain.inactive.vcpu_cpus if domain.inactive is not None else None
    if move.wants and mask is not None and not mask.issubset(here.online):
        # With a pin for every thread the default mask has no use.
        extra += (Want(xml(domain, "vcpu/@cpuset"), None),)
    yield Seen(
        saw="; ".join(text for _, text in problems),
        severity=min((severity for severity, _ in problems), key=lambda one: one.rank),
        wants=(*move.all_wants, *extra),
        safety=move.safety,
        costs=move.costs,
        by_hand=move.by_hand(),
        note=(f"chosen: {move.reason}" if move.wants else move.reason) if move.reason else None,
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


def _twice(domain: Domain, here: Ground) -> Iterator[Problem]:
    """CPUs that two vCPUs of the guest are held to."""
    for mine in here.pins_of.get((domain.uuid, domain.name), ()):
        for other in here.pinned[mine.cpu]:
            if other.domain is domain and other.vcpu > mine.vcpu:
                yield Severity.HIGH, f"vCPUs {mine.vcpu} and {other.vcpu} are both pinned to CPU {mine.cpu} alone"


def _with_others(domain: Domain, here: Ground) -> list[tuple[Domain, list[str]]]:
    """CPUs that a vCPU of another guest is held to as well, by the other guest."""
    found: dict[tuple[str, str], tuple[Domain, list[str]]] = {}
    for mine in here.pins_of.get((domain.uuid, domain.name), ()):
        for other in holders(domain, CpuSet.of(mine.cpu), here):
            state = "" if domain.running and other.domain.running else _state(other.domain)
            found.setdefault((other.domain.uuid, other.domain.name), (other.domain, []))[1].append(
                f"vCPU {mine.vcpu} and vCPU {other.vcpu} of guest {other.domain.name!r}{state} "
                f"are both pinned to CPU {mine.cpu} alone"
            )
    return list(found.values())


def _state(domain: Domain) -> str:
    return ", which runs" if domain.running else ", which is shut off"


def _in_pools(domain: Domain, here: Ground) -> list[tuple[Domain, CpuSet]]:
    """CPUs that a vCPU of the guest has alone and that are in another guest's pool, by the other guest."""
    found: dict[tuple[str, str], tuple[Domain, set[int]]] = {}
    for mine in here.pins_of.get((domain.uuid, domain.name), ()):
        for other in here.pools.get(mine.cpu, ()):
            if other is not domain:
                found.setdefault((other.uuid, other.name), (other, set()))[1].add(mine.cpu)
    return [(other, CpuSet(cpus)) for other, cpus in found.values()]


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
