"""cpu.irq.affinity: devices interrupt the CPUs that vCPUs have alone."""

from __future__ import annotations

import pytest

from kvmnb.advise.finding import Safety, Severity, Sure
from kvmnb.core.cpuset import CpuSet
from kvmnb.facts.gap import Gap, changed
from kvmnb.facts.host import Host
from kvmnb.facts.interrupt import Interrupt
from kvmnb.facts.kernel import Owner
from kvmnb.facts.load import Load
from tests.advise.parts import a_host_with
from tests.advise.windows import a_cpu_load, a_window
from tests.builders import a_domain, a_fact, a_host, found, silent

RULE = "cpu.irq.affinity"
PINS = {0: "2", 1: "3"}


def a_host_whose_interrupts_go_to(effective: str | None, mask: str = "0-3", name: str = "eth0", count: int = 1) -> Host:
    irqs = tuple(
        Interrupt(
            number=30 + number,
            chip="IR-PCI-MSI",
            name=name,
            affinity=CpuSet.parse(mask),
            effective_affinity=None if effective is None else CpuSet.parse(effective),
        )
        for number in range(count)
    )
    return changed(a_host(), interrupts=irqs)


@pytest.mark.parametrize("goal", ["latency", "throughput"])
def test_an_interrupt_on_a_cpu_of_a_vcpu_is_likely_to_hurt(goal: str) -> None:
    finding = found(RULE, a_host_whose_interrupts_go_to("2"), a_domain(pins=PINS), goal=goal)
    assert "30 (eth0) on 2" in finding.saw
    assert (finding.severity, finding.sure, finding.safety) == (Severity.LOW, Sure.LIKELY, Safety.MANUAL)
    assert "not measured" in (finding.note or "")
    assert "/proc/irq/30/smp_affinity_list" in finding.by_hand[0]


def test_irqbalance_is_told_to_keep_off() -> None:
    host = a_host_with(
        a_host_whose_interrupts_go_to("3"), owners=(a_fact(Owner, name="irqbalance", installed=True, running=True),)
    )
    finding = found(RULE, host, a_domain(pins=PINS), goal="latency")
    assert finding.by_hand[0].startswith("IRQBALANCE_BANNED_CPULIST=2-3 ")


def test_many_interrupts_are_counted() -> None:
    assert (
        "; and 3 more"
        in found(RULE, a_host_whose_interrupts_go_to("2", count=9), a_domain(pins=PINS), goal="latency").saw
    )


def test_an_old_kernel_tells_only_by_a_mask_of_one() -> None:
    assert (
        "30 (eth0) on 2"
        in found(RULE, a_host_whose_interrupts_go_to(None, "2"), a_domain(pins=PINS), goal="latency").saw
    )
    assert silent(RULE, a_host_whose_interrupts_go_to(None, "2-3"), a_domain(pins=PINS), goal="latency")


def test_interrupts_elsewhere_are_right() -> None:
    assert silent(RULE, a_host_whose_interrupts_go_to("0"), a_domain(pins=PINS), goal="latency")


def test_nobodys_interrupt_does_not_count() -> None:
    assert silent(RULE, a_host_whose_interrupts_go_to("2", name=""), a_domain(pins=PINS), goal="latency")


def test_guests_that_float_or_are_off_have_no_cpus_alone() -> None:
    host = a_host_whose_interrupts_go_to("2")
    assert silent(RULE, host, a_domain(), goal="latency")
    assert silent(RULE, host, a_domain(pins={0: "2-3"}), goal="latency")
    assert silent(RULE, host, a_domain(pins=PINS, running=False), goal="latency")


def test_goal_balanced_hears_nothing() -> None:
    assert silent(RULE, a_host_whose_interrupts_go_to("2"), a_domain(pins=PINS))


def test_six_interrupts_are_told_one_by_one_and_a_seventh_is_counted() -> None:
    guest = a_domain(pins=PINS)
    six = "; ".join(f"{30 + number} (eth0) on 2" for number in range(6))
    said = [found(RULE, a_host_whose_interrupts_go_to("2", count=count), guest, goal="latency").saw for count in (6, 7)]
    where = " (/proc/irq/*/effective_affinity_list)"
    first = "vCPUs of running guests have CPUs 2-3 alone, and interrupts go there: "
    assert said == [f"{first}{six}{where}", f"{first}{six}; and 1 more{where}"]


@pytest.mark.parametrize(("name", "running"), [("irqbalance", False), ("tuned", True), ("a-balancer", True)])
def test_without_a_running_irqbalance_the_interrupt_itself_is_moved(name: str, running: bool) -> None:
    host = a_host_with(
        a_host_whose_interrupts_go_to("3"), owners=(a_fact(Owner, name=name, installed=True, running=running),)
    )
    assert "smp_affinity_list" in found(RULE, host, a_domain(pins=PINS), goal="latency").by_hand[0]


def test_an_old_kernel_without_any_cpu_in_the_mask_tells_nothing() -> None:
    assert silent(RULE, a_host_whose_interrupts_go_to(None, ""), a_domain(pins=PINS), goal="latency")


def test_a_long_name_is_cut() -> None:
    host = a_host_whose_interrupts_go_to("2", name="x" * 41)
    assert f"30 ({'x' * 40}) on 2" in found(RULE, host, a_domain(pins=PINS), goal="latency").saw


def rates(*of_each: float) -> Load:
    """A window in which CPU 0, 1, ... took these."""
    return a_window(cpus=tuple(a_cpu_load(cpu, interrupts_per_second=rate) for cpu, rate in enumerate(of_each)))


@pytest.mark.parametrize(
    ("rate", "severity"), [(0.0, Severity.INFO), (1000.0, Severity.INFO), (1001.0, Severity.MEDIUM)]
)
def test_a_window_shows_how_many_the_vcpus_cpu_took(rate: float, severity: Severity) -> None:
    # CPU 3 is a vCPU's too, but none of these interrupts goes there.
    load = rates(5000, 5000, rate, 5000)
    finding = found(RULE, a_host_whose_interrupts_go_to("2"), a_domain(pins=PINS), goal="latency", load=load)
    assert (finding.severity, finding.sure) == (severity, Sure.CERTAIN)
    assert finding.note == f"CPU 2 took most of them: {rate:.0f} interrupts/s of devices over 10 s"


def test_the_busiest_of_the_cpus_counts() -> None:
    host, guest = a_host_whose_interrupts_go_to("2-3"), a_domain(pins=PINS)
    notes = [found(RULE, host, guest, goal="latency", load=rates(0, 0, *two)).note for two in ((7, 9), (9, 7))]
    assert [note.partition(" took")[0] for note in notes if note] == ["CPU 3", "CPU 2"]


@pytest.mark.parametrize(
    "load",
    [
        rates(9000),
        a_window(cpus=Gap("cpus", "late")),
        a_window(cpus=(a_cpu_load(2, interrupts_per_second=Gap("n", "late")),)),
    ],
)
def test_a_window_that_does_not_show_the_cpu_tells_nothing(load: Load) -> None:
    finding = found(RULE, a_host_whose_interrupts_go_to("2"), a_domain(pins=PINS), goal="latency", load=load)
    assert (finding.severity, finding.sure) == (Severity.LOW, Sure.LIKELY)
    assert "not measured" in (finding.note or "")
