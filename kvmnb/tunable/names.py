"""A tunable from its text, the inverse of ``str``."""

from __future__ import annotations

from collections.abc import Mapping

from kvmnb.core.errors import KvmnbError, Refused
from kvmnb.tunable.domain_live import DomainLive
from kvmnb.tunable.domain_xml import DomainXml
from kvmnb.tunable.spelling import percent_decode
from kvmnb.tunable.sysctl import Sysctl
from kvmnb.tunable.sysfs import Sysfs
from kvmnb.tunable.tunable import Tunable

MAX_CHARACTERS = 2000


def parse(text: str, domains: Mapping[str, str]) -> Tunable:
    """The tunable that ``kind:target:path`` names; ``domains`` tells the UUID of each domain's name.

    Raises Refused where the text is not exactly as ``str`` spells it.
    """
    kind, _, rest = text.partition(":")
    target, _, path = rest.partition(":")
    if len(text) > MAX_CHARACTERS or not path:
        raise Refused(f"{text[:120]!r} is not a tunable; the form is kind:target:path")
    found: Tunable
    try:
        if kind == Sysfs.kind and target == "host":
            found = Sysfs(path)
        elif kind == Sysctl.kind and target == "host":
            found = Sysctl(path)
        elif kind in (DomainXml.kind, DomainLive.kind):
            name = percent_decode(target)
            uuid = domains.get(name)
            if uuid is None:
                raise Refused(f"{text[:120]!r} names a domain whose UUID the plan does not hold")
            found = DomainXml(name, uuid, path) if kind == DomainXml.kind else DomainLive.parse(name, uuid, path)
        else:
            raise Refused(f"{text[:120]!r} is of no kind that kvmnb turns")
    except Refused:
        raise
    except KvmnbError as problem:
        raise Refused(f"{text[:120]!r} is not a tunable: {problem}") from problem
    if str(found) != text:
        raise Refused(f"{text[:120]!r} is not spelled as kvmnb spells it ({str(found)!r})")
    return found
