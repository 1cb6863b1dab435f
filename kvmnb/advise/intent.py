"""What a person intends with the host and its guests; ``intent_file`` reads it from ``kvmnb.toml``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from kvmnb.advise.aim import Aim as Aim
from kvmnb.advise.aim import Goal as Goal
from kvmnb.advise.aim import Overlay as Overlay
from kvmnb.advise.mute import Mute
from kvmnb.facts.domain import Domain

ASKED, FILE = "asked for", "kvmnb.toml"
"""Whose word something is: this one time's, or the file's."""


class Policy(Enum):
    """How a guest gets its CPUs."""

    DEDICATED = "dedicated"
    """Each vCPU has a CPU that no other vCPU uses."""
    SHARED = "shared"
    """Its vCPUs share a set of CPUs with other guests."""
    FLOATING = "floating"
    """Its vCPUs run wherever the scheduler puts them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GuestIntent:
    """What is intended with one guest; None: nothing was said."""

    goal: Goal | None = None
    overlays: frozenset[Overlay] = frozenset()
    policy: Policy | None = None
    os: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """The host's aim, what was said of single guests (by name or UUID), thresholds and mutes."""

    goal: Goal = Goal.BALANCED
    overlays: frozenset[Overlay] = frozenset()
    aim_by: str | None = None
    """Whose word the host's aim is: ``asked for``, ``kvmnb.toml``; None: nobody's."""
    guest: Mapping[str, GuestIntent] = field(default_factory=dict)
    threshold: Mapping[str, float] = field(default_factory=dict)
    """By its name the value that a person set."""
    threshold_asked: frozenset[str] = frozenset()
    """Those that were set for this one time, not by the file."""
    mutes: tuple[Mute, ...] = ()
    file: Path | None = None
    """Where it was read from, and where a mute is written; None: nowhere."""

    @property
    def aim(self) -> Aim:
        """The host's goal with its overlays."""
        return Aim(self.goal, self.overlays)

    def aim_of(self, domain: Domain) -> Aim:
        """The guest's aim: its own goal, else the host's, and the overlays of both."""
        said = self.said(domain)
        return Aim(said.goal, said.overlays).within(self.aim)

    def goal_of(self, domain: Domain) -> Goal:
        """The guest's goal: its own, else the host's."""
        return self.said(domain).goal or self.goal

    def dedicated(self, domain: Domain) -> bool:
        """Whether the guest is meant to have CPUs of its own.

        By the word of ``kvmnb.toml``; else where every vCPU has a pin, or where the goal is latency.
        """
        policy = self.said(domain).policy
        if policy is not None:
            return policy is Policy.DEDICATED
        return domain.wanted.dedicated or self.goal_of(domain) is Goal.LATENCY

    def says_policy(self, domain: Domain) -> str | None:
        """The guest's policy and whose word it is; None where nobody said any."""
        policy = self.said(domain).policy
        return f"policy {policy.value} ({domain.name!r} in {FILE})" if policy is not None else None

    def windows(self, domain: Domain) -> bool:
        """Whether the guest runs Windows: by ``kvmnb.toml``, its metadata, its enlightenments, or the overlay.

        The guest's own overlay stands above metadata that names another system; the host's does not.
        """
        said = self.said(domain)
        if said.os:
            return "win" in said.os.lower()
        if Overlay.WINDOWS in said.overlays or domain.wanted.windows:
            return True
        return Overlay.WINDOWS in self.overlays and not domain.wanted.os_id

    def says_goal(self, domain: Domain | None) -> str | None:
        """The goal and whose word it is; None where nobody said any."""
        own = self.said(domain).goal if domain is not None else None
        if domain is not None and own is not None:
            return f"goal {own.value} ({domain.name!r} in {FILE})"
        return f"goal {self.goal.value} ({self.aim_by})" if self.aim_by is not None else None

    def says_overlay(self, overlay: Overlay, domain: Domain | None) -> str:
        """The overlay and whose word it is."""
        if domain is not None and overlay in self.said(domain).overlays:
            return f"overlay {overlay.value} ({domain.name!r} in {FILE})"
        return f"overlay {overlay.value} ({self.aim_by or FILE})"

    def says_windows(self, domain: Domain) -> str | None:
        """The intent on which it rests that the guest runs Windows or not; None where its XML alone tells it."""
        said = self.said(domain)
        if said.os:
            return f"os {said.os[:40]} ({domain.name!r} in {FILE})"
        if Overlay.WINDOWS in said.overlays or (Overlay.WINDOWS in self.overlays and not domain.wanted.os_id):
            return self.says_overlay(Overlay.WINDOWS, domain)
        return None

    def said(self, domain: Domain) -> GuestIntent:
        """What was said of this guest, by its UUID before its name."""
        return self.guest.get(domain.uuid) or self.guest.get(domain.name) or GuestIntent()
