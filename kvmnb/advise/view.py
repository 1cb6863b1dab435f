"""What a rule may look at: the facts, the intent, and the placement of all guests."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from kvmnb.advise.intent import Goal, Intent
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

    def goal(self, domain: Domain) -> Goal:
        """The guest's goal."""
        return self.intent.goal_of(domain)
