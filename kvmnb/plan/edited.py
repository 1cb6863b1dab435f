"""A plan's domains as they would be: their edited XML, read as facts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from kvmnb.facts.domain import Configuration, Domain
from kvmnb.machine.machine import Machine
from kvmnb.plan.build import edited_texts
from kvmnb.plan.plan import Plan
from kvmnb.probe.domain import domain_of_text


@dataclass(frozen=True, slots=True)
class EditedDomain:
    """One domain whose persistent XML a plan changes."""

    domain: Domain
    before_xml: str
    """Secrets included: not for showing."""
    after_xml: str
    before: Configuration
    after: Configuration


def edited_domains(plan: Plan, machine: Machine, domains: tuple[Domain, ...]) -> Iterator[EditedDomain]:
    """Each domain that the plan would define anew, in the plan's order."""
    known = {domain.name: domain for domain in domains}
    for name, (before, after) in edited_texts(plan, machine).items():
        yield EditedDomain(
            domain=known[name],
            before_xml=before,
            after_xml=after,
            before=domain_of_text(before, name).wanted,
            after=domain_of_text(after, name).wanted,
        )
