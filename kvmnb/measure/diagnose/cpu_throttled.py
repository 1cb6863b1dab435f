"""The guest's own quota holds it back.

What is seen
    ``kvm_guest_throttled_periods_total`` against ``kvm_guest_quota_periods_total``. A guest without a quota has
    neither.

What it means
    The limit that was set is reached. Inside the guest it reads as steal, although the host may be idle.

What answers it
    ``cpu.quota``: raise or remove the limit if it is not meant.

What would refute it
    The limit is a price that was agreed on: then this is how it works.

Sources
    * Linux, Documentation/admin-guide/cgroup-v2.rst: cpu.stat
"""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.advise.finding import Severity
from kvmnb.measure.diagnose.pattern import Pattern, Sign, threshold
from kvmnb.measure.diagnose.signals import Signals
from kvmnb.measure.metrics.quota import GUEST_QUOTA_PERIODS, GUEST_THROTTLED, GUEST_THROTTLED_PERIODS
from kvmnb.measure.metrics.vcpu import VCPU_RUN

SHARE = threshold(
    "diag.cpu.throttled.share", 0.01, "of the periods", "the share of periods in which the quota was used up", most=1.0
)

PATTERN = Pattern("diag.cpu.throttled", Severity.MEDIUM, ("cpu.quota",))


@PATTERN.guest
def check(signals: Signals, guest: str) -> Iterator[Sign]:
    """The sign in one guest."""
    signals.parts(VCPU_RUN, guest)
    if not signals.some(GUEST_QUOTA_PERIODS, guest):
        return
    used_up, held = signals.parts(GUEST_THROTTLED_PERIODS, guest), signals.parts(GUEST_THROTTLED, guest)
    for group, periods in signals.parts(GUEST_QUOTA_PERIODS, guest).items():
        if periods.mean > 0 and used_up[group].mean / periods.mean > SHARE.default:
            yield Sign(
                saw=f"{used_up[group].mean / periods.mean:.0%} of the quota's periods of {group} were used up "
                f"({SHARE.default:.0%}), and {held[group].mean:.2f} s/s were held back",
                part=f"quota/{group}",
                culprits=("its own quota",),
            )
