"""What journals say was done, without what it tells of somebody."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from kvmnb.apply.journal import Journal
from kvmnb.core.errors import KvmnbError
from kvmnb.share.redact import place_of
from kvmnb.share.scrub import Scrub
from kvmnb.share.scrub_xml import scrub_xml
from kvmnb.share.vocabulary import all_known
from kvmnb.show.cards.journal import Written, written
from kvmnb.tunable.spelling import percent_decode, percent_encode

_KEY = re.compile(r"\[([^\]]*)\]")


@dataclass(frozen=True, slots=True)
class Deeds:
    """One journal: what was written under it, and what of that stands."""

    id: str
    at: str
    state: str
    on: str
    standing: int
    rows: tuple[Written, ...]


def deeds(journals: Iterable[Journal], scrub: Scrub) -> tuple[Deeds, ...]:
    """The journals for a reader elsewhere, the newest first as they come."""
    return tuple(_deeds(journal, scrub) for journal in journals)


def _deeds(journal: Journal, scrub: Scrub) -> Deeds:
    guests = ", ".join(scrub.made.name(name, "domain/name") for name in journal.opening.domains)
    return Deeds(
        id=journal.id,
        at=journal.records[0].at,
        state=journal.state,
        on=guests or "the host",
        standing=sum(len(one.values) for one in journal.standing()),
        rows=tuple(
            Written(
                row.step, _tunable(row.tunable, scrub), _value(row.before, scrub), _value(row.after, scrub), row.state
            )
            for row in written(journal)
        ),
    )


def _tunable(text: str, scrub: Scrub) -> str:
    """A tunable's text with stand-ins for the guest and for each key that is a name."""
    kind, _, rest = text.partition(":")
    target, _, path = rest.partition(":")
    if target == "host" and kind == "sysfs":
        return f"{kind}:{target}:{place_of(scrub, f'sys/{path}').removeprefix('sys/')}"
    path = _KEY.sub(lambda match: f"[{_key(match[1], scrub)}]", path)
    if target == "host":
        return f"{kind}:{target}:{'.'.join(_word(one, scrub) for one in path.split('.'))}"
    return f"{kind}:{_key(target, scrub, 'domain/name')}:{path}"


def _key(text: str, scrub: Scrub, field: str = "journal/key") -> str:
    """A percent-encoded name, or the path of a mount point."""
    try:
        plain = percent_decode(text)
    except KvmnbError:
        plain = text
    if plain.isdecimal():
        return plain
    if field == "domain/name":
        return percent_encode(scrub.made.name(plain, field))
    if plain.startswith("/"):
        return percent_encode(scrub.path(plain, field))
    return percent_encode(scrub.name(plain, field) if ":" not in plain else scrub.shaped(plain, field))


def _word(text: str, scrub: Scrub) -> str:
    return text if all_known(text) else scrub.plain(text, "journal/path")


def _value(value: str | None, scrub: Scrub) -> str | None:
    if value is None:
        return None
    if value.lstrip().startswith("<"):
        try:
            return scrub_xml(value, scrub).strip()
        except KvmnbError:
            scrub.made.drop(value, "journal/value")
            return "left out"
    return scrub.kept(value, "journal/value")
