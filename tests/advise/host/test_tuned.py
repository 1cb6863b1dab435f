"""host.tuned: TuneD runs with a profile that is not for hosts of guests."""

from __future__ import annotations

import pytest

from kvmnb.advise.finding import Safety, Severity, Sure
from tests.advise.parts import a_domain_with, a_host_with, tuned
from tests.builders import a_domain, a_host, found, silent

RULE = "host.tuned"


@pytest.mark.parametrize("profile", ["balanced", "powersave", "desktop", "virtual-guest"])
@pytest.mark.parametrize("goal", ["latency", "throughput", "balanced", "density"])
def test_a_profile_for_other_machines_is_found(profile: str, goal: str) -> None:
    finding = found(RULE, a_host_with(owners=tuned(profile)), a_domain(), goal=goal)
    assert f"TuneD's profile is {profile}" in finding.saw
    assert (finding.severity, finding.safety, finding.sure) == (Severity.MEDIUM, Safety.MANUAL, Sure.CERTAIN)
    assert finding.by_hand[0] == "sudo tuned-adm profile virtual-host"


def test_the_profile_below_virtual_host_is_only_told() -> None:
    assert found(RULE, a_host_with(owners=tuned("throughput-performance")), a_domain()).severity is Severity.INFO


def test_a_profile_without_transparent_hugepages_hurts_guests_that_live_on_them() -> None:
    host = a_host_with(owners=tuned("network-latency"))
    assert "1 of them have no hugepages" in found(RULE, host, a_domain()).saw
    own = a_domain_with("<memoryBacking><hugepages/></memoryBacking>")
    assert silent(RULE, host, own)


@pytest.mark.parametrize("profile", ["virtual-host", "realtime-virtual-host", "ours", None])
def test_other_profiles_are_somebodys_choice(profile: str | None) -> None:
    assert silent(RULE, a_host_with(owners=tuned(profile)), a_domain())


def test_where_processes_cannot_be_seen_it_is_only_likely() -> None:
    finding = found(RULE, a_host_with(owners=tuned("balanced", running=None)), a_domain())
    assert finding.sure is Sure.LIKELY
    assert "cannot be seen" in (finding.note or "")


def test_without_tuned_or_without_guests_it_is_silent() -> None:
    assert silent(RULE, a_host(), a_domain())
    assert silent(RULE, a_host_with(owners=tuned("balanced", running=False)), a_domain())
    assert silent(RULE, a_host_with(owners=tuned("balanced", installed=False)), a_domain())
    assert silent(RULE, a_host_with(owners=tuned("balanced")), a_domain(running=False))
