"""What the rules about Windows guests share: which guests they judge, and what can be given to them."""

from __future__ import annotations

from kvmnb.advise.cpu.pins import restart_cost, xml
from kvmnb.advise.finding import Sure
from kvmnb.advise.view import View
from kvmnb.facts.domain import Configuration, Domain
from kvmnb.facts.gap import Gap, NotSeen
from kvmnb.facts.hypervisor import Hypervisor
from kvmnb.tunable.tunable import Want

_X86 = ("x86_64", "i686")
DECIDED_BY_A_PERSON = "a guest that exists only while it runs keeps its features until it is made anew"


def judged(domain: Domain, view: View) -> bool:
    """Whether this is a Windows guest under KVM on x86."""
    wanted = domain.wanted
    return wanted.virt_type == "kvm" and wanted.arch in _X86 and view.windows(domain)


def how_sure(domain: Domain, view: View) -> Sure:
    """Certain where a person or libosinfo says Windows; likely where only an enlightenment hints at it."""
    return Sure.CERTAIN if view.intent.says_windows(domain) or domain.wanted.os_id else Sure.LIKELY


def why_windows(domain: Domain, view: View) -> str:
    """On what it rests that the guest runs Windows, for a finding's note."""
    if how_sure(domain, view) is Sure.LIKELY:
        return "its XML has Hyper-V enlightenments, so it is taken for Windows"
    return f"the guest runs Windows ({view.intent.says_windows(domain) or domain.wanted.os_id})"


def hypervisor_of(view: View) -> Hypervisor:
    """libvirt's facts; NotSeen where there is none, since versions decide what a guest may have."""
    found = view.host.hypervisor
    if found is None:
        raise NotSeen(Gap("host.hypervisor", "this source has no libvirt, so what guests may have is not known"))
    return found


def timer_of(wanted: Configuration, name: str) -> tuple[bool | None, str | None]:
    """Whether the guest has this timer, and its policy for lost ticks; None: not named."""
    timer = next((one for one in wanted.tuning.timers if one.name == name), None)
    return (None, None) if timer is None else (timer.present, timer.tickpolicy)


def timer_want(domain: Domain, name: str, attribute: str, value: str) -> tuple[Want, ...]:
    """A timer's setting; where the XML has no clock, also the offset that holds without one."""
    want = Want(xml(domain, f"clock/timer[{name}]/@{attribute}"), value)
    if domain.wanted.tuning.clock_offset is None:
        return Want(xml(domain, "clock/@offset"), "utc"), want
    return (want,)


def costs_of(domain: Domain) -> tuple[str, ...]:
    """What a change of what the guest is shown costs."""
    return (*restart_cost(domain), "each host that it migrates to has to offer the same")
