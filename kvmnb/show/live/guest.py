"""The live chart of one guest of a machine."""

from __future__ import annotations

from kvmnb.core.errors import DomainGone, NotAnswered
from kvmnb.facts.domain import Domain
from kvmnb.facts.gap import NotSeen
from kvmnb.machine.machine import Machine
from kvmnb.measure.sources import sampler_of
from kvmnb.probe.domain import probe_domain
from kvmnb.show.live.chart import LiveChart
from kvmnb.show.live.trace import vcpu_traces


def live_chart(machine: Machine, domain: str | Domain, *, period: float | None = None, window: int = 300) -> LiveChart:
    """A chart of a guest's vCPU run time and run delay, beside how busy the host's CPUs are.

    ``period`` is in seconds (default: ``$KVMNB_TICK``, else 1); ``window`` is how many ticks stay on the chart.
    Where the machine has no series, the chart is a sentence that says why. DomainGone where no domain has the name.
    """
    known = _domain(machine, domain) if isinstance(domain, str) else domain
    try:
        sampler = sampler_of(machine)
        vcpus = sampler.source.vcpus(known.uuid)
        if vcpus is None:
            vcpus = tuple(range((known.live or known.wanted).vcpus_current))
        if not vcpus:
            raise NotAnswered(f"There are no series of guest {known.name}: {sampler.source.absent}.")
    except NotAnswered as problem:
        return LiveChart(known.name, known.uuid, (), None, gap=str(problem), window=window)
    except NotSeen as problem:
        gap = f"The vCPUs of guest {known.name} are not known, so there is nothing to draw: {problem}."
        return LiveChart(known.name, known.uuid, (), None, gap=gap, window=window)
    traces = vcpu_traces(known.uuid, vcpus)
    return LiveChart(known.name, known.uuid, traces, sampler, period=period, window=window)


def _domain(machine: Machine, name: str) -> Domain:
    """The facts of the domain of this name; DomainGone that lists the names where there is none."""
    records = machine.libvirt.domains()
    for record in records:
        if record.name == name:
            return probe_domain(machine.libvirt, record)
    known = ", ".join(repr(record.name) for record in records[:20]) or "none"
    raise DomainGone(f"no domain is named {name!r} on {machine.title}; the domains are {known}")
