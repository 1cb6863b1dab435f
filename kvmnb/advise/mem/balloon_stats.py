"""The guest does not report how it uses its memory.

What is seen
    The guest has a virtio balloon, or gets one from libvirt as its XML names none, and ``memballoon/stats/@period``
    is missing or 0. The configuration alone shows it. Whether reports that were asked for arrive (balloon.last-update
    older than three periods) is not judged here.

Why it hurts
    Without it the host sees only what the guest has ever touched. Whether it has memory to spare, or swaps inside, is
    then a guess, and so is every advice about memory.

What to do
    A period of 5 seconds. It can be had without a restart: ``virsh dommemstat GUEST --period 5 --live --config``. The
    guest needs the balloon's driver, which Linux has and Windows gets with the virtio drivers.

Leave it when
    The guest must not be disturbed at all, as in real time, or has no balloon on purpose.

Cost
    Hardly any: one small message each period. In the XML it counts from the next start of the guest. Durability:
    none. Migration: none. Security: the numbers come from the guest, so believe them only as far as you believe it.

Look by hand
    ``virsh dommemstat GUEST``: with reports it shows usable, unused and last_update

Measure it
    last_update in ``virsh dommemstat GUEST`` is a few seconds old.

Sources
    * libvirt, Domain XML format, Memory balloon device
    * QEMU documentation, Virtio balloon memory statistics
    * The period is heuristic
"""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.advise.cpu.pins import restart_cost
from kvmnb.advise.finding import Effect, Safety, Seen, Severity
from kvmnb.advise.intent import Goal
from kvmnb.advise.mem.backing import of_qemu
from kvmnb.advise.mem.balloon import PERIOD, balloon_wants, has_balloon, reports
from kvmnb.advise.mem.balloon_fpr import worth_it
from kvmnb.advise.rule import Rule
from kvmnb.advise.view import View
from kvmnb.facts.domain import Domain
from kvmnb.tunable.live_setting import LiveSetting
from kvmnb.tunable.spelling import shell_word
from kvmnb.tunable.tunable import Want

RULE = Rule(
    id="mem.balloon.stats",
    severity=Severity.LOW,
    goals=(Goal.BALANCED, Goal.DENSITY),
    basis="documented, heuristic",
    effect=Effect.INDIRECT,
    effect_basis="documented: nothing gets faster; the guest's use of memory can be seen",
)


@RULE.domain
def check(domain: Domain, view: View) -> Iterator[Seen]:
    """A finding where nothing asks the guest for reports."""
    wanted = domain.wanted
    if not of_qemu(wanted) or not has_balloon(wanted) or reports(wanted):
        return
    name = shell_word(domain.name)
    live = f"virsh dommemstat {name} --period {view.value(PERIOD)} --live"
    saw = (
        "there is no memballoon (persistent XML), so libvirt adds one that does not report"
        if wanted.devices.balloon is None
        else "memballoon/stats/@period is missing or 0 (persistent XML)"
    )
    if domain.inactive is None:
        now = LiveSetting(domain.name, domain.uuid, "devices/memballoon/stats/@period")
        yield Seen(
            saw=saw,
            wants=(Want(now, str(view.value(PERIOD))),),
            safety=Safety.SAFE,
            note="a guest that exists only while it runs keeps it as long",
        )
        return
    yield Seen(
        saw=saw,
        wants=balloon_wants(domain, view, statistics=True, free_pages=worth_it(domain, view), mine=("statistics",)),
        safety=Safety.DISRUPTIVE if domain.running else Safety.SAFE,
        costs=restart_cost(domain),
        note=f"the running guest needs no restart for it with: {live}" if domain.running else None,
    )
