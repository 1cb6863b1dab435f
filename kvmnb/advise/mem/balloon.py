"""The balloon of a guest, and the one element that rules make where it has none."""

from __future__ import annotations

from collections.abc import Iterable

from kvmnb.advise.cpu.pins import xml
from kvmnb.advise.threshold import Threshold
from kvmnb.advise.view import View
from kvmnb.facts.domain import Configuration, Domain
from kvmnb.tunable.tunable import Want

PERIOD = Threshold(
    name="mem.balloon.stats.period",
    default=5,
    unit="seconds",
    least=1,
    most=3600,
    meaning="how often the guest reports: often enough to see pressure, rare enough to cost nothing",
)


def has_balloon(layer: Configuration) -> bool:
    """Whether the guest has, or gets from libvirt by default, a virtio balloon."""
    balloon = layer.devices.balloon
    return balloon is None or balloon.model.startswith("virtio")


def reports(layer: Configuration) -> bool:
    """Whether the guest reports its memory."""
    balloon = layer.devices.balloon
    return balloon is not None and bool(balloon.stats_period_seconds)


def balloon_wants(
    domain: Domain, view: View, *, statistics: bool, free_pages: bool, mine: Iterable[str]
) -> tuple[Want, ...]:
    """What a rule wants of the balloon: ``mine`` of the two parts.

    Where the XML has no balloon it is made in one piece, with all that any rule wants of it, so that two rules
    never want two different balloons.
    """
    period = view.value(PERIOD) if statistics else PERIOD.default
    if domain.wanted.devices.balloon is None:
        reporting = " freePageReporting='on'" if free_pages else ""
        inside = f"<stats period='{period}'/>" if statistics else ""
        element = f"<memballoon model='virtio'{reporting}>{inside}</memballoon>"
        return (Want(xml(domain, "devices/memballoon"), element),)
    parts = {
        "statistics": Want(xml(domain, "devices/memballoon/stats/@period"), str(period)),
        "free_pages": Want(xml(domain, "devices/memballoon/@freePageReporting"), "on"),
    }
    return tuple(parts[name] for name in mine)
