"""Live charts of one machine: of its guests, and of the host itself."""

from __future__ import annotations

from kvmnb.core.errors import DomainGone, KvmnbError, NotAnswered
from kvmnb.facts.domain import Domain
from kvmnb.facts.gap import NotSeen
from kvmnb.machine.machine import Machine
from kvmnb.measure.live import AwaySource
from kvmnb.measure.replay import Replay
from kvmnb.measure.sampler import Sampler
from kvmnb.measure.sources import sampler_of
from kvmnb.probe.domain import probe_domain
from kvmnb.show.colours import colours
from kvmnb.show.live.chart import LiveChart
from kvmnb.show.live.question import Question
from kvmnb.show.live.questions import CPU, DISK, NETWORK, question
from kvmnb.show.live.trace import Part, grouped, parts_of, traces_of

THE_HOST = "the host"
ALL_GUESTS = "all guests"


def live_chart(
    machine: Machine,
    domain: str | Domain | None,
    what: str = CPU.what,
    *,
    period: float | None = None,
    window: int = 300,
    place: str | None = None,
) -> LiveChart:
    """A chart that answers one question of ``kvmnb.show.live.questions`` about a guest, or about the host.

    ``period`` is in seconds (default: ``$KVMNB_TICK``, else 1); ``window`` is how many ticks stay on the chart.
    Where the machine has no such series, the chart is a sentence that says why. DomainGone where no domain has the
    name, KvmnbError where the question is unknown or is not asked of a guest.
    """
    asked = question(what)
    if (asked.of == "guest") != (domain is not None):
        whom = "a guest; name one" if asked.of == "guest" else "no single guest; leave the guest out"
        raise KvmnbError(f"the live chart {what!r} is of {whom}")
    known = _domain(machine, domain) if isinstance(domain, str) else domain
    names = {record.uuid: record.name for record in machine.libvirt.domains()} if machine.hypervisor else {}
    name = known.name if known is not None else THE_HOST if asked.of == "host" else ALL_GUESTS
    guest = known.uuid if known is not None else ""
    try:
        sampler = sampler_of(machine)
        parts = _parts(sampler, asked, known)
    except NotAnswered as problem:
        return LiveChart(name, asked, guest, None, gap=str(problem), window=window, place=place)
    except NotSeen as problem:
        gap = f"The vCPUs of guest {name} are not known, so there is nothing to draw: {problem}."
        return LiveChart(name, asked, guest, None, gap=gap, window=window, place=place)
    return LiveChart(
        name,
        asked,
        guest,
        sampler,
        parts=parts,
        names=names if asked.of == "guests" else None,
        colour=colours(names.values()).get(name) if known is not None else None,
        period=period,
        window=window,
        place=place,
    )


def _parts(sampler: Sampler, asked: Question, domain: Domain | None) -> set[Part]:
    """What is known of the parts before the first tick; NotAnswered where the source can have none."""
    source = sampler.source
    guest = domain.uuid if domain is not None else ""
    if isinstance(source, AwaySource) and asked.of == "host":
        raise NotAnswered(
            "There are no series of the host: of another host libvirt tells its guests alone. Run kvmnb on it."
        )
    if isinstance(source, Replay):
        return _recorded(source, asked, domain)
    if domain is not None:
        _check_devices(asked, domain)
    if domain is None or asked is not CPU:
        return set()
    vcpus = source.vcpus(guest)
    found: set[Part] = set(range((domain.live or domain.wanted).vcpus_current) if vcpus is None else vcpus)
    return found


def _check_devices(asked: Question, domain: Domain) -> None:
    """NotAnswered where a question is of devices of which the running guest has none."""
    if domain.live is None:
        return
    for which, devices, word in (
        (DISK, domain.live.devices.disks, "disk"),
        (NETWORK, domain.live.devices.interfaces, "interface"),
    ):
        if asked is which and not devices:
            raise NotAnswered(f"Guest {domain.name} has no {word}, so there is nothing to draw (devices/{word}).")


def _recorded(source: Replay, asked: Question, domain: Domain | None) -> set[Part]:
    """The parts that a recording holds; NotAnswered where it holds nothing that is asked."""
    guest = domain.uuid if domain is not None else ""
    found: set[Part] = set()
    metrics: set[str] = set()
    anything = False
    for values in source.recorded():
        found |= parts_of(asked, guest, grouped(values))
        metrics |= {series.metric for series in values if series.guest == guest or asked.of == "guests"}
        anything = anything or any(series.guest == guest for series in values)
    drawn = {trace.metric for trace in traces_of(asked, guest, found) if bool(trace.guest) == (asked.of != "host")}
    if not drawn & metrics:
        whom = f"guest {domain.name}" if domain is not None else "the host" if asked.of == "host" else "the guests"
        unknown = domain is not None and not anything
        why = source.absent if unknown else f"the recording holds nothing of what {asked.what!r} is drawn from"
        raise NotAnswered(f"There are no series of {whom}: {why}.")
    return found


def domain_of(machine: Machine, uuid: str) -> Domain | None:
    """The facts of the domain with this UUID; None where there is none any more."""
    records = machine.libvirt.domains()
    return next((probe_domain(machine.libvirt, record) for record in records if record.uuid == uuid), None)


def _domain(machine: Machine, name: str) -> Domain:
    """The facts of the domain of this name; DomainGone that lists the names where there is none."""
    records = machine.libvirt.domains()
    for record in records:
        if record.name == name:
            return probe_domain(machine.libvirt, record)
    known = ", ".join(repr(record.name) for record in records[:20]) or "none"
    raise DomainGone(f"no domain is named {name!r} on {machine.title}; the domains are {known}")
