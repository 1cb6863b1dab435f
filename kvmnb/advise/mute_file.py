"""Mutes written into ``kvmnb.toml`` and taken out of it, with every other byte of the person's file kept.

The text is edited, not generated anew; before it is written it is parsed, and holds exactly what it held, and the
change.
"""

from __future__ import annotations

import fcntl
import json
import os
import tomllib
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

from kvmnb.advise import registry
from kvmnb.advise.intent import Intent
from kvmnb.advise.intent_file import checked_subject, intent_of
from kvmnb.core.errors import KvmnbError

_HEADER = "[[mute]]"


def mute(path: Path, rule_id: str, reason: str, subject: str | None = None, until: date | None = None) -> Intent:
    """Add a mute, in the place of one of the same rule and subject; the intent as the file then tells it."""
    registry.rule_or_myth(rule_id)
    if not reason.strip():
        raise KvmnbError(f"muting {rule_id} needs a reason that will be read later")
    if subject is not None:
        checked_subject(subject, "the subject")
    if until is not None and until < date.today():
        raise KvmnbError(f"muting {rule_id} until {until} mutes nothing: that day has passed")
    added = {"id": rule_id, "subject": subject, "reason": reason, "until": until}
    entry = {key: value for key, value in added.items() if value is not None}

    def edit(text: str) -> str:
        for number in reversed(_places(text, rule_id, subject)):
            text = _without(text, number, path)
        return _with(text, entry, path)

    return _edited(path, edit)


def unmute(path: Path, rule_id: str, subject: str | None = None) -> Intent:
    """Take out the mutes of this rule and subject (None: those of all subjects); KvmnbError where there is none."""
    registry.rule_or_myth(rule_id)

    def edit(text: str) -> str:
        places = _places(text, rule_id, subject, every=subject is None)
        if not places:
            others = sorted({one.get("subject", "every subject") for one in _mutes(text) if one["id"] == rule_id})
            about = f" for {subject}; muted is {', '.join(others)}" if subject is not None and others else ""
            raise KvmnbError(f"{path} does not mute {rule_id}{about}")
        for number in reversed(places):
            text = _without(text, number, path)
        return text

    return _edited(path, edit)


def _edited(path: Path, edit: Callable[[str], str]) -> Intent:
    """Write the file as edited, in one step, with its mode, through a link to it, and alone."""
    real = Path(os.path.realpath(path))
    try:
        real.parent.mkdir(parents=True, exist_ok=True)
        folder = os.open(real.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            return _written(real, path, edit, folder)
        finally:
            os.close(folder)
    except OSError as problem:
        raise KvmnbError(f"writing the mutes of {path}: {problem.strerror}") from problem


def _written(real: Path, path: Path, edit: Callable[[str], str], folder: int) -> Intent:
    there = real.exists()
    try:
        text = real.read_bytes().decode("utf-8") if there else ""
        intent_of(tomllib.loads(text), path)
        after = edit(text)
        intent = intent_of(tomllib.loads(after), path)
    except ValueError as problem:
        raise KvmnbError(f"reading the intent from {path}: it is not TOML: {problem}") from problem
    beside = real.with_name(f".{real.name}.{os.getpid()}")
    try:
        with beside.open("xb") as stream:
            if there:
                os.fchmod(stream.fileno(), real.stat().st_mode & 0o7777)
            stream.write(after.encode("utf-8"))
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(beside, real)
    except OSError:
        beside.unlink(missing_ok=True)
        raise
    os.fsync(folder)
    return intent


def _with(text: str, entry: dict[str, Any], path: Path) -> str:
    """The text with a mute at its end."""
    end = "\r\n" if "\r\n" in text else "\n"
    lines = [_HEADER, *(f"{key} = {_literal(value)}" for key, value in entry.items())]
    before = text if not text or text.endswith("\n") else text + end
    after = before + (end if before else "") + end.join(lines) + end
    document = _parsed(text)
    document["mute"] = [*document.get("mute", []), entry]
    if not _holds(after, document):
        raise KvmnbError(f"{path} writes its mutes as one array; write each as a table under {_HEADER} first")
    return after


def _without(text: str, number: int, path: Path) -> str:
    """The text without its mute of this number: the fewest lines that, left out, leave everything else."""
    document = _parsed(text)
    document["mute"] = [one for place, one in enumerate(document["mute"]) if place != number]
    if not document["mute"]:
        del document["mute"]
    lines = text.splitlines(keepends=True)
    for first, last in _spans(lines):
        if _holds("".join([*lines[:first], *lines[last:]]), document):
            # The empty line that parted it from what stands above goes with it.
            above = first > 0 and not lines[first - 1].strip() and (last == len(lines) or not lines[last].strip())
            return "".join([*lines[: first - above], *lines[last:]])
    raise KvmnbError(f"{path} writes its mutes as one array; take this one out of it with an editor")


def _spans(lines: list[str]) -> Iterator[tuple[int, int]]:
    for first, line in enumerate(lines):
        if line.split("#")[0].replace(" ", "").replace("\t", "").strip() in (_HEADER, '[["mute"]]', "[['mute']]"):
            yield from ((first, last) for last in range(first + 1, len(lines) + 1))


def _places(text: str, rule_id: str, subject: str | None, *, every: bool = False) -> list[int]:
    return [
        number
        for number, one in enumerate(_mutes(text))
        if one["id"] == rule_id and (every or one.get("subject") == subject)
    ]


def _mutes(text: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = _parsed(text).get("mute", [])
    return found


def _parsed(text: str) -> dict[str, Any]:
    return tomllib.loads(text)


def _holds(text: str, document: dict[str, Any]) -> bool:
    try:
        return _parsed(text) == document
    except tomllib.TOMLDecodeError:
        return False


def _literal(value: str | date) -> str:
    # JSON's text is TOML's, but for one character that TOML wants escaped.
    return (
        value.isoformat()
        if isinstance(value, date)
        else json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    )
