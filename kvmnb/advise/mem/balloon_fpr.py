"""Free page reporting is off where memory is meant to be shared out, or on where it does nothing.

What is seen
    For the goal density: a guest with plain memory and a virtio balloon on a host with transparent huge pages, whose
    ``memballoon/@freePageReporting`` is not on; or a guest where it is on together with a pool of hugepages, locked
    memory, real-time vCPUs or a device of the host. The configuration alone shows it.

Why it hurts
    What a guest has used once the host never gets back by itself. With free page reporting the guest hands free
    pages back as it goes, and nobody has to steer a balloon. For memory that is locked, or that a device reads,
    QEMU does not give it back at all, and where it does, each page costs a fault when it is used again.

What to do
    Switch it on for guests of a dense host, off for the others. The guest needs Linux 5.7 or a virtio driver for
    Windows that knows it; libvirt 6.9 and QEMU 5.1 on the host.

Leave it when
    The guest fills its memory again at once, or each fault counts.

Cost
    The guest has to be shut down and started, and sees one more feature of its balloon. First touches of memory
    that was given back are slower. Durability: none. Migration: the other host's QEMU needs it too. Security: none.

Look by hand
    ``virsh dumpxml GUEST --xpath /domain/devices/memballoon``

Measure it
    rss in ``virsh dommemstat GUEST`` falls after the guest has freed memory.

Sources
    * libvirt, Domain XML format, Memory balloon device (freePageReporting)
    * QEMU source, hw/virtio/virtio-balloon.c
    * KubeVirt, which switches it on for all but guests of high performance
"""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.advise.cpu.pins import restart_cost, xml
from kvmnb.advise.finding import Effect, Safety, Seen, Severity
from kvmnb.advise.intent import Goal
from kvmnb.advise.mem.backing import has_vfio, is_anonymous, is_real_time, of_qemu
from kvmnb.advise.mem.balloon import balloon_wants, has_balloon, reports
from kvmnb.advise.rule import Rule
from kvmnb.advise.versions import at_least
from kvmnb.advise.view import View
from kvmnb.facts.domain import Configuration, Domain
from kvmnb.tunable.spelling import shell_word
from kvmnb.tunable.tunable import Want

RULE = Rule(
    id="mem.balloon.fpr",
    severity=Severity.LOW,
    goals=(Goal.DENSITY,),
    basis="documented",
    effect=Effect.MODERATE,
    effect_basis="documented: the host gets back what the guest has freed",
)

LIBVIRT = "6.9.0"
QEMU = "5.1"


@RULE.domain
def check(domain: Domain, view: View) -> Iterator[Seen]:
    """A finding where free page reporting is missing, or does nothing."""
    wanted = domain.wanted
    if not of_qemu(wanted):
        return
    balloon = wanted.devices.balloon
    on = balloon is not None and balloon.free_page_reporting is True
    against = tuple(_against(wanted))
    if on and against and has_balloon(wanted):
        yield _seen(
            domain,
            f"free page reporting is on beside {', '.join(against)} (persistent XML: memballoon/@freePageReporting)",
            (Want(xml(domain, "devices/memballoon/@freePageReporting"), "off"),),
            "off",
        )
    elif _missing(domain, view):
        missing = _too_old(view)
        wants = balloon_wants(
            domain,
            view,
            statistics=not reports(wanted),
            free_pages=True,
            mine=("free_pages",),
        )
        yield _seen(
            domain,
            "the guest has plain memory, and free page reporting is not on (persistent XML: memballoon)",
            () if missing else wants,
            "on",
            missing or "a Linux guest needs kernel 5.7, which was not seen",
        )


def worth_it(domain: Domain, view: View) -> bool:
    """Whether this rule wants it switched on, for the one who makes the balloon."""
    return view.goal(domain) is Goal.DENSITY and _missing(domain, view) and _too_old(view) is None


def _missing(domain: Domain, view: View) -> bool:
    wanted = domain.wanted
    balloon = wanted.devices.balloon
    if (balloon is not None and balloon.free_page_reporting is True) or not has_balloon(wanted):
        return False
    thp = view.host.kernel.thp
    return is_anonymous(wanted) and thp is not None and thp.enabled != "never" and not tuple(_against(wanted))


def _against(wanted: Configuration) -> Iterator[str]:
    """What keeps free pages from coming back, or makes that costly."""
    if wanted.memory_backing.hugepages:
        yield "a pool of hugepages"
    if wanted.memory_backing.locked:
        yield "locked memory"
    if has_vfio(wanted):
        yield "a device of the host"
    if is_real_time(wanted):
        yield "real-time vCPUs"


def _too_old(view: View) -> str | None:
    """What is too old here, or is not known; None where it can be had."""
    found = view.host.hypervisor
    if found is None:
        return "this source has no libvirt, so whether it can be had is not known"
    if not at_least(found.libvirt, LIBVIRT):
        return f"libvirt {found.libvirt} is older than {LIBVIRT}, which brought it"
    if not at_least(found.version, QEMU):
        return f"QEMU {found.version or '(version not told)'} is older than {QEMU}, which brought it"
    return None


def _seen(domain: Domain, saw: str, wants: tuple[Want, ...], value: str, note: str | None = None) -> Seen:
    chosen = wants if domain.inactive is not None else ()
    return Seen(
        saw=saw,
        wants=chosen,
        safety=Safety.DISRUPTIVE if chosen else Safety.MANUAL,
        costs=(*restart_cost(domain), "the guest sees its balloon with another feature"),
        by_hand=()
        if chosen
        else (
            f"virsh edit {shell_word(domain.name)}  # freePageReporting='{value}' in memballoon, once it can be had",
        ),
        note=note,
    )
