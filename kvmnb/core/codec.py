"""Values to JSON and back, strictly: no unknown key, no key twice, no lost unit.

CPU sets are kernel lists, sizes are bytes, enumerations their value.
"""

from __future__ import annotations

import json
from typing import Any, TypeVar

import msgspec

from kvmnb.core.cpuset import CpuSet
from kvmnb.core.errors import KvmnbError

T = TypeVar("T")

MAX_BYTES = 64 * 1024**2


def _encode_hook(value: object) -> object:
    if isinstance(value, CpuSet):
        return str(value)
    raise NotImplementedError(f"{type(value).__name__} has no JSON form")


def _decode_hook(kind: type, value: object) -> object:
    if kind is CpuSet and isinstance(value, str):
        return CpuSet.parse(value)
    raise NotImplementedError(f"{kind.__name__} has no JSON form")


def to_builtins(value: object) -> Any:
    """The value as dictionaries, lists, strings and numbers; fields that were not seen are left out."""
    return msgspec.to_builtins(value, enc_hook=_encode_hook)


def to_json(value: object, *, indent: int = 0) -> str:
    """The value as one JSON text."""
    raw = msgspec.json.encode(value, enc_hook=_encode_hook)
    return (msgspec.json.format(raw, indent=indent) if indent else raw).decode()


def from_json(raw: bytes | str, kind: type[T], what: str) -> T:
    """Decode one JSON document strictly as ``kind``; ``what`` names it in the error."""
    if len(raw) > MAX_BYTES:
        raise KvmnbError(f"{what} is larger than {MAX_BYTES // 1024**2} MiB and was not read")
    try:
        document = json.loads(raw, object_pairs_hook=_no_key_twice, parse_constant=_no_constant)
        return msgspec.convert(document, kind, strict=True, dec_hook=_decode_hook)
    except (ValueError, KvmnbError, msgspec.ValidationError, RecursionError) as problem:
        raise KvmnbError(f"{what} cannot be used: {problem}") from problem


def _no_key_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {twice!r} stands twice in one object")
    return document


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON number")
