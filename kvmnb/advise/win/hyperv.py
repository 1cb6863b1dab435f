"""A Windows guest lacks the enlightenments that are made for it.

What is seen
    The guest runs Windows and its ``features/hyperv`` lacks some of relaxed, vapic, spinlocks, vpindex, runtime,
    synic, stimer, frequencies, tlbflush and ipi, though this libvirt and QEMU know them. The configuration alone
    shows it. What the XML switches off is somebody's choice, and so is any mode other than custom.

Why it hurts
    None is on by itself. Without synic and stimer Windows asks slow emulated timers over and over and burns CPU time
    even when idle; without tlbflush and ipi work on many vCPUs leaves the guest for each of them.

What to do
    Switch on the whole set, one by one as virt-manager does. ``stimer`` needs synic, vpindex and the timer
    ``hypervclock``; tlbflush and ipi need vpindex. libvirt 11.9 and later also takes ``mode='host-model'``.
    spinlocks is left out where the guest has its own CPUs.

Leave it when
    The host uses APICv or AVIC for this guest and its exits are few: synic switches that off unless the
    enlightenment avic is on. ``mode='passthrough'`` is no way to do it where the guest migrates.

Cost
    The guest has to stop and start; Windows then sees a hypervisor that looks like Hyper-V. Durability: none.
    Migration: every host needs the same set. Security: none.

Look by hand
    ``virsh dumpxml GUEST | grep -A15 '<hyperv'``; ``virsh domcapabilities | grep -A20 hyperv``.

Measure it
    The CPU time of the idle guest in ``virsh domstats --vcpu GUEST``, and its exits in ``perf kvm stat``.

Sources
    * QEMU, Hyper-V Enlightenments
    * libvirt, Domain XML format, Hypervisor features (hyperv)
    * virt-manager, the defaults that it writes for Windows guests
"""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.advise.cpu.pins import xml
from kvmnb.advise.finding import Effect, Safety, Seen, Severity
from kvmnb.advise.rule import ALL_GOALS, Rule
from kvmnb.advise.versions import at_least
from kvmnb.advise.view import View
from kvmnb.advise.win.ground import (
    DECIDED_BY_A_PERSON,
    costs_of,
    how_sure,
    hypervisor_of,
    judged,
    timer_of,
    timer_want,
    why_windows,
)
from kvmnb.facts.domain import Domain
from kvmnb.tunable.tunable import Want

RULE = Rule(
    id="win.hyperv",
    severity=Severity.HIGH,
    goals=ALL_GOALS,
    basis="documented",
    effect=Effect.LARGE,
    effect_basis="documented: much less CPU time when idle and for each reading of the time",
)

# Each enlightenment with the libvirt and the QEMU that know it, and the others that it needs: libvirt's Domain XML
# format, and QEMU's Hyper-V Enlightenments.
SET: tuple[tuple[str, str, str, tuple[str, ...]], ...] = (
    ("relaxed", "1.0.0", "2.0", ()),
    ("vapic", "1.1.0", "2.0", ()),
    ("spinlocks", "1.1.0", "2.0", ()),
    ("vpindex", "1.3.3", "2.5", ()),
    ("runtime", "1.3.3", "2.5", ()),
    ("synic", "1.3.3", "2.6", ("vpindex",)),
    ("stimer", "1.3.3", "2.6", ("vpindex", "synic")),
    ("frequencies", "4.7.0", "2.12", ()),
    ("tlbflush", "4.7.0", "3.0", ("vpindex",)),
    ("ipi", "4.10.0", "3.1", ("vpindex",)),
)
# QEMU, Hyper-V Enlightenments: how often a vCPU tries before it tells the hypervisor.
RETRIES = "8191"
# libvirt 5.7.0 knows stimer/direct, QEMU 4.1 too.
DIRECT_SINCE = ("5.7.0", "4.1")


@RULE.domain
def check(domain: Domain, view: View) -> Iterator[Seen]:
    """One finding for all that is missing."""
    if not judged(domain, view):
        return
    tuning = domain.wanted.tuning
    if tuning.features.hyperv_mode not in (None, "custom"):
        return
    versions = hypervisor_of(view)
    off = {name for name, _, _, _ in SET if tuning.enlightenment(name) is False}
    clock_off = timer_of(domain.wanted, "hypervclock")[0] is False
    missing = [
        name
        for name, libvirt, qemu, needs in SET
        if tuning.enlightenment(name) is None
        and off.isdisjoint(needs)
        and not (name == "stimer" and clock_off)
        and not (name == "spinlocks" and view.intent.dedicated(domain))
        and at_least(versions.libvirt, libvirt)
        and at_least(versions.version, qemu)
    ]
    if not missing:
        return
    saw = f"features/hyperv (persistent XML) lacks {', '.join(missing)}"
    if domain.inactive is None:
        yield Seen(
            saw=saw,
            sure=how_sure(domain, view),
            safety=Safety.MANUAL,
            by_hand=("Make the guest anew with these switched on.",),
            note=DECIDED_BY_A_PERSON,
        )
        return
    direct = at_least(versions.libvirt, DIRECT_SINCE[0]) and at_least(versions.version, DIRECT_SINCE[1])
    yield Seen(
        saw=saw,
        wants=tuple(_wants(domain, missing, direct)),
        sure=how_sure(domain, view),
        safety=Safety.DISRUPTIVE,
        costs=costs_of(domain),
        note=f"{why_windows(domain, view)}; that KVM here offers each of them is taken from the versions alone",
    )


def _wants(domain: Domain, missing: list[str], direct: bool) -> Iterator[Want]:
    for name in missing:
        yield Want(xml(domain, f"features/hyperv/{name}/@state"), "on")
        if name == "spinlocks":
            yield Want(xml(domain, "features/hyperv/spinlocks/@retries"), RETRIES)
        if name == "stimer":
            if direct:
                yield Want(xml(domain, "features/hyperv/stimer/direct/@state"), "on")
            if timer_of(domain.wanted, "hypervclock")[0] is None:
                yield from timer_want(domain, "hypervclock", "present", "yes")
