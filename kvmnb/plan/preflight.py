"""All that is asked before a plan is applied; nothing is written.

What is promised as "would start" is what these checks asked and no more; ``docs/preflight.md`` lists them.
"""

from __future__ import annotations

import time
from dataclasses import replace

from kvmnb.core.errors import Refused
from kvmnb.machine.judge import SCHEMA_FOLDER, schema_problem
from kvmnb.machine.machine import Machine
from kvmnb.plan.check import OVERRIDABLE, Check, Outcome, gravest_first
from kvmnb.plan.command_line import SECONDS, command_line
from kvmnb.plan.definition import definition
from kvmnb.plan.edited import EditedDomain, edited_domains
from kvmnb.plan.images import images
from kvmnb.plan.plan import Plan
from kvmnb.plan.room import room
from kvmnb.plan.standing import standing
from kvmnb.probe.survey import Survey

# A plan for many guests must not wait for a daemon that hangs at each of them.
ALL_SECONDS = 20.0


def checked(plan: Plan, machine: Machine, survey: Survey) -> Plan:
    """The plan with what its preflight came to, and with the difference in QEMU's command lines."""
    edited = list(edited_domains(plan, machine, survey.domains))
    found: list[Check] = list(room(plan, machine, survey.host, edited))
    lines: dict[str, str] = {}
    left = ALL_SECONDS
    for one in edited:
        found.extend(standing(one))
        found.append(_schema(one))
        found.append(definition(one))
        found.extend(images(one, machine, survey.domains))
        began = time.monotonic()
        told = command_line(one, machine, min(SECONDS, left))
        left -= time.monotonic() - began
        found.append(told.check)
        if told.diff is not None:
            lines[one.domain.name] = told.diff
    return replace(plan, checks=gravest_first(found), command_lines=lines)


def refuse_stopped(plan: Plan, *, override_owner: bool = False) -> None:
    """Raise Refused with the first reason for which a checked plan may not be applied."""
    for check in plan.checks:
        if check.outcome is Outcome.STOPS and not (override_owner and check.question in OVERRIDABLE):
            who = "" if check.subject == "host" else f"domain {check.subject!r}: "
            raise Refused(f"the plan is not applied; {who}{check.said.rstrip('.')} (nothing was changed)")


def _schema(edited: EditedDomain) -> Check:
    """The schema that is installed with the connected libvirt; a remote one is asked by its daemon's define."""
    name = edited.domain.name
    if not (SCHEMA_FOLDER / "domain.rng").is_file():
        return Check("schema", name, Outcome.UNKNOWN, "No libvirt schema is here; the define asks the daemon.")
    problem = schema_problem(edited.after_xml)
    if problem is None:
        return Check("schema", name, Outcome.PASSED, "The edited XML is valid by libvirt's installed schema.")
    if schema_problem(edited.before_xml) is not None:
        said = f"The schema refuses the edited XML, as it does the present one already: {problem}."
        return Check("schema", name, Outcome.TOLD, said)
    return Check("schema", name, Outcome.STOPS, f"libvirt's schema refuses the edited XML: {problem}.")
