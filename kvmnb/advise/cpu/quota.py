"""A quota holds the guest's CPU time back.

What is seen
    ``cputune`` has a quota above 0: of each vCPU, of the emulator, of each iothread, or of the whole guest. The
    configuration shows that a limit exists, which is information and no fault. Over a window it is seen whether the
    guest runs into it: more than 1 per cent of the periods cut short (``nr_throttled``) is grave.

Why it hurts
    A guest that has used its quota stands still until the period ends, while CPUs of the host are idle. From inside
    it looks like steal time, and people look for neighbours that are not there.

What to do
    Where nobody sells or enforces the limit: raise it, set it to -1, or make the period longer. For fairness between
    guests use ``shares``, which cost nothing while CPUs are idle.

Leave it when
    The limit is part of a contract, or keeps one tenant from starving the others.

Cost
    Works at once. Without the limit the guest may take all the time of its CPUs. Durability: none. Migration: none.
    Security: a tenant's cap is gone.

Look by hand
    ``virsh schedinfo GUEST``;
    ``grep throttled /sys/fs/cgroup/machine.slice/machine-qemu*GUEST.scope/libvirt/*/cpu.stat``.

Measure it
    How often ``nr_throttled`` grows beside ``nr_periods`` in ``cpu.stat`` over a minute: more than 1 % hurts.

Sources
    * libvirt, Domain XML format, CPU Tuning (period, quota, shares)
    * Linux documentation, Control Group v2
    * One per cent is heuristic
"""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.advise.cpu.pins import layers, told
from kvmnb.advise.finding import Effect, Safety, Seen, Severity, Sure
from kvmnb.advise.intent import Goal
from kvmnb.advise.load import NOT_MEASURED, brief, joined, over, seen_guest
from kvmnb.advise.rule import Rule, SeenBy
from kvmnb.advise.threshold import Threshold
from kvmnb.advise.view import View
from kvmnb.facts.domain import Domain
from kvmnb.facts.tuning import CpuTune
from kvmnb.tunable.spelling import shell_word

RULE = Rule(
    id="cpu.quota",
    severity=Severity.HIGH,
    goals=(Goal.LATENCY, Goal.THROUGHPUT, Goal.BALANCED),
    basis="documented",
    effect=Effect.LARGE,
    seen_by=SeenBy.SURER,
    effect_basis="heuristic: it gives back the CPU time that is withheld",
)

CUT_SHORT = Threshold(
    name="cpu.quota.cut_short",
    default=1.0,
    unit="%",
    least=0.0,
    most=100.0,
    meaning="with more of its periods cut short a guest is held back",
)
LONG = Threshold(
    name="cpu.quota.window",
    default=60,
    unit="s",
    least=1,
    most=3600,
    meaning="a shorter window may show a burst",
)

# libvirt, CPU Tuning: the period that holds where the XML names none, in microseconds.
USUAL_PERIOD = 100_000


@RULE.domain
def check(domain: Domain, view: View) -> Iterator[Seen]:
    """One finding for all quotas of a guest."""
    found = [
        (layer, f"{name} {quota} µs of every {period} µs")
        for layer, config in layers(domain)
        for name, quota, period in _quotas(config.tuning.cputune)
    ]
    if not found:
        return
    names = sorted({sentence.split()[0] for _, sentence in found})
    when = "--config --live" if domain.running else "--config"
    severity, sure, note = _held_back(domain, view)
    yield Seen(
        saw="; ".join(told(found)),
        severity=severity,
        sure=sure,
        safety=Safety.MANUAL,
        by_hand=tuple(
            f"virsh schedinfo {shell_word(domain.name)} {when} --set {_parameter(name)}=-1  # if nobody needs it"
            for name in names
        ),
        note=note,
    )


def _held_back(domain: Domain, view: View) -> tuple[Severity | None, Sure, str]:
    """How grave and how sure it is, by how often the quota ended before its period."""
    load = seen_guest(view, domain)
    if load is None or load.throttled_ratio is None:
        return Severity.INFO, Sure.LIKELY, f"{NOT_MEASURED}: whether the guest runs into its quota was not seen"
    note = joined(f"the quota cut {load.throttled_ratio:.1%} of its periods short {over(view)}", brief(view, LONG))
    grave = load.throttled_ratio * 100 > view.value(CUT_SHORT)
    return None if grave else Severity.INFO, Sure.CERTAIN, note


def _quotas(tune: CpuTune) -> Iterator[tuple[str, int, int]]:
    """The name, the time and the period of each quota that limits."""
    for name, quota, period in (
        ("quota", tune.quota, tune.period),
        ("global_quota", tune.global_quota, tune.global_period),
        ("emulator_quota", tune.emulator_quota, tune.emulator_period),
        ("iothread_quota", tune.iothread_quota, tune.iothread_period),
    ):
        if quota is not None and quota > 0:
            yield name, quota, period or USUAL_PERIOD


def _parameter(name: str) -> str:
    """virsh's word for a quota of the XML."""
    return "vcpu_quota" if name == "quota" else name
