"""JSON is decoded strictly and encoded in the field's own forms."""

from __future__ import annotations

import msgspec
import pytest

from kvmnb.core import codec
from kvmnb.core.cpuset import CpuSet
from kvmnb.core.errors import KvmnbError


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    cpus: CpuSet
    size: int | None = None


def test_a_value_reads_back_from_its_text() -> None:
    part = Part(CpuSet.of(0, 1, 5), 4)
    assert codec.to_json(part) == '{"cpus":"0-1,5","size":4}'
    assert codec.from_json(codec.to_json(part), Part, "the text") == part


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"cpus":"0","cpus":"1"}', "the key 'cpus' stands twice"),
        ('{"cpus":"0","more":1}', "unknown field `more`"),
        ('{"cpus":"zero"}', "is not a CPU list"),
        ('{"cpus":"0","size":"4"}', "Expected `int | null`"),
        ('{"cpus":"0","size":NaN}', "NaN is not a JSON number"),
        ("{", "Expecting property name"),
        ("[" * 100_000, "cannot be used"),
    ],
)
def test_what_does_not_fit_is_refused_in_words(text: str, said: str) -> None:
    with pytest.raises(KvmnbError, match="the text cannot be used") as refused:
        codec.from_json(text, Part, "the text")
    assert said in str(refused.value)


def test_a_document_that_is_too_large_is_not_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codec, "MAX_BYTES", 10)
    with pytest.raises(KvmnbError, match="is larger than"):
        codec.from_json('{"cpus":"0"}', Part, "the text")
