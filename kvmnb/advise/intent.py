"""What a person intends with the host and its guests, from ``kvmnb.toml`` and the command line."""

from __future__ import annotations

import os
import tomllib
from enum import Enum
from pathlib import Path

import msgspec

from kvmnb.core.errors import KvmnbError
from kvmnb.facts.domain import Domain


class Goal(Enum):
    """What tuning is for; it decides which rules speak."""

    BALANCED = "balanced"
    THROUGHPUT = "throughput"
    LATENCY = "latency"
    DENSITY = "density"


class Policy(Enum):
    """How a guest gets its CPUs."""

    DEDICATED = "dedicated"
    """Each vCPU has a CPU that no other vCPU uses."""
    SHARED = "shared"
    """Its vCPUs share a set of CPUs with other guests."""
    FLOATING = "floating"
    """Its vCPUs run wherever the scheduler puts them."""


class GuestIntent(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is intended with one guest; None: nothing was said."""

    goal: Goal | None = None
    policy: Policy | None = None
    os: str | None = None


class Intent(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The host's goal and what was said of single guests, by name or UUID."""

    goal: Goal = Goal.BALANCED
    guest: dict[str, GuestIntent] = {}

    def goal_of(self, domain: Domain) -> Goal:
        """The guest's goal: its own, else the host's."""
        return self._said(domain).goal or self.goal

    def dedicated(self, domain: Domain) -> bool:
        """Whether the guest is meant to have CPUs of its own.

        By the word of ``kvmnb.toml``; else where every vCPU has a pin, or where the goal is latency.
        """
        policy = self._said(domain).policy
        if policy is not None:
            return policy is Policy.DEDICATED
        return domain.wanted.dedicated or self.goal_of(domain) is Goal.LATENCY

    def says_dedicated(self, domain: Domain) -> str:
        """The word on which ``dedicated`` rests, for the reader of a finding."""
        if self._said(domain).policy is not None:
            return "policy in kvmnb.toml"
        if domain.wanted.dedicated:
            return "every vCPU has a pin"
        return f"goal {self.goal_of(domain).value}"

    def windows(self, domain: Domain) -> bool:
        """Whether the guest runs Windows: by ``kvmnb.toml``, libosinfo's metadata, or its enlightenments."""
        said = self._said(domain).os
        return "win" in said.lower() if said else domain.wanted.windows

    def _said(self, domain: Domain) -> GuestIntent:
        return self.guest.get(domain.uuid) or self.guest.get(domain.name) or GuestIntent()


def read_intent(goal: str | None = None, config: Path | None = None) -> Intent:
    """The intent in force: ``goal`` wins over the file; ``config`` wins over the XDG config folder."""
    path = config or _default_path()
    intent = Intent()
    if config is not None or path.is_file():
        intent = _decode(path)
    return msgspec.structs.replace(intent, goal=parse_goal(goal)) if goal is not None else intent


def parse_goal(text: str) -> Goal:
    """A goal by its word."""
    try:
        return Goal(text)
    except ValueError:
        known = ", ".join(goal.value for goal in Goal)
        raise KvmnbError(f"{text[:40]!r} is no goal; the goals are {known}") from None


def _decode(path: Path) -> Intent:
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
        return msgspec.convert(document, Intent, strict=True)
    except OSError as problem:
        raise KvmnbError(f"reading the intent from {path}: {problem.strerror}") from problem
    except (ValueError, msgspec.ValidationError) as problem:
        raise KvmnbError(f"reading the intent from {path}: {problem}") from problem


def _default_path() -> Path:
    chosen = os.environ.get("XDG_CONFIG_HOME", "")
    folder = Path(chosen) if os.path.isabs(chosen) else Path.home() / ".config"
    return folder / "kvmnb" / "kvmnb.toml"
