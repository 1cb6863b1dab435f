"""What the forms need of an opened machine."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from kvmnb.advise.finding import Finding
from kvmnb.advise.registry import Audit
from kvmnb.apply.journal import Journal
from kvmnb.apply.progress import Progress
from kvmnb.apply.standing import Standing
from kvmnb.machine.machine import Machine
from kvmnb.plan.plan import Change, Plan
from kvmnb.probe.survey import Survey
from kvmnb.tunable.tunable import Verdict


class Verbs(Protocol):
    """The verbs that the forms call; ``kvmnb.open()`` gives one."""

    machine: Machine

    def facts(self) -> Survey: ...

    def audit(self, *domains: str, goal: str | None = None, rules: Sequence[str] | None = None) -> Audit: ...

    def plan(self, findings: Iterable[Finding], *, live_only: bool = False) -> Plan: ...

    def apply(
        self,
        plan: Plan,
        *,
        accept_disruptive: bool = False,
        override_owner: bool = False,
        confirm_within: int | None = None,
        progress: Progress,
    ) -> Journal: ...

    def confirm(self, journal: Journal, *, progress: Progress) -> Journal: ...

    def resume(self, journal: Journal, *, progress: Progress) -> Journal: ...

    def verify(self, plan: Plan | Journal) -> tuple[tuple[Change, Verdict], ...]: ...

    def undo(self, journal: Journal, *, take_drifted: bool = False, progress: Progress) -> tuple[Standing, ...]: ...

    def journals(self) -> tuple[Journal, ...]: ...


def takes_changes(here: Verbs) -> bool:
    """Whether this machine takes changes at all; a recording does not."""
    return here.machine.kind not in ("recorded", "root")
