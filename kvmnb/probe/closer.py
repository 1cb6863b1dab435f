"""A closer look at guests: what costs time to ask, and so is asked for apart from a survey.

An image costs two programs (some 20 ms); where a guest's memory lies, a walk over its page tables.
"""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from kvmnb.core import codec
from kvmnb.core.errors import KvmnbError
from kvmnb.facts.domain import Domain
from kvmnb.facts.gap import Gap, changed
from kvmnb.facts.image import DiskImage
from kvmnb.facts.running import ProcessMemory, Running
from kvmnb.machine.given import GivenDomains
from kvmnb.machine.machine import Machine
from kvmnb.probe.image import Images
from kvmnb.probe.reader import Reader
from kvmnb.probe.running import memory_of
from kvmnb.probe.survey import Survey
from kvmnb.probe.thin_pools import probe_thin_pools

# In a recording, beside the domain's XML.
MEMORY = "libvirt/domains/{uuid}/memory.json"


def with_images(survey: Survey, machine: Machine) -> Survey:
    """The survey with the image chain of each guest's disks, each image asked for once, and the thin pools' room."""
    commands, why = machine.commands, machine.files_gap or "programs are asked on this system alone"
    if isinstance(machine.hypervisor, GivenDomains):
        commands, why = None, "the guest was given as a file, so its images may be another host's"
    asked = Images(commands, why)
    host = changed(survey.host, thin_pools=probe_thin_pools(survey.host, machine.commands))
    domains = [changed(domain, images=_images(domain, asked)) for domain in survey.domains]
    return _with(replace(survey, host=host), domains)


def with_memory(survey: Survey, machine: Machine) -> Survey:
    """The survey with where the memory of each running guest lies."""
    return _with(survey, [_placed(domain, machine) for domain in survey.domains])


def _with(survey: Survey, domains: list[Domain]) -> Survey:
    # Guests share images, and with them their gaps.
    gaps = dict.fromkeys([*survey.gaps, *survey.host.gaps(), *(gap for domain in domains for gap in domain.gaps())])
    return replace(survey, domains=tuple(domains), gaps=tuple(gaps))


def _images(domain: Domain, asked: Images) -> tuple[DiskImage, ...]:
    configuration = "inactive" if domain.gap_of("inactive") is not None or domain.inactive is not None else "live"
    unseen = domain.gap_of(configuration)
    return () if unseen is not None else asked.of_disks(domain.wanted.devices.disks)


def _placed(domain: Domain, machine: Machine) -> Domain:
    if not domain.running:
        return domain
    return changed(domain, memory=_memory(domain, machine))


def _memory(domain: Domain, machine: Machine) -> ProcessMemory:
    fact = f"domains[{domain.name}].memory"
    if machine.files is None:
        return cast(ProcessMemory, Gap(fact, machine.files_gap or "the host's files are not readable"))
    if machine.kind != "live":
        return _recorded(domain, machine, fact)
    if machine.commands is None:
        return cast(ProcessMemory, Gap(fact, "page tables are not walked over a network"))
    unseen = domain.gap_of("running_state")
    if unseen is not None:
        return cast(ProcessMemory, Gap(fact, unseen.reason))
    return memory_of(Reader(machine.files), cast(Running, domain.running_state).pid, fact)


def _recorded(domain: Domain, machine: Machine, fact: str) -> ProcessMemory:
    path = MEMORY.format(uuid=domain.uuid)
    try:
        return codec.from_json(machine.tree.read(path), ProcessMemory, f"/{path}")
    except FileNotFoundError:
        return cast(ProcessMemory, Gap(fact, "not recorded"))
    except (OSError, ValueError, KvmnbError) as problem:
        return cast(ProcessMemory, Gap(fact, f"/{path}: {problem}"))
