"""What may be asked of kvmnb-root: one JSON document, read strictly, its texts plain and short.

Nothing of it is a path to open, a text to write or a word to run: a setting is named by a tunable,
which has its own allow-list, and its value has to pass that tunable's check.
"""

from __future__ import annotations

import re
from typing import Annotated, TypeAlias

import msgspec

from kvmnb.apply.guard import LONGEST_SECONDS, SHORTEST_SECONDS
from kvmnb.core import codec
from kvmnb.core.errors import KvmnbError, Refused
from kvmnb.plan.plan import is_id
from kvmnb.tunable import names
from kvmnb.tunable.target import HOST
from kvmnb.tunable.tunable import Tunable

SCHEMA = "kvmnb.root/1"
# A plan of 300 changes with the longest names is about 100 KiB.
MAX_BYTES = 256 * 1024
MAX_CHANGES = 500
MAX_GUESTS = 500
MAX_VALUE = 512

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_PLAIN = re.compile(r"[ -~]*")

Seconds = Annotated[int, msgspec.Meta(ge=SHORTEST_SECONDS, le=LONGEST_SECONDS)]


class Asked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One host setting and the value that it should have; ``before`` is what the reader of the plan saw.

    ``before`` is compared with the present value and never written: what an undo writes is what
    kvmnb-root read by itself.
    """

    tunable: str
    before: str | None
    after: str | None


class Apply(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, tag_field="verb", tag="apply"):
    """Write these settings, all or none; with ``confirm_within`` they are taken back unless confirmed in time."""

    schema: str
    id: str
    changes: tuple[Asked, ...]
    confirm_within: Seconds | None = None


class Verify(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, tag_field="verb", tag="verify"
):
    """Tell whether these settings hold, and where the memory of these running guests (UUIDs) lies."""

    schema: str
    changes: tuple[Asked, ...] = ()
    guests: tuple[str, ...] = ()


class Undo(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, tag_field="verb", tag="undo"):
    """Take back what stands of a plan's host settings, or these tunables of it alone."""

    schema: str
    id: str
    only: tuple[str, ...] = ()
    take_drifted: bool = False


class Confirm(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="verb", tag="confirm"):
    """Keep a plan's host settings that a guard would take back, and write their lasting forms."""

    schema: str
    id: str


class Resume(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="verb", tag="resume"):
    """Settle a plan that a stopped process left half-way."""

    schema: str
    id: str


Request: TypeAlias = Apply | Verify | Undo | Confirm | Resume


def parse(raw: bytes) -> Request:
    """The request in these bytes; Refused where they are anything else."""
    if len(raw) > MAX_BYTES:
        raise Refused(f"the request is larger than {MAX_BYTES // 1024} KiB and was not read")
    try:
        text = raw.decode("utf-8", errors="strict")
    except UnicodeDecodeError as problem:
        raise Refused(f"the request is not UTF-8 (byte {problem.start})") from None
    # JSON's own guess of an encoding is not wanted here: UTF-8 without a mark, and nothing else.
    if text.startswith("\ufeff") or "\0" in text:
        raise Refused("the request is not plain UTF-8: it begins with a byte order mark or holds a NUL")
    try:
        request: Request = codec.from_json(text, Request, "the request")  # type: ignore[arg-type]
    except KvmnbError as problem:
        raise Refused(str(problem)) from None
    _check(request)
    return request


def settings(changes: tuple[Asked, ...]) -> tuple[Tunable, ...]:
    """The tunables that a request names: host settings alone, each once, with values that they may take."""
    found: dict[str, Tunable] = {}
    for one in changes:
        # No domain is known here, so that no tunable of a guest can be named.
        tunable = names.parse(one.tunable, {})
        if tunable.target != HOST:
            raise Refused(f"{one.tunable[:120]!r} is no setting of the host")
        if one.tunable in found:
            raise Refused(f"{one.tunable} stands twice in the request")
        tunable.check(one.after)
        found[one.tunable] = tunable
    return tuple(found.values())


def _check(request: Request) -> None:
    if request.schema != SCHEMA:
        raise Refused(f"the request is of the form {request.schema[:40]!r}; this kvmnb-root reads {SCHEMA}")
    if not isinstance(request, Verify) and not is_id(request.id):
        raise Refused(f"{request.id[:60]!r} is no plan id")
    if isinstance(request, Apply) and not request.changes:
        raise Refused("the request holds no change, so there is nothing to apply")
    if isinstance(request, Apply | Verify):
        if len(request.changes) > MAX_CHANGES:
            raise Refused(f"the request holds {len(request.changes)} changes; at most {MAX_CHANGES} are taken")
        for one in request.changes:
            _check_texts(one)
    if isinstance(request, Undo):
        if len(request.only) > MAX_CHANGES:
            raise Refused(f"the request names {len(request.only)} tunables; at most {MAX_CHANGES} are taken")
        for name in request.only:
            _check_text(name, names.MAX_CHARACTERS)
    if isinstance(request, Verify):
        if len(request.guests) > MAX_GUESTS or len(set(request.guests)) != len(request.guests):
            raise Refused(f"the request names a guest twice, or more than {MAX_GUESTS} guests")
        for uuid in request.guests:
            if not _UUID.fullmatch(uuid):
                raise Refused(f"{uuid[:60]!r} is no UUID of a guest")


def _check_texts(one: Asked) -> None:
    for text, most in ((one.tunable, names.MAX_CHARACTERS), (one.before, MAX_VALUE), (one.after, MAX_VALUE)):
        if text is not None:
            _check_text(text, most)


def _check_text(text: str, most: int) -> None:
    if len(text) > most or not _PLAIN.fullmatch(text):
        raise Refused(f"{text[:60]!r} is longer than {most} characters or not plain ASCII")
