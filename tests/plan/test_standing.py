"""Who owns a guest, what is being done to it, and what its next start goes on from."""

from __future__ import annotations

from kvmnb.facts.domain import Domain, State
from kvmnb.facts.gap import changed
from kvmnb.facts.ownership import DomainOwner
from kvmnb.plan.check import Check, Outcome
from kvmnb.plan.edited import EditedDomain
from kvmnb.plan.standing import standing
from tests.builders import a_domain, a_fact

QUIET = a_fact(State, name="shutoff", managed_save=False, snapshots=0, job=None)


def asked(before: Domain, after: Domain | None = None) -> dict[str, Check]:
    edited = EditedDomain(before, "", "", before.wanted, (after or before).wanted)
    return {check.question: check for check in standing(edited)}


def outcomes(checks: dict[str, Check]) -> dict[str, Outcome]:
    return {question: check.outcome for question, check in checks.items()}


def test_a_guest_that_nobody_owns_and_nothing_is_done_to_passes() -> None:
    assert outcomes(asked(changed(a_domain(), state=QUIET))) == {"owner": Outcome.PASSED, "job": Outcome.PASSED}


def test_an_owner_stops_the_plan_and_is_named_with_where_to_set_it() -> None:
    owner = DomainOwner(name="OpenStack", evidence="its metadata says so", set_there="Set it in the flavor.")
    check = asked(changed(a_domain(), state=QUIET, owners=(owner,)))["owner"]
    assert check.outcome is Outcome.STOPS
    assert "belongs to OpenStack: its metadata says so. Set it in the flavor." in check.said
    assert "--override-owner" in check.said


def test_a_cluster_is_an_owner_too() -> None:
    owner = DomainOwner(name="Pacemaker", evidence="the cluster starts it", set_there="Change it on every node.")
    assert outcomes(asked(changed(a_domain(), state=QUIET, cluster=owner)))["owner"] is Outcome.STOPS


def test_a_running_job_stops_the_plan() -> None:
    check = asked(changed(a_domain("a b"), state=changed(QUIET, job="migration_out")))["job"]
    assert check.outcome is Outcome.STOPS
    assert "migration_out" in check.said and "virsh domjobinfo 'a b'" in check.said


def test_a_saved_image_and_snapshots_are_told() -> None:
    found = asked(changed(a_domain(), state=changed(QUIET, managed_save=True, snapshots=2)))
    assert (found["managed-save"].outcome, found["snapshots"].outcome) == (Outcome.TOLD, Outcome.TOLD)
    assert "2 snapshots" in found["snapshots"].said


def test_what_a_migration_target_must_have_is_told_where_the_plan_newly_asks_for_it() -> None:
    before = changed(a_domain(cpu=""), state=QUIET)
    after = a_domain(pins={0: "1"}, cpu="<cpu mode='host-passthrough'/>")
    said = asked(before, after)["migration"].said
    assert "pinned to" in said and "same CPU model" in said
    assert "migration" not in asked(changed(after, state=QUIET), after)


def test_a_state_that_was_not_told_is_no_pass() -> None:
    assert asked(changed(a_domain(), state=None))["job"].outcome is Outcome.UNKNOWN
