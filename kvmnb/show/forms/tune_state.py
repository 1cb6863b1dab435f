"""What the tuning form knows and may do, without a widget: choose, preview, apply, read back, undo."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from kvmnb.advise.finding import Finding, Safety
from kvmnb.advise.registry import Audit
from kvmnb.apply import guard, link
from kvmnb.apply.journal import Journal
from kvmnb.apply.standing import Standing
from kvmnb.core.errors import DomainGone, KvmnbError, StalePlan
from kvmnb.machine.machine import Machine
from kvmnb.plan.plan import Change, Plan
from kvmnb.probe.survey import Survey
from kvmnb.show import words
from kvmnb.tunable.tunable import State, Verdict

Progress = Callable[[int, int, str], None]
Key = tuple[str, str]
"""A finding's rule id and subject."""

HOST = ""
"""Stands for the host where a guest's name is asked; no domain has an empty name."""


class Verbs(Protocol):
    """What the form needs of an opened machine; ``kvmnb.open()`` gives one."""

    machine: Machine

    def facts(self) -> Survey: ...

    def audit(self, *domains: str, goal: str | None = None, rules: Sequence[str] | None = None) -> Audit: ...

    def plan(self, findings: Iterable[Finding]) -> Plan: ...

    def apply(
        self,
        plan: Plan,
        *,
        accept_disruptive: bool = False,
        confirm_within: int | None = None,
        progress: Progress,
    ) -> Journal: ...

    def confirm(self, journal: Journal, *, progress: Progress) -> Journal: ...

    def verify(self, plan: Plan | Journal) -> tuple[tuple[Change, Verdict], ...]: ...

    def undo(self, journal: Journal, *, progress: Progress) -> tuple[Standing, ...]: ...

    def journals(self) -> tuple[Journal, ...]: ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of pressing a button."""

    ok: bool
    sentence: str
    journal_id: str | None = None
    verdicts: tuple[tuple[Change, Verdict], ...] = ()


class TuneState:
    """The choice and its preview. A plan is applied only if it was previewed for exactly this choice."""

    def __init__(
        self, here: Verbs, domains: Sequence[str] = (), *, goal: str | None = None, rules: Sequence[str] | None = None
    ) -> None:
        self._here = here
        self._goal = goal
        self._rules = rules
        known = {domain.name for domain in here.facts().domains}
        for name in domains:
            here.facts().domain(name)
        self.names: tuple[str, ...] = tuple(dict.fromkeys(domains)) or (*sorted(known), HOST)
        self.audit = self._look()
        self.plan: Plan | None = None
        self.problem: str | None = None
        self.chosen: frozenset[Key] = frozenset()
        self.guest = self._neediest()
        self.turn_to(self.guest)

    @property
    def writable(self) -> bool:
        """Whether this machine takes changes at all."""
        return self._here.machine.kind not in ("recorded", "root")

    def options(self) -> list[tuple[str, str]]:
        """What may be chosen as guest: a label for each name."""
        running = {domain.name: domain.running for domain in self._here.facts().domains}
        return [(self._label(name, running.get(name)), name) for name in self.names]

    @property
    def offers(self) -> tuple[Finding, ...]:
        """The findings that can be followed from here, worst first."""
        return tuple(one for one in self._findings() if one.wants and one.safety is not Safety.MANUAL)

    @property
    def by_hand(self) -> tuple[Finding, ...]:
        """The findings that a person must follow by hand."""
        return tuple(one for one in self._findings() if not one.wants or one.safety is Safety.MANUAL)

    def turn_to(self, name: str) -> None:
        """Choose a guest, or the host; what is safe is chosen with it."""
        self.guest = name
        self.choose(key(one) for one in self.offers if one.safety is Safety.SAFE)

    def choose(self, keys: Iterable[Key]) -> None:
        """Choose these findings and preview what they come to."""
        self.chosen = frozenset(keys)
        self.plan, self.problem = None, None
        try:
            self.plan = self._here.plan(one for one in self._findings() if key(one) in self.chosen)
        except KvmnbError as problem:
            self.problem = str(problem)

    @property
    def disruptive(self) -> bool:
        """Whether the previewed plan holds a change that costs something."""
        return self.plan is not None and any(change.safety is not Safety.SAFE for change in self.plan.changes)

    def obstacle(self, read_costs: bool) -> str | None:
        """Why the previewed plan may not be applied now; None where it may."""
        if not self.writable:
            return f"{self._here.machine.title} is a recording: it can be planned for, not changed."
        if self.waiting() is not None:
            return "A plan waits to be confirmed; press Keep it, or Undo."
        if self.problem is not None:
            return "There is no preview, so there is nothing to apply."
        if self.plan is None or not self.plan.changes:
            return "There is nothing to apply in this choice."
        if self.disruptive and not read_costs:
            return "Some changes cost something: read what, and tick the box above the button."
        return None

    @property
    def at_risk(self) -> bool:
        """Whether the previewed plan could cut off the reader's own link."""
        return self.plan is not None and bool(link.at_risk(self.plan.changes, self._here.machine))

    def apply(self, read_costs: bool, progress: Progress, *, guarded: bool = False) -> Outcome:
        """Carry out the previewed plan and read it back; on a stale plan nothing is written and a new one is made.

        ``guarded``: only its live part, which is taken back unless ``confirm`` comes in time.
        """
        obstacle = self.obstacle(read_costs)
        if obstacle is not None:
            return Outcome(False, obstacle)
        assert self.plan is not None, "there is an obstacle otherwise"
        plan = self.plan
        try:
            journal = self._here.apply(
                plan,
                accept_disruptive=read_costs,
                confirm_within=guard.DEFAULT_SECONDS if guarded else 0,
                progress=progress,
            )
        except (StalePlan, DomainGone) as problem:
            self.refresh()
            said = f"The machine changed since this preview: {problem}. Nothing was written."
            return Outcome(False, f"{said} The preview was made anew; read it before you press Apply again.")
        except KvmnbError as problem:
            self.refresh()
            return Outcome(False, _sentence(problem))
        if journal.state == "waiting":
            self.refresh()
            said = "What works at once is written; all of it is taken back unless you keep it in time."
            return Outcome(True, said, journal_id=journal.id)
        verdicts = self._here.verify(plan)
        self.refresh()
        return Outcome(*_judged(plan, verdicts), journal_id=journal.id, verdicts=verdicts)

    def undoable(self) -> Journal | None:
        """The newest journal of this machine with something to take back."""
        if not self.writable:
            return None
        try:
            return next((journal for journal in self._here.journals() if journal.standing()), None)
        except KvmnbError:
            # Where the state folder cannot be read nothing can be applied either, and apply says why.
            return None

    def waiting(self) -> Journal | None:
        """The plan of this machine that is taken back unless it is confirmed."""
        found = self.undoable()
        return found if found is not None and found.state == "waiting" else None

    def seconds_left(self) -> int | None:
        """For how long the waiting plan may still be confirmed; None where none waits."""
        journal = self.waiting()
        deadline = None if journal is None else guard.deadline_of(journal.path)
        return None if deadline is None else max(0, round(deadline - guard.now()))

    def confirm(self, progress: Progress) -> Outcome:
        """Keep the waiting plan, and write what lasts."""
        journal = self.waiting()
        if journal is None:
            return Outcome(False, "No plan waits to be confirmed; what was not kept in time was taken back.")
        try:
            self._here.confirm(journal, progress=progress)
        except KvmnbError as problem:
            self.refresh()
            return Outcome(False, _sentence(problem), journal_id=journal.id)
        verdicts = self._here.verify(journal)
        self.refresh()
        return Outcome(True, "The plan is kept, and its lasting part is written.", journal.id, verdicts)

    def undo(self, progress: Progress) -> Outcome:
        """Take back the newest journal that stands."""
        journal = self.undoable()
        if journal is None:
            return Outcome(False, "There is nothing to take back on this machine.")
        try:
            records = self._here.undo(journal, progress=progress)
        except KvmnbError as problem:
            self.refresh()
            return Outcome(False, _sentence(problem), journal_id=journal.id)
        self.refresh()
        count = sum(len(record.values) for record in records)
        said = f"{words.plural(count, 'setting')} taken back and read back."
        return Outcome(True, said, journal_id=journal.id)

    def refresh(self) -> None:
        """Look at the machine again and preview anew, keeping the choice where it still stands."""
        kept = self.chosen
        self.audit = self._look()
        self.choose(key(one) for one in self.offers if key(one) in kept)

    def _look(self) -> Audit:
        return self._here.audit(goal=self._goal, rules=self._rules)

    def _findings(self) -> tuple[Finding, ...]:
        wanted = None if self.guest == HOST else self.guest
        return tuple(finding for finding in self.audit.findings if finding.domain == wanted)

    def _neediest(self) -> str:
        """The name with the worst finding that can be followed, a running guest first."""
        running = {domain.name for domain in self._here.facts().domains if domain.running}
        followed = [one for one in self.audit.findings if one.wants and one.safety is not Safety.MANUAL]
        for finding in sorted(followed, key=lambda one: one.domain not in running):
            if (finding.domain or HOST) in self.names:
                return finding.domain or HOST
        return self.names[0]

    def _label(self, name: str, running: bool | None) -> str:
        count = sum((finding.domain or HOST) == name for finding in self.audit.findings)
        state = "" if running is None else "running, " if running else "shut off, "
        return f"{name or 'This host'} ({state}{words.plural(count, 'finding')})"


def key(finding: Finding) -> Key:
    """What names a finding within one audit."""
    return (finding.id, finding.subject)


def _judged(plan: Plan, verdicts: Sequence[tuple[Change, Verdict]]) -> tuple[bool, str]:
    differing = [change for change, verdict in verdicts if verdict.state is State.DIFFERS]
    count = words.plural(len(plan.changes), "change")
    if differing:
        return False, f"{count} written, but {len(differing)} read back differently; see the table."
    return True, f"{count} written and read back."


def _sentence(problem: KvmnbError) -> str:
    said = str(problem)
    return (said[:1].upper() + said[1:]).rstrip(".") + "."
