"""What the tuning form knows and may do, without a widget: choose, type, preview, apply, read back, undo."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from kvmnb.advise.conflicts import Conflict, side
from kvmnb.advise.finding import Finding, Safety
from kvmnb.advise.mute import Muted
from kvmnb.advise.registry import Audit
from kvmnb.apply import guard, link, rooted
from kvmnb.apply.journal import Journal
from kvmnb.apply.progress import Progress
from kvmnb.core.errors import DomainGone, KvmnbError, Refused, StalePlan
from kvmnb.plan.check import OVERRIDABLE, Check
from kvmnb.plan.check import Outcome as Answer
from kvmnb.plan.plan import Plan
from kvmnb.show import words
from kvmnb.show.forms.journal_state import JournalState
from kvmnb.show.forms.outcome import Outcome, failed, judged
from kvmnb.show.forms.typed import TypedValues
from kvmnb.show.forms.verbs import Verbs, takes_changes
from kvmnb.tunable.tunable import Want

Key = tuple[str, str]
"""A finding's rule id and subject."""

HOST = ""
"""Stands for the host where a guest's name is asked; no domain has an empty name."""


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
        self.journals = JournalState(here, self.refresh)
        self.typed = TypedValues(here)
        self.audit = self._look()
        self.plan: Plan | None = None
        self.problem: str | None = None
        self.chosen: frozenset[Key] = frozenset()
        self.lasting = True
        """Whether host settings come with the form that the next boot keeps."""
        self.previewed = True
        """Whether the preview shows what was typed last."""
        self.guest = self._neediest()
        self.turn_to(self.guest)

    @property
    def writable(self) -> bool:
        """Whether this machine takes changes at all."""
        return takes_changes(self._here)

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

    @property
    def conflicts(self) -> tuple[Conflict, ...]:
        """What among the offers is not followed together with something else, and which of them waits."""
        offered = {side(one) for one in self.offers}
        return tuple(one for one in self.audit.conflicts if one.waits in offered)

    @property
    def muted(self) -> tuple[Muted, ...]:
        """What was found here and is muted in ``kvmnb.toml``."""
        return tuple(one for one in self.audit.muted if (one.finding.domain or HOST) == self.guest)

    @property
    def followed(self) -> list[Finding]:
        """The chosen findings, as the audit wants them."""
        return [one for one in self._findings() if key(one) in self.chosen]

    def turn_to(self, name: str) -> None:
        """Choose a guest, or the host; what is safe, and waits for nothing else, is chosen with it."""
        self.guest = name
        waiting = {conflict.waits for conflict in self.audit.conflicts}
        self.choose(key(one) for one in self.offers if one.safety is Safety.SAFE and side(one) not in waiting)

    def choose(self, keys: Iterable[Key]) -> None:
        """Choose these findings and preview what they come to."""
        self.chosen = frozenset(keys)
        self.typed.keep_only(self.followed)
        self.preview()

    def make_lasting(self, lasting: bool) -> None:
        """Preview host settings with the form that the next boot keeps, or for this boot alone."""
        self.lasting = lasting
        self.preview()

    def wants(self) -> list[Want]:
        """What is wanted by the choice and can be typed otherwise."""
        return self.typed.offered(self.followed)

    def type(self, want: Want, text: str) -> str | None:
        """Take a value in the place of the wanted one, for the next ``preview``; what stands against it."""
        self.previewed = False
        return self.typed.put(want, text, self.followed)

    def preview(self) -> None:
        """Plan what is chosen, with what was typed."""
        self.plan, self.problem, self.previewed = None, None, True
        try:
            self.plan = self._here.plan(self.typed.within(self.followed), live_only=not self.lasting)
        except KvmnbError as problem:
            self.problem = str(problem)

    @property
    def disruptive(self) -> bool:
        """Whether the previewed plan holds a change that costs something."""
        return self.plan is not None and any(change.safety is not Safety.SAFE for change in self.plan.changes)

    @property
    def on_host(self) -> bool:
        """Whether the choice has a host setting that takes effect in this boot."""
        return any(want.tunable.target == "host" and not want.tunable.lasts for want in self.wants())

    @property
    def owned(self) -> tuple[Check, ...]:
        """What the previewed plan is stopped for by an owner, which a person may override."""
        return tuple(one for one in self._stops() if one.question in OVERRIDABLE)

    def obstacle(self, read_costs: bool, *, override_owner: bool = False) -> str | None:
        """Why the previewed plan may not be applied now; None where it may."""
        return self._of_machine() or self._of_plan(read_costs, override_owner)

    def _of_machine(self) -> str | None:
        if not self.writable:
            return f"{self._here.machine.title} is a recording: it can be planned for, not changed."
        if self.journals.problem is not None:
            return f"The journals cannot be read, and nothing is applied beside them: {self.journals.problem}"
        if self.journals.trial is not None:
            return "A plan waits to be confirmed; press Keep it, or Undo."
        left = self.journals.half_way
        if left is not None:
            return f"Plan {left.id} was left half-way; settle it below with Resume or Undo."
        return None

    def _of_plan(self, read_costs: bool, override_owner: bool) -> str | None:
        if self.typed.problems:
            return "A value that was typed cannot be set; what is wrong with it stands beside it."
        if not self.previewed:
            return "The preview does not show yet what was typed."
        if self.problem is not None:
            return "There is no preview, so there is nothing to apply."
        if self.plan is None or not self.plan.changes:
            return "There is nothing to apply in this choice."
        for check in self._stops():
            if not (override_owner and check.question in OVERRIDABLE):
                return f"The preflight stops this plan; {check.subject}: {check.said}"
        if self.disruptive and not read_costs:
            return "Some changes cost something: read what, and tick the box above the button."
        return None

    def _stops(self) -> tuple[Check, ...]:
        checks = self.plan.checks if self.plan is not None else ()
        return tuple(check for check in checks if check.outcome is Answer.STOPS)

    @property
    def at_risk(self) -> bool:
        """Whether the previewed plan could cut off the reader's own link."""
        return self.plan is not None and bool(link.at_risk(self.plan.changes, self._here.machine))

    @property
    def default_seconds(self) -> int:
        """Within how many seconds the previewed plan is to be kept where nobody chose; 0 is no guard."""
        return guard.DEFAULT_SECONDS if self.at_risk else 0

    def apply(
        self,
        read_costs: bool,
        progress: Progress,
        *,
        confirm_within: int | None = None,
        override_owner: bool = False,
    ) -> Outcome:
        """Carry out the previewed plan and read it back; on a stale plan nothing is written and a new one is made.

        ``confirm_within`` (seconds; None as the verb decides, 0 never): only its live part, which is taken back
        unless it is kept in time.
        """
        obstacle = self.obstacle(read_costs, override_owner=override_owner)
        if obstacle is not None:
            return Outcome(False, obstacle)
        assert self.plan is not None, "there is an obstacle otherwise"
        plan = self.plan
        try:
            journal = self._here.apply(
                plan,
                accept_disruptive=read_costs,
                override_owner=override_owner,
                confirm_within=confirm_within,
                progress=progress,
            )
            if journal.state == "waiting":
                said = "What works at once is written; all of it is taken back unless you keep it in time."
                return Outcome(True, said, journal_id=journal.id)
            count = words.plural(len(plan.changes), "change")
            return judged(self._here.verify(plan), f"{count} written", journal.id)
        except (StalePlan, DomainGone) as problem:
            said = f"The machine changed since this preview: {problem}. Nothing was written."
            return Outcome(False, f"{said} The preview was made anew; read it before you press Apply again.")
        except KvmnbError as problem:
            return self._told(problem, plan)
        finally:
            self.refresh()

    def _told(self, problem: KvmnbError, plan: Plan) -> Outcome:
        """A problem, with the commands for a person who has the rights that kvmnb has not got."""
        told = failed(problem)
        machine = self._here.machine
        lacking = tuple(one for one in plan.changes if rooted.needs_root(machine, one.tunable))
        if not isinstance(problem, Refused) or not lacking or "; by hand: " not in told.sentence:
            return told
        said = told.sentence.partition("; by hand: ")[0] + "."
        return Outcome(False, said, commands=tuple(one.tunable.command(one.after) for one in lacking))

    def undoable(self) -> Journal | None:
        """The newest journal of this machine with something to take back."""
        return self.journals.undoable()

    def undo(self, progress: Progress) -> Outcome:
        """Take back the newest journal that stands."""
        journal = self.undoable()
        if journal is None:
            return Outcome(False, "There is nothing to take back on this machine.")
        return self.journals.undo(journal.id, progress)

    def refresh(self) -> None:
        """Look at the machine again and preview anew, keeping the choice where it still stands."""
        kept = self.chosen
        self.journals.look()
        self.audit = self._look()
        self.choose(key(one) for one in self.offers if key(one) in kept)

    def _look(self) -> Audit:
        return self._here.audit(goal=self._goal, rules=self._rules)

    def _findings(self) -> tuple[Finding, ...]:
        wanted = None if self.guest == HOST else self.guest
        return tuple(finding for finding in self.audit.findings if finding.domain == wanted)

    def _neediest(self) -> str:
        """The name with the worst finding that can be followed; guests that are shut off come last."""
        running = {None, *(domain.name for domain in self._here.facts().domains if domain.running)}
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
