"""Hosts with a kernel that says something, and guests with XML that the common builders do not write."""

from __future__ import annotations

from typing import Any

from kvmnb.advise.intent import GuestIntent, Intent
from kvmnb.facts.domain import Domain
from kvmnb.facts.gap import changed
from kvmnb.facts.host import Host
from kvmnb.facts.kernel import Kernel, Owner, Parameter, Vulnerability
from kvmnb.probe.domain import domain_of_text
from tests.builders import a_fact, a_host, guest_xml, replace_live


def a_host_with(host: Host | None = None, **kernel: Any) -> Host:
    """A host whose kernel says this."""
    host = host or a_host()
    return changed(host, kernel=changed(a_fact(Kernel), **kernel))


def parameters(**values: str | None) -> tuple[Parameter, ...]:
    """Module parameters, as ``kvm__halt_poll_ns="0"``."""
    return tuple(
        a_fact(Parameter, module=name.partition("__")[0], name=name.partition("__")[2], value=value)
        for name, value in values.items()
    )


def vulnerabilities(**states: str) -> tuple[Vulnerability, ...]:
    """Vulnerabilities by name."""
    return tuple(a_fact(Vulnerability, name=name, state=state) for name, state in states.items())


def tuned(profile: str | None, running: bool | None = True, installed: bool = True) -> tuple[Owner, ...]:
    """TuneD alone."""
    return (a_fact(Owner, name="tuned", installed=installed, running=running, profile=profile),)


def xml_with(name: str, inside: str = "", **words: Any) -> str:
    """A domain XML with more elements before its devices."""
    return guest_xml(name, **words).replace("  <devices>", f"{inside}\n  <devices>", 1)


def a_domain_with(
    inside: str = "", name: str = "guest", *, live: str | None = None, running: bool = True, **words: Any
) -> Domain:
    """A domain with more elements; ``live`` tells those of the running one where they differ."""
    stored = domain_of_text(xml_with(name, inside, **words), "a guest")
    if not running:
        return stored
    runs = domain_of_text(xml_with(name, inside if live is None else live, **words), "a guest")
    return replace_live(stored, runs)


def saying(os: str, name: str = "guest") -> Intent:
    """An intent that names a guest's system."""
    return Intent(guest={name: GuestIntent(os=os)})
