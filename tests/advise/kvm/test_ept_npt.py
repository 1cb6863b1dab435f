"""kvm.ept_npt: the CPU's second level of page tables is switched off."""

from __future__ import annotations

from typing import Any

import pytest

from kvmnb.advise.finding import Safety, Severity
from tests.advise.parts import a_host_with, parameters
from tests.builders import a_host, found, silent

RULE = "kvm.ept_npt"


@pytest.mark.parametrize("words", [{"kvm_intel__ept": "N"}, {"kvm_intel__ept": "0"}, {"kvm_amd__npt": "N"}])
@pytest.mark.parametrize("goal", ["latency", "throughput", "balanced", "density"])
def test_tables_that_are_off_are_found(words: dict[str, Any], goal: str) -> None:
    finding = found(RULE, a_host_with(parameters=parameters(**words)), goal=goal)
    assert (finding.severity, finding.safety, finding.wants) == (Severity.CRITICAL, Safety.MANUAL, ())
    assert any("modprobe" in line for line in finding.by_hand)


def test_what_the_kernel_was_booted_with_is_told() -> None:
    host = a_host_with(parameters=parameters(kvm_intel__ept="N"), command_line=("ro", "kvm_intel.ept=0"))
    assert "booted with kvm_intel.ept=0" in found(RULE, host).saw


@pytest.mark.parametrize("words", [{"kvm_intel__ept": "Y"}, {"kvm_amd__npt": "1"}, {"kvm_intel__eptad": "N"}])
def test_tables_that_are_on_are_right(words: dict[str, Any]) -> None:
    assert silent(RULE, a_host_with(parameters=parameters(**words)))


def test_without_the_modules_there_is_nothing_to_judge() -> None:
    assert silent(RULE, a_host())
