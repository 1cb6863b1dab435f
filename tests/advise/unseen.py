"""Facts taken away one after the other: each finding that rested on one becomes "not checked", never silence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields
from typing import Any, cast

from kvmnb.advise.intent import Intent
from kvmnb.advise.registry import audit
from kvmnb.facts.domain import Domain
from kvmnb.facts.gap import Fact, Gap, changed
from kvmnb.facts.host import Host
from kvmnb.facts.load import Load
from kvmnb.tunable.spelling import percent_encode

Path = tuple[str | int, ...]
# Without these there is no domain to speak of.
KEPT = {("name",), ("uuid",), ("running",), ("persistent",)}


def findings_lost(
    host: Host, domains: Sequence[Domain], intent: Intent, only: Sequence[str], load: Load | None = None
) -> int:
    """How many findings of these rules went with some fact; AssertionError where one fell silent.

    A rule is asked anew only for the facts of the kinds that it read, since the others cannot change its answer.
    """
    before = audit(host, domains, intent, only=only, load=load).findings
    rules = sorted({one.id for one in before})
    read = {rule: kinds_read(host, domains, intent, rule, load) for rule in rules}
    lost = 0
    for kind, scene in _scenes(host, domains):
        asked = [rule for rule in rules if kind in read[rule]]
        if not asked:
            continue
        after = audit(*scene, intent, only=asked, load=load)
        still = {(one.id, one.subject) for one in after.findings}
        unchecked = {(one.id, one.subject) for one in after.not_checked}
        for finding in before:
            if finding.id in asked and (finding.id, finding.subject) not in still:
                subject = "host" if finding.domain is None else f"domain/{percent_encode(finding.domain)}"
                assert (finding.id, subject) in unchecked, f"{finding.id} of {finding.subject} fell silent: {kind}"
                lost += 1
    return lost


def _scenes(host: Host, domains: Sequence[Domain]) -> Iterator[tuple[tuple[type, str], tuple[Host, list[Domain]]]]:
    """Each fact's kind, and the host and domains without it."""
    for path in paths(host):
        yield kind_of(host, path), (cast(Host, without(host, path)), list(domains))
    for number, domain in enumerate(domains):
        for path in paths(domain):
            if path not in KEPT:
                scene = list(domains)
                scene[number] = cast(Domain, without(domain, path))
                yield kind_of(domain, path), (host, scene)


def kinds_read(
    host: Host, domains: Sequence[Domain], intent: Intent, rule: str, load: Load | None = None
) -> set[tuple[type, str]]:
    """The class and the field of every fact that a rule reads."""
    with _watched() as seen:
        audit(host, domains, intent, only=[rule], load=load)
    return seen


@contextmanager
def _watched() -> Iterator[set[tuple[type, str]]]:
    seen: set[tuple[type, str]] = set()
    gap_of = Fact.gap_of

    def read(self: Fact, name: str) -> Any:
        if not name.startswith("_"):
            seen.add((type(self), name))
        return object.__getattribute__(self, name)

    def asked(self: Fact, name: str) -> Gap | None:
        seen.add((type(self), name))
        return gap_of(self, name)

    Fact.__getattribute__, Fact.gap_of = read, asked  # type: ignore[method-assign,assignment]
    try:
        yield seen
    finally:
        del Fact.__getattribute__
        Fact.gap_of = gap_of  # type: ignore[method-assign]


def kind_of(fact: Fact, path: Path) -> tuple[type, str]:
    """The class and the field that a path leads to."""
    value: Any = fact
    for step in path[:-1]:
        value = value[step] if isinstance(step, int) else getattr(value, step)
    return type(value), str(path[-1])


def without(fact: Fact, path: Path) -> Fact:
    """The fact with a gap at a path of field names and positions."""
    name, *rest = path
    assert isinstance(name, str)
    if not rest:
        return changed(fact, **{name: Gap(name, "taken away")})
    value = getattr(fact, name)
    if isinstance(rest[0], int):
        members = list(value)
        members[rest[0]] = without(members[rest[0]], tuple(rest[1:]))
        return changed(fact, **{name: tuple(members)})
    return changed(fact, **{name: without(value, tuple(rest))})


def paths(fact: Fact) -> Iterator[Path]:
    """The path of every field of a fact and of the facts below it; of tuples the first member stands for all."""
    for one in fields(fact):  # type: ignore[arg-type]
        yield (one.name,)
        if fact.gap_of(one.name) is not None:
            continue
        value = getattr(fact, one.name)
        if isinstance(value, Fact):
            yield from ((one.name, *rest) for rest in paths(value))
        elif isinstance(value, tuple) and value and isinstance(value[0], Fact):
            yield from ((one.name, 0, *rest) for rest in paths(value[0]))
