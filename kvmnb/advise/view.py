"""What a rule may look at: the facts, the intent, and the placement of all guests."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property

from kvmnb.advise.aim import Goal, Overlay
from kvmnb.advise.intent import ASKED, FILE, Intent, Policy
from kvmnb.advise.threshold import Number, Threshold
from kvmnb.facts.domain import Domain
from kvmnb.facts.gap import NotSeen
from kvmnb.facts.host import Host
from kvmnb.facts.load import Load
from kvmnb.facts.storage import Location
from kvmnb.place.placement import Placement
from kvmnb.place.simple import place


class View:
    """One audit's facts; the placement is computed once, when a rule first asks for it."""

    def __init__(self, host: Host, domains: Sequence[Domain], intent: Intent, load: Load | None = None) -> None:
        self.host = host
        self.domains = tuple(domains)
        self.intent = intent
        self.load = load
        """The rates over one window; None where none was measured."""
        self._locations: dict[str, Location] = {}
        self.rests: dict[str, None] = {}
        """What of the intent was asked since the registry last cleared it, in words, in the order of asking."""

    @contextmanager
    def part(self) -> Iterator[None]:
        """A part of a check: what is asked inside is what its own findings rest on, and none after it."""
        before = dict(self.rests)
        try:
            yield
        finally:
            self.rests = before

    @property
    def placement(self) -> Placement:
        """Where each guest's threads and memory belong, for all guests together; NotSeen where a fact for it is."""
        if isinstance(self._placed, NotSeen):
            raise self._placed
        return self._placed

    @cached_property
    def _placed(self) -> Placement | NotSeen:
        try:
            dedicated = frozenset(domain.uuid for domain in self.domains if self.intent.dedicated(domain))
            return place(self.host, self.domains, dedicated)
        except NotSeen as unseen:
            # Kept, so that not every rule places all guests again to miss the same fact.
            return unseen

    def location_of(self, path: str) -> Location:
        """What an image's path lies on; looked up once, since several rules ask it of each disk."""
        found = self._locations.get(path)
        if found is None:
            found = self._locations[path] = self.host.location_of(path)
        return found

    def goal(self, domain: Domain | None = None) -> Goal:
        """The guest's goal, or the host's."""
        said = self.intent.says_goal(domain)
        if said is not None:
            self.rests[said] = None
        return self.intent.goal if domain is None else self.intent.goal_of(domain)

    def policy(self, domain: Domain) -> Policy | None:
        """How the guest is meant to get its CPUs, by a person's word."""
        said = self.intent.says_policy(domain)
        if said is not None:
            self.rests[said] = None
        return self.intent.said(domain).policy

    def windows(self, domain: Domain) -> bool:
        """Whether the guest runs Windows, by any word."""
        said = self.intent.says_windows(domain)
        if said is not None:
            self.rests[said] = None
        return self.intent.windows(domain)

    def secure(self, domain: Domain | None = None) -> bool:
        """Whether the security overlay holds for the guest, or for the host."""
        aim = self.intent.aim if domain is None else self.intent.aim_of(domain)
        if Overlay.SECURITY not in aim.overlays:
            return False
        self.rests[self.intent.says_overlay(Overlay.SECURITY, domain)] = None
        return True

    def value(self, threshold: Threshold[Number]) -> Number:
        """The threshold's number: as a person set it, else its default."""
        found = self.intent.threshold.get(threshold.name)
        if found is None:
            return threshold.default
        number = threshold.checked(found)
        by = ASKED if threshold.name in self.intent.threshold_asked else FILE
        default = threshold.said(threshold.default)
        self.rests[f"threshold {threshold.name} is {threshold.said(number)} ({by}; default {default})"] = None
        return number
