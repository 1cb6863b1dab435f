"""The rates over a window for rules: what they say with one, and without."""

from __future__ import annotations

from kvmnb.advise.threshold import Threshold
from kvmnb.advise.view import View
from kvmnb.facts.domain import Domain
from kvmnb.facts.gap import Gap, NotSeen
from kvmnb.facts.load import CpuLoad, DiskLoad, GuestLoad, Load, NicLoad

NOT_MEASURED = "load not measured"


def no_window(what: str) -> NotSeen:
    """To be raised where only a rate could tell: the subject is then not checked. ``what`` names the rate."""
    return NotSeen(Gap(what, "no window: rates are not measured"))


def rates(view: View, what: str) -> Load:
    """The rates, for a rule that can judge by them alone; NotSeen without a window."""
    if view.load is None:
        raise no_window(what)
    return view.load


def nic_rates(view: View, name: str | None, what: str) -> NicLoad:
    """The rates of an interface of the host; NotSeen without a window, and where that does not show it."""
    found = rates(view, what).nic(name)
    if found is None:
        raise NotSeen(Gap(what, f"the window does not show the interface {name or 'without a name'}"))
    return found


def guest_rates(view: View, domain: Domain, what: str) -> GuestLoad:
    """The rates of a running guest; NotSeen without a window, and where that does not show it."""
    found = rates(view, what).guest(domain.uuid)
    if found is None:
        raise NotSeen(Gap(what, f"the window does not show the guest {domain.name}"))
    return found


def disk_rates(view: View, domain: Domain, target: str, what: str) -> DiskLoad:
    """The rates of a running guest's disk; NotSeen without a window, and where that does not show it."""
    for disk in guest_rates(view, domain, what).disks:
        if disk.target == target:
            return disk
    raise NotSeen(Gap(what, f"the window does not show the disk {target}"))


def seen_guest(view: View, domain: Domain) -> GuestLoad | None:
    """The rates of a guest, for a rule that speaks without them too; None where they are not seen."""
    return view.load.guest(domain.uuid) if view.load is not None else None


def seen_cpu(view: View, number: int) -> CpuLoad | None:
    """The rates of a host CPU, for a rule that speaks without them too; None where they are not seen."""
    if view.load is None or view.load.gap_of("cpus") is not None:
        return None
    return view.load.cpu(number)


def seen_disk(view: View, domain: Domain, target: str) -> DiskLoad | None:
    """The rates of a disk, for a rule that speaks without them too; None where they are not seen."""
    guest = seen_guest(view, domain)
    if guest is None or guest.gap_of("disks") is not None:
        return None
    return next((one for one in guest.disks if one.target == target), None)


def mean_delay(guest: GuestLoad | None) -> float | None:
    """The share of the time in which a guest's vCPUs waited for a CPU, over all of them; None where it is not seen."""
    if guest is None or not guest.vcpus:
        return None
    return sum(one.delay_ratio for one in guest.vcpus) / len(guest.vcpus)


def over(view: View) -> str:
    """The window in words."""
    return f"over {view.load.seconds:.0f} s" if view.load is not None else NOT_MEASURED


def brief(view: View, enough: Threshold[int]) -> str | None:
    """A warning where the window is shorter than what tells a lasting load from a burst; None where it is not."""
    if view.load is None or view.load.seconds >= (seconds := view.value(enough)):
        return None
    return f"{view.load.seconds:.0f} s were measured, which may be a burst: {seconds} s or more tell"


def joined(*notes: str | None) -> str:
    """The notes that there are, as one."""
    return "; ".join(note for note in notes if note)
