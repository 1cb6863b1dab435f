"""The card of an opened machine: which host, seen through what, and how much of it."""

from __future__ import annotations

from typing import Protocol

from kvmnb.machine.machine import Machine
from kvmnb.probe.survey import Survey
from kvmnb.show import template, words
from kvmnb.show.cards import host as host_card
from kvmnb.show.cards.rows import Row, row

KINDS = {
    "live": "This is a live host: what you apply here is real. Looking changes nothing.",
    "demo": "This is the demo host, a recorded server in a copy that takes changes. No real guest is touched.",
    "scratch": "This is a copy of a recorded host that takes changes. No real guest is touched.",
    "recorded": "This is a recorded host: it can be looked at and planned for, not changed.",
    "root": "This is a bare tree of a host's files, without libvirt: it can be looked at, not changed.",
}


class Opened(Protocol):
    """What is needed of an opened machine; ``kvmnb.open()`` gives one."""

    machine: Machine
    note: str | None

    def facts(self) -> Survey:
        """The machine's facts."""
        ...


def html(here: Opened) -> str:
    """The card."""
    survey = here.facts()
    return template.page(
        "here",
        title=here.machine.title,
        note=here.note,
        kind=KINDS[here.machine.kind],
        rows=rows(survey),
        gaps=survey.gaps,
    )


def text(here: Opened) -> str:
    """The card as one line."""
    return f"{here.machine.title}: {guests(here.facts())}"


def survey_html(survey: Survey) -> str:
    """The card of bare facts."""
    return template.page("here", title="Facts", note=None, kind="", rows=rows(survey), gaps=survey.gaps)


def survey_text(survey: Survey) -> str:
    """The facts as one line."""
    return f"Facts: {host_card.text(survey.host)}; {guests(survey)}"


def rows(survey: Survey) -> list[Row]:
    """What the host is, and how many guests it has."""
    return [
        row("CPUs", lambda: host_card.cpus(survey.host), "sysfs"),
        row("Memory", lambda: host_card.nodes_in_words(survey.host), "sysfs"),
        row("Hypervisor", lambda: host_card.hypervisor(survey.host), "libvirt"),
        Row("Guests", guests(survey), "libvirt"),
    ]


def guests(survey: Survey) -> str:
    """How many guests there are, and how many run."""
    running = sum(domain.running for domain in survey.domains)
    return f"{words.plural(len(survey.domains), 'guest')}, {running} running" if survey.domains else "no guests"
