"""Who takes whose CPU, told by series."""

from __future__ import annotations

import pytest

from kvmnb.core.errors import KvmnbError
from kvmnb.facts.gap import Gap
from kvmnb.machine import sources
from kvmnb.measure.moment import HYPERVISOR, INTERRUPTS, QUOTA, UNKNOWN, Kind, Party
from kvmnb.measure.neighbourhood import NO_PROCESSES, matrix_of, told_by
from kvmnb.measure.neighbours import Matrix
from kvmnb.measure.series import GUESTS, Frame, Series


def of(guest: str, part: int | str, run: float, delay: float, cpu: int) -> dict[Series, float]:
    kind = "vcpu" if isinstance(part, int) else "thread"
    return {
        Series(f"kvm_{kind}_run_seconds_total", guest, part): run,
        Series(f"kvm_{kind}_run_delay_seconds_total", guest, part): delay,
        Series(f"kvm_{kind}_last_cpu", guest, part): cpu,
    }


def host(cpu: int, busy: float, **more: float) -> dict[Series, float]:
    values = {"busy": busy, "irq": 0.0, "softirq": 0.0, "steal": 0.0} | more
    return {Series(f"host_cpu_{name}_seconds_total", "", cpu): value for name, value in values.items()}


def frames(values: dict[Series, float], count: int = 4) -> list[Frame]:
    return [Frame(float(number), values, period=1.0) for number in range(count)]


def caused(found: Matrix | Gap) -> dict[tuple[str, Party], float]:
    assert isinstance(found, Matrix)
    return {key: round(rate, 3) for key, rate in found.caused.items()}


def test_a_pair_on_one_cpu_and_what_else_ran_there() -> None:
    values = {
        **of("a", 0, 0.4, 0.6, 1),
        **of("b", 0, 0.3, 0.0, 1),
        **of("b", "vhost-7", 0.1, 0.0, 1),
        **host(1, 0.95, softirq=0.05, steal=0.05),
    }
    found = told_by(frames(values))
    assert caused(found) == {
        ("a", Party(Kind.GUEST, "b")): 0.3,
        ("a", Party(Kind.VHOST, "b")): 0.1,
        ("a", INTERRUPTS): 0.05,
        ("a", HYPERVISOR): 0.05,
        ("a", UNKNOWN): 0.1,
    }
    assert isinstance(found, Matrix)
    assert (found.seconds, found.looks, found.gaps) == (3.0, 4, (NO_PROCESSES,))


@pytest.mark.parametrize("group", ["vcpu0", "guest"])
def test_the_own_quota_of_a_vcpu_or_of_the_guest_is_taken_out_first(group: str) -> None:
    throttled = {Series("kvm_guest_throttled_seconds_total", "a", group): 0.6}
    found = told_by(frames({**of("a", 0, 0.4, 0.6, 0), **throttled, **host(0, 0.4)}))
    assert caused(found) == {("a", QUOTA): 0.6}


def test_series_that_are_missing_are_named() -> None:
    values = of("a", 0, 0.4, 0.6, 0)
    found = told_by(frames({series: value for series, value in values.items() if "last_cpu" not in series.metric}))
    assert isinstance(found, Gap)
    assert "kvm_vcpu_last_cpu, host_cpu_busy_seconds_total" in found.reason


def test_nothing_is_joined_over_a_gap() -> None:
    busy = {**of("a", 0, 0.4, 0.6, 0), **of("b", 0, 0.6, 0.0, 0), **host(0, 1.0)}
    gap = Frame(9.0, {}, {GUESTS: "the recording starts again"})
    found = told_by([*frames(busy, 2), gap, *frames(busy, 2)])
    assert caused(found) == {("a", Party(Kind.GUEST, "b")): 0.6}
    assert isinstance(found, Matrix)
    assert found.seconds == 2.0


@pytest.mark.parametrize("a_second", [0.5, 100.0, float("nan")])
def test_looks_that_tell_nothing_or_cost_too_much_are_refused(a_second: float) -> None:
    with pytest.raises(KvmnbError, match="ask for 1 to 20"):
        matrix_of(sources.tree("/"), 1.0, a_second)
