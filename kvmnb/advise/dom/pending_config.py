"""What runs is not what is stored.

What is seen
    The persistent configuration of a running guest differs from the live one. What libvirt adds to a running guest by
    itself is left out: addresses, aliases, an expanded CPU model, security labels, names of taps. Both texts alone
    show it.

Why it hurts
    Most settings take effect only when the guest is shut down and started. A reboot inside the guest keeps the old
    QEMU process, so people believe that a change is in force while it is not; or the next start brings a change that
    nobody remembers.

What to do
    Read the list. To bring the stored settings into force: shut the guest down and start it. To keep what runs:
    write it into the persistent configuration.

Leave it when
    The change waits for a planned stop, or it was meant for this run alone.

Cost
    A stop and a start of the guest. Durability: none. Migration: what runs travels, what is stored only with
    ``--persistent``. Security: none.

Look by hand
    ``diff <(virsh dumpxml GUEST) <(virsh dumpxml --inactive GUEST)``.

Measure it
    The list is empty after the next start.

Sources
    * libvirt API, virDomainModificationImpact
    * libvirt source, src/qemu/qemu_hotplug.c (what of a disk changes live)
"""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.advise.dom.difference import differences
from kvmnb.advise.finding import Effect, Safety, Seen, Severity
from kvmnb.advise.rule import ALL_GOALS, Rule
from kvmnb.advise.view import View
from kvmnb.facts.domain import Domain
from kvmnb.tunable.spelling import shell_word

RULE = Rule(
    id="dom.pending_config",
    severity=Severity.MEDIUM,
    goals=ALL_GOALS,
    basis="documented",
    effect=Effect.INDIRECT,
    effect_basis="documented: what is stored starts to hold; what that brings depends on what it is",
)

# More than this is a matter for a diff.
MOST_IN_WORDS = 8


@RULE.domain
def check(domain: Domain, view: View) -> Iterator[Seen]:
    """One finding for all differences."""
    if not domain.running or domain.inactive is None or domain.live is None:
        return
    found = list(differences(domain.inactive, domain.live))
    if not found:
        return
    listed = "; ".join(f"{what}: {stored} stored, {runs} runs" for what, stored, runs in found[:MOST_IN_WORDS])
    more = f"; and {len(found) - MOST_IN_WORDS} more" if len(found) > MOST_IN_WORDS else ""
    name = shell_word(domain.name)
    saved = domain.state is not None and domain.state.managed_save
    yield Seen(
        saw=f"{listed}{more} (persistent XML beside live XML)",
        safety=Safety.MANUAL,
        by_hand=(
            f"virsh shutdown {name}  # wait until virsh domstate {name} says: shut off",
            f"virsh start {name}",
        ),
        note="its next start goes on from a saved image, with the XML in that image" if saved else None,
    )
