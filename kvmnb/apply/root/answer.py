"""What kvmnb-root answers: one JSON document, and an error by its class so that the caller can raise it again."""

from __future__ import annotations

import msgspec

from kvmnb.apply.root.request import SCHEMA
from kvmnb.core import codec, errors
from kvmnb.core.errors import KvmnbError

# The errors that a caller may handle apart; any other comes as the plain KvmnbError.
_ERRORS: dict[str, type[KvmnbError]] = {
    one.__name__: one
    for one in (
        errors.ApplyFailed,
        errors.NotTakenBack,
        errors.Refused,
        errors.StalePlan,
        errors.WriteFailed,
    )
}


class Judged(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether one setting holds; see ``kvmnb.tunable.tunable.Verdict``."""

    tunable: str
    state: str
    found: str | None
    expected: str | None
    reason: str


class Memory(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a running guest's memory lies: the kernel's own texts of its QEMU process."""

    uuid: str
    pid: int
    numa_maps: str
    smaps_rollup: str


class Answer(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One answer; ``error`` and ``said`` where it is none."""

    schema: str = SCHEMA
    ok: bool = True
    error: str | None = None
    said: str | None = None
    id: str | None = None
    state: str | None = None
    survives: str | None = None
    """What the guard survives, where one watches."""
    taken_back: tuple[str, ...] = ()
    verdicts: tuple[Judged, ...] = ()
    memory: tuple[Memory, ...] = ()


def encoded(answer: Answer) -> str:
    """The answer as one line; what it is of stands in it always."""
    return codec.to_json({"schema": SCHEMA, "ok": answer.ok} | codec.to_builtins(answer))


def refusal(problem: KvmnbError) -> Answer:
    """An error as an answer."""
    name = type(problem).__name__
    return Answer(ok=False, error=name if name in _ERRORS else KvmnbError.__name__, said=str(problem))


def decoded(raw: bytes, what: str) -> Answer:
    """The answer in these bytes, or the error that it holds, raised."""
    answer = codec.from_json(raw, Answer, what)
    if answer.schema != SCHEMA:
        raise KvmnbError(f"{what} is of the form {answer.schema[:40]!r}; this version reads {SCHEMA}")
    if not answer.ok:
        raise _ERRORS.get(answer.error or "", KvmnbError)(answer.said or f"{what} tells no reason")
    return answer
