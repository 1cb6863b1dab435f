"""What is different between two machines, or one machine at two times: facts, guests and findings."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from kvmnb.advise.registry import Audit
from kvmnb.core import codec
from kvmnb.facts.domain import Domain
from kvmnb.probe.survey import Survey

Value = str | int | float | bool | None

# What tells one of several facts of a kind from the others; the first that all have, and no two alike.
_KEYS = (
    ("name",),
    ("id",),
    ("number",),
    ("key",),
    ("module", "name"),
    ("vcpu",),
    ("iothread",),
    ("cell",),
    ("cpu",),
    ("size_bytes",),
    ("level", "type"),
    ("resource",),
    ("mount_point",),
    ("device",),
    ("target",),
    ("path",),
    ("policy",),
    ("virt_type", "arch", "machine"),
    ("type", "index"),
    ("mac",),
    ("alias",),
)
# What differs from one moment to the next without anybody's doing.
_MOVING = re.compile(
    r"host\.kernel\.(?:boot_id|available_bytes|pressures\b.*|swaps\[.*\]\.used_bytes|ksm\.(?:pages_\w+|general_profit)"
    r"|sysctls\[(?:fs\.aio-nr|net\.netfilter\.nf_conntrack_count)\]\.value)"
    r"|host\.numa_nodes\[\d+\]\.(?:free_bytes|cache_bytes|hugepages\[.*\]\.free|counters\b.*)"
    r"|host\.nics\[.*\]\.(?:counters\b.*|ifindex)|host\.softnet\b.*|host\.conntrack\.count"
    r"|host\.(?:interrupts|nics|blocks)\[.*\]\.effective_affinity|host\.hypervisor\.uri|host\.mounts\[.*\]\.(?:id|parent)"
    r"|host\.cpu_system\.allowed"
)


@dataclass(frozen=True, slots=True)
class FactChange:
    """One fact that differs; None with ``seen`` False on a side where it is not there or could not be read."""

    fact: str
    before: Value
    after: Value
    seen_before: bool
    seen_after: bool


@dataclass(frozen=True, slots=True)
class FindingChange:
    """A finding that one side has and the other has not, or that is graver on one side."""

    id: str
    subject: str
    title: str
    severity_before: str | None
    severity_after: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """All that differs."""

    facts: tuple[FactChange, ...]
    """Of the host, and of guests that both have."""
    guests_added: tuple[str, ...]
    guests_removed: tuple[str, ...]
    guests_changed: tuple[str, ...]
    findings: tuple[FindingChange, ...]

    def __bool__(self) -> bool:
        return bool(self.facts or self.guests_added or self.guests_removed or self.findings)


def differences(before: Survey, after: Survey, audit_before: Audit, audit_after: Audit) -> Difference:
    """What differs from ``before`` to ``after``; guests are told apart by UUID, then by name."""
    pairs, added, removed = _pairs(before.domains, after.domains)
    facts = list(_compare(_flat("host", before.host), _flat("host", after.host)))
    changed = []
    for one, other in pairs:
        fact = f"domains[{other.name}]"
        found = list(_compare(_flat(fact, one), _flat(fact, other)))
        facts += found
        if found:
            changed.append(other.name)
    return Difference(
        facts=tuple(change for change in facts if not _MOVING.fullmatch(change.fact)),
        guests_added=tuple(added),
        guests_removed=tuple(removed),
        guests_changed=tuple(changed),
        findings=tuple(_findings(audit_before, audit_after)),
    )


def flatten(name: str, value: Any) -> Iterator[tuple[str, Value]]:
    """Every value below one, by a dotted name; what lies in a list is named by its own key.

    >>> list(flatten("host", {"cpus": [{"id": 4, "node": 1}], "isolated": ""}))
    [('host.cpus[4].id', 4), ('host.cpus[4].node', 1), ('host.isolated', '')]
    """
    if isinstance(value, Mapping):
        for key, below in value.items():
            yield from flatten(f"{name}.{key}" if key.isidentifier() else f"{name}[{key}]", below)
    elif isinstance(value, list | tuple):
        for key, below in _keyed(value):
            yield from flatten(f"{name}[{key}]", below)
    else:
        yield name, value


def _keyed(values: Iterable[Any]) -> Iterator[tuple[str, Any]]:
    listed = list(values)
    if listed and all(isinstance(one, Mapping) for one in listed):
        for keys in _KEYS:
            if all(all(isinstance(one.get(key), str | int) for key in keys) for one in listed):
                named = [" ".join(str(one[key]) for key in keys) for one in listed]
                if len(set(named)) == len(named):
                    yield from zip(named, listed, strict=True)
                    return
    elif listed and all(isinstance(one, str) for one in listed) and len(set(listed)) == len(listed):
        # A list of words is told apart by its words: what was added is named, not what moved.
        yield from ((one, True) for one in listed)
        return
    yield from ((str(position), one) for position, one in enumerate(listed))


def _flat(name: str, value: Any) -> dict[str, Value]:
    return dict(flatten(name, codec.to_builtins(value)))


def _compare(before: Mapping[str, Value], after: Mapping[str, Value]) -> Iterator[FactChange]:
    for fact in dict.fromkeys((*before, *after)):
        if fact not in before or fact not in after or before[fact] != after[fact]:
            yield FactChange(fact, before.get(fact), after.get(fact), fact in before, fact in after)


def _pairs(
    before: Iterable[Domain], after: Iterable[Domain]
) -> tuple[list[tuple[Domain, Domain]], list[str], list[str]]:
    left, pairs = list(before), []
    added = []
    listed = list(after)
    by_uuid = {domain.uuid: domain for domain in left}
    by_name = {domain.name: domain for domain in left}
    known = {domain.uuid for domain in listed}
    for domain in listed:
        other = by_uuid.get(domain.uuid)
        if other is None:
            other = by_name.get(domain.name)
            if other is not None and other.uuid in known:
                other = None
        if other is None:
            added.append(domain.name)
        else:
            pairs.append((other, domain))
    met = {id(one) for one, _ in pairs}
    return pairs, added, [domain.name for domain in left if id(domain) not in met]


def _findings(before: Audit, after: Audit) -> Iterator[FindingChange]:
    old = {(one.id, one.subject, one.title): one for one in before.findings}
    new = {(one.id, one.subject, one.title): one for one in after.findings}
    for key in dict.fromkeys((*old, *new)):
        was = old[key].severity.value if key in old else None
        now = new[key].severity.value if key in new else None
        if was != now:
            yield FindingChange(*key, was, now)
