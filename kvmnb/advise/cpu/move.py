"""What brings a guest to its place, and who is in the way."""

from __future__ import annotations

from dataclasses import dataclass

from kvmnb.advise.cpu.ground import Ground, Pinned
from kvmnb.advise.cpu.pins import bind_costs, bind_wants, own_cpus_meant, pin_wants, pins_by_hand
from kvmnb.advise.cpu.reach import mask_of
from kvmnb.advise.finding import Safety
from kvmnb.advise.view import View
from kvmnb.core.cpuset import CpuSet, union
from kvmnb.facts.domain import Domain
from kvmnb.place.placement import GuestPlace
from kvmnb.tunable.tunable import Want

CHOOSE = "Choose CPUs that are online and that no other guest has, then:"


@dataclass(frozen=True, slots=True)
class Move:
    """The pins and bindings by which a guest gets to its place.

    ``wants`` is empty where it has no CPUs of its own to go to, where it is there already, or where
    guests that have to leave first are ``in_the_way``.
    """

    domain: Domain
    wants: tuple[Want, ...]
    bindings: tuple[Want, ...]
    in_the_way: tuple[str, ...]
    """The names of guests."""
    later: tuple[Want, ...]
    """The pins to set once they have left."""
    reason: str
    """Why here, or why not; in the placement's words."""

    @property
    def all_wants(self) -> tuple[Want, ...]:
        """Pins, then bindings."""
        return (*self.wants, *self.bindings)

    @property
    def safety(self) -> Safety:
        """Pins alone are safe, a binding waits for a restart; without wants it is a person's work."""
        return Safety.MANUAL if not self.wants else Safety.DISRUPTIVE if self.bindings else Safety.SAFE

    @property
    def costs(self) -> tuple[str, ...]:
        """What the binding costs."""
        return bind_costs(self.domain) if self.bindings else ()

    def by_hand(self, otherwise: tuple[str, ...] = ()) -> tuple[str, ...]:
        """What a person does where nothing is wanted; ``otherwise`` where nobody is in the way."""
        if self.wants:
            return ()
        if self.in_the_way:
            names = ", ".join(repr(name) for name in self.in_the_way)
            commands = dict.fromkeys(want.tunable.command(want.value) for want in self.later)
            return (f"First follow the findings of {names}, who must leave these CPUs. Then:", *commands)
        return otherwise or (CHOOSE, *pins_by_hand(self.domain))


def pins_alone(domain: Domain, wants: tuple[Want, ...], reason: str) -> Move:
    """Pins of emulator or iothreads, while the vCPUs stay where they are."""
    return Move(domain, wants, (), (), (), reason)


def move_of(domain: Domain, view: View, here: Ground, *, bind: bool = False) -> Move:
    """The move of a guest that is meant to have CPUs of its own.

    Its memory is bound where it comes to other nodes, with ``bind`` in any case.
    """
    place = view.placement.guests[domain.uuid]
    if not place.vcpus or not own_cpus_meant(domain, view):
        return Move(domain, (), (), (), (), place.reason)
    pins = pin_wants(domain, place)
    blockers = in_the_way(domain, place, here)
    if blockers:
        return Move(domain, (), (), blockers, pins, place.reason)
    bindings = bind_wants(domain, place.nodes, here) if pins and (bind or _moves(domain, place, here)) else ()
    return Move(domain, pins, bindings, (), (), place.reason)


def _moves(domain: Domain, place: GuestPlace, of_host: Ground) -> bool:
    """Whether the placement holds the guest's vCPUs to other nodes than they are held to now, if to any."""
    reach = mask_of(domain.wanted)
    return reach is None or of_host.nodes(reach) != place.nodes


def in_the_way(domain: Domain, place: GuestPlace, here: Ground) -> tuple[str, ...]:
    """Other guests that are pinned to a core of the place which the guest is not on already."""
    new_cores = cores_of(CpuSet(place.vcpus.values()), here) - _present_cores(domain, here)
    return tuple(sorted({pin.domain.name for pin in holders(domain, new_cores, here)}))


def holders(domain: Domain, cpus: CpuSet, here: Ground) -> tuple[Pinned, ...]:
    """The vCPUs of other guests that are pinned to one of these CPUs alone."""
    return tuple(pin for cpu in cpus for pin in here.pinned.get(cpu, ()) if pin.domain is not domain)


def cores_of(cpus: CpuSet, here: Ground) -> CpuSet:
    """All hardware threads of these CPUs' cores."""
    return union(here.threads.get(cpu, CpuSet()) for cpu in cpus)


def _present_cores(domain: Domain, here: Ground) -> CpuSet:
    return cores_of(CpuSet(pin.cpu for pin in here.pins_of.get((domain.uuid, domain.name), ())), here)
