"""The middle part of a tunable's text: a domain's name, or ``host``."""

from __future__ import annotations

from collections.abc import Mapping

from kvmnb.core.errors import Refused
from kvmnb.tunable.spelling import percent_decode

HOST = "host"


def domain_of(target: str, domains: Mapping[str, str]) -> tuple[str, str]:
    """The name and the UUID of the domain that an encoded target names; Refused where it is not among them."""
    name = percent_decode(target)
    if name not in domains:
        raise Refused(f"the domain {name[:80]!r} is named without its UUID")
    return name, domains[name]


def only_host(target: str, kind: str) -> None:
    """Raise Refused where a host setting is said to be of something else."""
    if target != HOST:
        raise Refused(f"a tunable of the kind {kind} is of the target {HOST!r}, not of {target[:80]!r}")
