"""The card of the system in a guest: what its agent told, and what was not asked."""

from __future__ import annotations

from kvmnb.facts.gap import Gap
from kvmnb.facts.running import GuestSystem
from kvmnb.probe.inside import Inside
from kvmnb.show import template

UNASKED = (
    "Not asked: that needs a program in the guest. Run these inside it yourself; or here.run_inside(NAME) has its "
    "agent run them as the guest's administrator, and libvirt counts the guest as tainted until it is stopped."
)
TAINTED = (
    "You had its agent run these in the guest; libvirt counts it as tainted (custom-ga-command) until it is stopped."
)
_INTERFACES_LISTED = 8


def html(inside: Inside) -> str:
    """The card."""
    return template.page("inside", inside=inside, told=told(inside.system), unasked=UNASKED, tainted=TAINTED)


def text(inside: Inside) -> str:
    """The card as lines."""
    asked = "; ".join(f"{label}: {value}" for label, value in told(inside.system))
    lines = [f"Inside {inside.domain}: {asked}"]
    if inside.ran:
        lines += [TAINTED, *(f"  {one.what}: {one.text.strip()}" for one in inside.ran)]
    if inside.problem:
        lines.append(f"Not run: {inside.problem}")
    if inside.not_asked:
        lines += [UNASKED, *(f"  {one.what}: {one.command}" for one in inside.not_asked)]
    return "\n".join(lines)


def told(system: GuestSystem | Gap) -> list[tuple[str, str]]:
    """What the agent told, by label; why it told nothing."""
    if isinstance(system, Gap):
        return [("not known", system.reason)]
    names = None if system.interfaces is None else list(system.interfaces)
    listed = None if names is None else ", ".join(names[:_INTERFACES_LISTED]) or "none"
    more = "" if names is None or len(names) <= _INTERFACES_LISTED else f", … ({len(names)} in all)"
    rows = (
        ("system", system.os_name or system.os_id),
        ("kernel", system.kernel),
        ("file systems mounted", None if system.filesystems is None else str(system.filesystems)),
        ("interfaces", None if listed is None else listed + more),
        ("vCPUs in use", None if system.vcpus_online is None else str(system.vcpus_online)),
    )
    return [(label, "its agent does not tell" if value is None else value) for label, value in rows]
