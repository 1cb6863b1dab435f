"""The ethtool answers of a NIC as facts, asked live or held by a recording.

A recording holds them as ``ethtool/NIC.json``, as ``ethtool_answers`` gives them, or as the texts of the
``ethtool`` program in the place where an sosreport keeps them.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, TypeVar

from kvmnb.core import codec
from kvmnb.facts.ethtool import Channels, Coalesce, Ethtool, Feature, Rings
from kvmnb.facts.gap import Fact, Gap
from kvmnb.probe.ethtool_text import PARSERS
from kvmnb.probe.reader import Reader, gap, seen

FOLDER = "ethtool"
TEXTS = "sos_commands/networking"
F = TypeVar("F", bound=Fact)


class RecordedAnswers:
    """The answers that a recorded host holds, in the form of ``ethtool_answers``; a NIC without any is left out."""

    def __init__(self, read: Reader) -> None:
        self._read = read

    def __call__(self, names: list[str]) -> Mapping[str, Any]:
        files = frozenset(self._read.names(FOLDER))
        texts = frozenset(self._read.names(TEXTS))
        answers: dict[str, Any] = {}
        for name in names:
            if f"{name}.json" in files:
                answers[name] = self._read.parse(f"{FOLDER}/{name}.json", f"host.nics[{name}].ethtool", _answer)
            else:
                parts = {
                    part: self._text(f"{TEXTS}/ethtool_-{letter}_{name}", part)
                    for letter, (part, _) in PARSERS.items()
                    if f"ethtool_-{letter}_{name}" in texts
                }
                if parts:
                    answers[name] = parts
        return answers

    def _text(self, path: str, part: str) -> Any:
        parser = next(parser for known, parser in PARSERS.values() if known == part)
        found: Any = self._read.parse(path, part, parser)
        return found if seen(found) else {"error": found.reason}


def ethtool_of(answers: Mapping[str, Any] | Gap, name: str, fact: str) -> Ethtool:
    """One NIC's answers as a fact; a Gap where there are none."""
    answer = answers if isinstance(answers, Gap) else answers.get(name)
    if answer is None:
        return gap(fact, "no ethtool answers are held for it")  # type: ignore[no-any-return]
    if isinstance(answer, Gap):
        return gap(fact, answer.reason)  # type: ignore[no-any-return]
    if not isinstance(answer, Mapping) or "error" in answer:
        return gap(fact, _why(answer))  # type: ignore[no-any-return]
    return Ethtool(
        driver=_word(answer, "driver", fact),
        firmware=_word(answer, "firmware", fact),
        bus=_word(answer, "bus", fact),
        channels=_part(answer, "channels", fact, Channels),
        rings=_part(answer, "rings", fact, Rings),
        coalesce=_part(answer, "coalesce", fact, Coalesce),
        features=_features(answer, fact),
    )


def _answer(text: str) -> dict[str, Any]:
    return codec.from_json(text, dict[str, Any], "the ethtool answers")


def _why(answer: object) -> str:
    code = answer.get("error") if isinstance(answer, Mapping) else None
    if code in ("EPERM", "EACCES"):
        return "ethtool needs root"
    if code == "ENODEV":
        return "the NIC is gone"
    return f"ethtool: {code[:80]}" if isinstance(code, str) else "the ethtool answer is not one"


def _given(answer: Mapping[str, Any], part: str, fact: str) -> Any:
    """One part of an answer: a mapping, None where the driver has none of it, or a Gap."""
    if part not in answer:
        return gap(fact, f"the ethtool answers hold no {part}")
    found = answer[part]
    if found is None:
        return None
    if not isinstance(found, Mapping) or "error" in found:
        return gap(fact, _why(found))
    return found


def _word(answer: Mapping[str, Any], word: str, fact: str) -> str | None:
    found = _given(answer, "driver", f"{fact}.{word}")
    if not isinstance(found, Mapping):
        return found  # type: ignore[no-any-return]
    value = found.get(word)
    return value if isinstance(value, str) and value else None


def _part(answer: Mapping[str, Any], part: str, fact: str, kind: type[F]) -> F | None:
    """A part whose fields are numbers or yes and no, each as the answer has it or a gap."""
    fact = f"{fact}.{part}"
    found = _given(answer, part, fact)
    if not isinstance(found, Mapping):
        return found  # type: ignore[no-any-return]
    values = {}
    for name, type_name in kind.__annotations__.items():
        value = found.get(name)
        right = isinstance(value, bool) if type_name.startswith("bool") else type(value) is int and value >= 0
        absent = value is None and name in found and type_name.endswith("| None")
        values[name] = value if right or absent else gap(f"{fact}.{name}", f"ethtool tells no {name}")
    return kind(**values)


def _features(answer: Mapping[str, Any], fact: str) -> tuple[Feature, ...] | None:
    fact = f"{fact}.features"
    found = _given(answer, "features", fact)
    if not isinstance(found, Mapping):
        return found  # type: ignore[no-any-return]
    try:
        return tuple([_feature(name, state) for name, state in found.items()])
    except (ValueError, TypeError, AttributeError):
        return gap(fact, "the ethtool answer holds a state that is neither on nor off")  # type: ignore[no-any-return]


@lru_cache(4096)
def _feature(name: str, state: str) -> Feature:
    """A feature from the word of ``ethtool -k``; the NICs of a host share most of them."""
    word, _, note = state.partition(" ")
    if word not in ("on", "off") or note not in ("", "[fixed]", "[requested on]", "[requested off]"):
        raise ValueError(state)
    requested = note == "[requested on]" if note.startswith("[requested") else None
    return Feature(name=name, on=word == "on", fixed=note == "[fixed]", requested=requested)
