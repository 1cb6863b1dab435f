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

from kvmnb.advise.cpu.clash import in_short, on_same_cpu, part, seen_waiting
from kvmnb.advise.cpu.ground import Ground, ground
from kvmnb.advise.cpu.move import move_of, pins_alone
from kvmnb.advise.cpu.pins import in_words, layers, told, xml
from kvmnb.advise.finding import Effect, Safety, Seen, Severity
from kvmnb.advise.rule import ALL_GOALS, Rule
from kvmnb.advise.view import View
from kvmnb.core.cpuset import CpuSet, union
from kvmnb.facts.domain import Configuration, Domain
from kvmnb.place.asks import narrow_pins
from kvmnb.tunable.tunable import Want

RULE = Rule(
    id="cpu.pin.overlap",
    severity=Severity.HIGH,
    goals=ALL_GOALS,
    basis="documented",
    effect=Effect.LARGE,
    effect_basis="documented: two vCPUs on one CPU have half of it each",
)

Problem = tuple[Severity, str]


@RULE.domain
def check(domain: Domain, view: View) -> Iterator[Seen]:
    """A finding where the guest's pins cannot do what they say."""
    pinned_layers = [(name, layer) for name, layer in layers(domain) if _has_pins(layer)]
    if not pinned_layers:
        return
    here = ground(view)
    problems = [
        *_twice(domain, here),
        *_told((name, problem) for name, layer in pinned_layers for problem in _dead(layer, here)),
        *_told((name, problem) for name, layer in pinned_layers for problem in _isolated(layer, view)),
        *_nothing_left(domain, here, view),
    ]
    clashes = on_same_cpu(domain, here)
    absent = [pin.vcpu for pin in domain.wanted.vcpu_pins if pin.vcpu >= domain.wanted.vcpus]
    removals = tuple(Want(xml(domain, f"cputune/vcpupin[{vcpu}]"), None) for vcpu in absent) if domain.inactive else ()
    move = move_of(domain, view, here) if problems or clashes else pins_alone(domain, removals, "")
    mine, waiting = part(clashes, move, view, here) if clashes else ([], [])
    if absent and not (problems or mine):
        move = pins_alone(domain, removals, "")
    extra = _extra(domain, removals, here) if move.wants and (problems or mine) else ()
    if absent:
        text = f"pins for {in_words(absent, 'vCPU')}, which the guest with {domain.wanted.vcpus} vCPUs does not have"
        problems.append((Severity.LOW, f"{text} (cputune/vcpupin)"))
    if problems or mine:
        severities = [*(severity for severity, _ in problems), *(one.severity for one in mine)]
        yield Seen(
            saw="; ".join(in_short((text for _, text in problems), mine)),
            severity=min(severities, key=lambda one: one.rank),
            wants=(*move.all_wants, *extra),
            safety=move.safety,
            costs=move.costs,
            by_hand=move.by_hand(),
            note=(f"chosen: {move.reason}" if move.wants else move.reason) if move.reason else None,
        )
    if waiting:
        yield seen_waiting(waiting, None, "cputune/vcpupin")
    if pools := _in_pools(domain, here):
        cpus = union(shared for _, shared in pools)
        names = ", ".join(in_short((repr(other.name) for other, _ in pools), noun="guests"))
        yield Seen(
            saw=f"CPUs {cpus}, each the only one of a vCPU, are also in the pools of guests {names} (cputune/vcpupin)",
            severity=Severity.LOW,
            safety=Safety.MANUAL,
            by_hand=(f"Take CPUs {cpus} out of these guests' pools:", "virsh vcpupin GUEST VCPU CPUS --config"),
            subject="pools",
        )


def _extra(domain: Domain, removals: tuple[Want, ...], here: Ground) -> tuple[Want, ...]:
    """What goes with a move: pins of missing vCPUs, and a default mask of unusable CPUs that no thread needs then."""
    mask = domain.inactive.vcpu_cpus if domain.inactive is not None else None
    if mask is None or mask.issubset(here.online):
        return removals
    return (*removals, Want(xml(domain, "vcpu/@cpuset"), None))


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
    pins = here.pins_of.get((domain.uuid, domain.name), ())
    for mine in pins:
        for other in pins:
            if other.cpu == mine.cpu and other.vcpu > mine.vcpu:
                yield Severity.HIGH, f"vCPUs {mine.vcpu} and {other.vcpu} are both pinned to CPU {mine.cpu} alone"


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
