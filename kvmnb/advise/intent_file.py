"""``kvmnb.toml``, read as an Intent; what is wrong in it is told by its key, in one sentence."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from enum import Enum
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from kvmnb.advise import registry
from kvmnb.advise.aim import Aim, Goal, Overlay, parse_aim
from kvmnb.advise.intent import ASKED, FILE, GuestIntent, Intent, Policy
from kvmnb.advise.mute import Mute
from kvmnb.core.errors import KvmnbError
from kvmnb.core.near import near

Word = TypeVar("Word", bound=Enum)


def read_intent(
    goal: str | None = None, config: Path | None = None, thresholds: Mapping[str, float] | None = None
) -> Intent:
    """The intent in force: ``goal`` and ``thresholds`` win over the file; ``config`` over the XDG config folder."""
    path = config or default_path()
    intent = intent_of(_document(path), path) if config is not None or path.is_file() else Intent(file=path)
    return asked(intent, goal, thresholds)


def asked(intent: Intent, goal: str | None = None, thresholds: Mapping[str, object] | None = None) -> Intent:
    """The intent with what was asked for this one time in the place of what the file says."""
    if goal is not None:
        aim = parse_aim(goal)
        intent = replace(intent, goal=aim.goal or Goal.BALANCED, overlays=aim.overlays, aim_by=ASKED)
    if thresholds:
        numbers = {name: registry.threshold(name).checked(value) for name, value in thresholds.items()}
        intent = replace(
            intent,
            threshold={**intent.threshold, **numbers},
            threshold_asked=intent.threshold_asked | frozenset(numbers),
        )
    return intent


def default_path() -> Path:
    """``kvmnb.toml`` in the XDG config folder."""
    chosen = os.environ.get("XDG_CONFIG_HOME", "")
    folder = Path(chosen) if os.path.isabs(chosen) else Path.home() / ".config"
    return folder / "kvmnb" / "kvmnb.toml"


def intent_of(document: dict[str, Any], path: Path) -> Intent:
    """A document of ``kvmnb.toml`` as an Intent; KvmnbError that names the file and the key."""
    try:
        _known(document, ("goal", "guest", "threshold", "mute"), "")
        aim = _aim(document.get("goal"), "goal")
        guests = {name: _guest(said, _key("guest", name)) for name, said in _table(document, "guest").items()}
        numbers = {
            name: registry.threshold(name).checked(value) for name, value in _flat(_table(document, "threshold"))
        }
        mutes = document.get("mute", [])
        if not isinstance(mutes, list):
            _wrong("mute", mutes, "a list of tables, each under [[mute]]")
        return Intent(
            goal=aim.goal or Goal.BALANCED,
            overlays=aim.overlays,
            aim_by=FILE if "goal" in document else None,
            guest=guests,
            threshold=numbers,
            mutes=tuple(_mute(said, f"mute[{number}]") for number, said in enumerate(mutes, start=1)),
            file=path,
        )
    except KvmnbError as problem:
        raise KvmnbError(f"reading the intent from {path}: {problem}") from None


def _document(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_bytes().decode("utf-8"))
    except OSError as problem:
        raise KvmnbError(f"reading the intent from {path}: {problem.strerror}") from problem
    except ValueError as problem:
        raise KvmnbError(f"reading the intent from {path}: it is not TOML: {problem}") from problem


def _guest(said: object, key: str) -> GuestIntent:
    if not isinstance(said, dict):
        _wrong(key, said, "a table with goal, policy and os")
    _known(said, ("goal", "policy", "os"), key)
    aim = _aim(said.get("goal"), f"{key}.goal")
    os_word = said.get("os")
    if os_word is not None and not (isinstance(os_word, str) and os_word):
        _wrong(f"{key}.os", os_word, "a word such as linux or windows")
    if os_word and Overlay.WINDOWS in aim.overlays and "win" not in os_word.lower():
        raise KvmnbError(f"{key}.goal has the overlay windows, and {key}.os is {os_word[:40]!r}; keep one of them")
    policy = said.get("policy")
    return GuestIntent(
        goal=aim.goal,
        overlays=aim.overlays,
        policy=None if policy is None else _word(policy, Policy, f"{key}.policy"),
        os=os_word,
    )


def _mute(said: object, key: str) -> Mute:
    if not isinstance(said, dict):
        _wrong(key, said, "a table with id, subject, reason and until")
    _known(said, ("id", "subject", "reason", "until"), key)
    for name in ("id", "reason"):
        if not (isinstance(said.get(name), str) and said[name].strip()):
            _wrong(f"{key}.{name}", said.get(name), "a text")
    try:
        registry.rule_or_myth(said["id"])
    except KvmnbError as problem:
        raise KvmnbError(f"{key}.id: {problem}") from None
    subject, until = said.get("subject"), said.get("until")
    if subject is not None:
        checked_subject(subject, f"{key}.subject")
    if until is not None and (not isinstance(until, date) or isinstance(until, datetime)):
        _wrong(f"{key}.until", until, "a day without quotes, such as 2027-01-31")
    return Mute(id=said["id"], reason=said["reason"], subject=subject, until=until)


def checked_subject(subject: object, key: str) -> str:
    """A subject as ``kvmnb audit --json`` prints it; KvmnbError otherwise."""
    if not isinstance(subject, str) or not (subject.partition("/")[0] == "host" or subject.startswith("domain/")):
        _wrong(key, subject, "host or domain/NAME and what lies below it, as `kvmnb audit --json` prints it")
    return subject


def _aim(text: object, key: str) -> Aim:
    if text is None:
        return Aim()
    if not isinstance(text, str):
        _wrong(key, text, "a text such as 'latency' or 'latency+windows'")
    try:
        return parse_aim(text)
    except KvmnbError as problem:
        raise KvmnbError(f"{key}: {problem}") from None


def _word(value: object, words: type[Word], key: str) -> Word:
    found = next((one for one in words if one.value == value), None)
    if found is None:
        _wrong(key, value, "one of " + ", ".join(one.value for one in words))
    return found


def _table(document: dict[str, Any], key: str) -> dict[str, Any]:
    found = document.get(key, {})
    if not isinstance(found, dict):
        _wrong(key, found, f"a table, under [{key}]")
    return found


def _flat(table: dict[str, Any], before: str = "") -> list[tuple[str, object]]:
    """Names and values; a name without quotes is a path of tables in TOML, and means the same here."""
    found: list[tuple[str, object]] = []
    for name, value in table.items():
        found += _flat(value, f"{before}{name}.") if isinstance(value, dict) else [(f"{before}{name}", value)]
    return found


def _known(table: dict[str, Any], names: tuple[str, ...], key: str) -> None:
    for name in table:
        if name not in names:
            where = _key(key, name) if key else name
            raise KvmnbError(f"the key {where[:80]} is not known; {near(name, names, 'known are ' + ', '.join(names))}")


def _key(table: str, name: str) -> str:
    return f"{table}.{name}" if name.replace("-", "").replace("_", "").isalnum() else f"{table}.{name[:60]!r}"


def _wrong(key: str, found: object, wanted: str) -> NoReturn:
    text = "missing" if found is None else repr(found)
    raise KvmnbError(f"{key} is {text if len(text) <= 60 else text[:57] + '...'}, and it takes {wanted}")
