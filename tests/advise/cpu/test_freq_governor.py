"""cpu.freq.governor: the host's clock policy holds the CPUs back."""

from __future__ import annotations

import pytest

from kvmnb.advise.finding import Safety, Severity
from tests.builders import a_host, a_policy, found, silent, values

RULE = "cpu.freq.governor"
PASSIVE = ("performance", "schedutil", "ondemand", "powersave", "conservative", "userspace")


@pytest.mark.parametrize(
    ("driver", "governor", "latency", "throughput"),
    [
        ("acpi-cpufreq", "powersave", True, True),
        ("acpi-cpufreq", "ondemand", True, False),
        ("acpi-cpufreq", "conservative", True, False),
        ("acpi-cpufreq", "userspace", True, False),
        ("acpi-cpufreq", "schedutil", False, False),
        ("acpi-cpufreq", "performance", False, False),
        ("intel_cpufreq", "powersave", True, True),
        ("amd-pstate", "powersave", True, True),
        ("intel_pstate", "powersave", False, False),
        ("amd-pstate-epp", "powersave", False, False),
    ],
)
def test_the_governor_counts_where_it_decides(driver: str, governor: str, latency: bool, throughput: bool) -> None:
    host = a_host(cores=2, frequency=a_policy(driver, governor, epp=None, governors=PASSIVE))
    for goal, speaks in (("latency", latency), ("throughput", throughput)):
        if speaks:
            finding = found(RULE, host, goal=goal)
            assert values(finding) == {
                f"sysfs:devices/system/cpu/cpufreq/policy{number}/scaling_governor": "performance" for number in (0, 1)
            }
            assert (finding.subject, finding.safety) == ("host/cpufreq", Safety.SAFE)
            assert finding.severity is Severity.MEDIUM
            assert f"governor {governor} under driver {driver} on CPUs 0-1" in finding.saw
        else:
            assert silent(RULE, host, goal=goal)


@pytest.mark.parametrize(
    ("epp", "speaks"),
    [("power", True), ("balance_power", True), ("balance_performance", False), ("performance", False), ("128", False)],
)
def test_a_saving_preference_is_found(epp: str, speaks: bool) -> None:
    host = a_host(cores=1, frequency=a_policy(epp=epp))
    for goal in ("latency", "throughput"):
        assert silent(RULE, host, goal=goal) is not speaks
    if speaks:
        wanted = {"sysfs:devices/system/cpu/cpufreq/policy0/energy_performance_preference": "performance"}
        assert values(found(RULE, host, goal="latency")) == wanted


@pytest.mark.parametrize(("limit", "speaks"), [(3_499_999, True), (3_500_000, False)])
def test_a_limit_below_what_the_cpu_has_is_lifted(limit: int, speaks: bool) -> None:
    host = a_host(cores=1, frequency=a_policy(scaling_max_khz=limit))
    assert silent(RULE, host, goal="throughput") is not speaks
    if speaks:
        wanted = {"sysfs:devices/system/cpu/cpufreq/policy0/scaling_max_freq": "3500000"}
        assert values(found(RULE, host, goal="throughput")) == wanted


@pytest.mark.parametrize("goal", ["balanced", "density"])
def test_other_goals_hear_nothing(goal: str) -> None:
    assert silent(RULE, a_host(frequency=a_policy(epp="power")), goal=goal)


def test_a_host_without_cpufreq_has_nothing_to_judge() -> None:
    assert silent(RULE, a_host(), goal="latency")


def test_policies_of_offline_cpus_do_not_count() -> None:
    finding = found(RULE, a_host(cores=3, offline="1", frequency=a_policy(epp="power")), goal="latency")
    assert "on CPUs 0,2" in finding.saw
    assert len(finding.wants) == 2


def test_a_value_that_is_not_offered_is_not_wanted() -> None:
    host = a_host(cores=1, frequency=a_policy("acpi-cpufreq", "powersave", epp=None, governors=("powersave",)))
    finding = found(RULE, host, goal="latency")
    assert (finding.wants, finding.safety) == ((), Safety.MANUAL)
    assert "scaling_governor does not offer 'performance'" in (finding.note or "")


def test_a_limit_is_told_in_mhz_with_its_place() -> None:
    host = a_host(cores=2, frequency=a_policy(scaling_max_khz=1_250_000))
    finding = found(RULE, host, goal="throughput")
    assert finding.saw == (
        "clock limited to 1250 MHz of 3500 MHz on CPUs 0-1 (/sys/devices/system/cpu/cpufreq/policy*)"
    )
    assert (finding.by_hand, finding.costs) == ((), ("more power and heat",))


def test_a_limit_above_what_the_cpu_has_is_none() -> None:
    assert silent(RULE, a_host(cores=1, frequency=a_policy(scaling_max_khz=3_600_000)), goal="throughput")


def test_what_cannot_be_written_is_looked_up_in_the_firmware() -> None:
    host = a_host(cores=1, frequency=a_policy("acpi-cpufreq", "powersave", epp=None, governors=("powersave",)))
    assert found(RULE, host, goal="latency").by_hand == (
        "Look in the firmware's settings for a power profile that lets the system choose.",
    )
