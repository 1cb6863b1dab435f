"""The guest is emulated although this host has KVM.

What is seen
    The domain is of type ``qemu``, its architecture is the host's, and ``/dev/kvm`` is there. The configuration alone
    shows it. Which module provides ``/dev/kvm`` does not matter: there are others than kvm_intel and kvm_amd.

Why it hurts
    Without KVM QEMU translates every instruction of the guest. The guest is slower by an order of magnitude, and no
    other setting makes up for it.

What to do
    Set the domain's type to ``kvm``. The CPU that the guest sees is judged by its own rule.

Leave it when
    Emulation is meant: to debug the guest, to count its instructions, or to hide what this CPU can do.

Cost
    The guest has to stop and start. Its CPU changes, so that Windows may ask for activation. Durability: none.
    Migration: the other host needs KVM too. Security: none.

Look by hand
    ``virsh dumpxml GUEST | head -1``; ``ls -l /dev/kvm``; ``virt-host-validate qemu``.

Measure it
    Any CPU-bound work in the guest, before and after; under KVM the QEMU process holds ``anon_inode:kvm-vm`` open.

Sources
    * libvirt, Domain XML format, Element and attribute overview
    * libvirt, Domain XML format, CPU model and topology
"""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.advise.cpu.pins import restart_cost, xml
from kvmnb.advise.finding import Effect, Safety, Seen, Severity, Sure
from kvmnb.advise.rule import ALL_GOALS, Rule
from kvmnb.advise.view import View
from kvmnb.facts.domain import Domain
from kvmnb.tunable.tunable import Want

RULE = Rule(
    id="cpu.kvm.accel",
    severity=Severity.CRITICAL,
    goals=ALL_GOALS,
    basis="documented",
    effect=Effect.LARGE,
    effect_basis="documented: an order of magnitude for work on the CPU",
)


@RULE.domain
def check(domain: Domain, view: View) -> Iterator[Seen]:
    """A finding where a guest of the host's own architecture is emulated."""
    wanted = domain.wanted
    if wanted.virt_type != "qemu" or wanted.arch is None or wanted.arch != view.host.arch:
        return
    if not view.host.kernel.kvm_device:
        return
    saw = (
        f"the domain's type is qemu (persistent XML), its architecture {wanted.arch} is the host's, "
        "and /dev/kvm is there"
    )
    if domain.inactive is None:
        yield Seen(
            saw=saw,
            sure=Sure.LIKELY,
            safety=Safety.MANUAL,
            by_hand=("Make the guest anew from an XML with <domain type='kvm'>.",),
            note="a guest that exists only while it runs keeps its type until it is made anew",
        )
        return
    yield Seen(
        saw=saw,
        wants=(Want(xml(domain, "@type"), "kvm"),),
        sure=Sure.LIKELY,
        safety=Safety.DISRUPTIVE,
        costs=(*restart_cost(domain), "the guest sees another CPU: Windows may ask for activation again"),
        note="whether QEMU's user may open /dev/kvm was not tried; where it may not, the guest does not start",
    )
