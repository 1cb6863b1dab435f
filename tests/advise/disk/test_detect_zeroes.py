"""disk.detect_zeroes: the search for zeroes in what the guest writes does not fit the goal."""

from __future__ import annotations

import pytest

from kvmnb.advise.finding import Severity
from tests.advise.disk.builders import a_block, a_disk, storage_host
from tests.builders import a_domain, found, silent, values

RULE = "disk.detect_zeroes"
HOST = storage_host()
PATH = "domain_xml:devices/disk[vda]/driver/@detect_zeroes"
UNMAP = "discard='unmap'"


def test_where_space_counts_zeroes_are_looked_for() -> None:
    finding = found(RULE, HOST, a_domain(devices=a_disk(driver=UNMAP)), goal="density")
    assert values(finding) == {PATH: "unmap"}
    assert finding.severity is Severity.LOW


@pytest.mark.parametrize(
    "driver", ["", "discard='ignore'", f"{UNMAP} detect_zeroes='off'", f"{UNMAP} detect_zeroes='unmap'"]
)
def test_for_density_it_is_silent_otherwise(driver: str) -> None:
    assert silent(RULE, HOST, a_domain(devices=a_disk(driver=driver)), goal="density")


def test_storage_that_is_not_thin_gains_nothing() -> None:
    host = storage_host(a_block(discard_max_bytes=0))
    assert silent(RULE, host, a_domain(devices=a_disk(kind="block", format="raw", driver=UNMAP)), goal="density")


@pytest.mark.parametrize("goal", ["latency", "throughput"])
@pytest.mark.parametrize("value", ["on", "unmap"])
def test_where_speed_counts_they_are_not(value: str, goal: str) -> None:
    guest = a_domain(devices=a_disk(driver=f"{UNMAP} detect_zeroes='{value}'"))
    assert values(found(RULE, HOST, guest, goal=goal)) == {PATH: None}


@pytest.mark.parametrize("driver", ["", UNMAP, "detect_zeroes='off'"])
def test_for_speed_it_is_silent_otherwise(driver: str) -> None:
    assert silent(RULE, HOST, a_domain(devices=a_disk(driver=driver)), goal="latency")


@pytest.mark.parametrize("driver", [UNMAP, "detect_zeroes='on'"])
def test_goal_balanced_hears_nothing(driver: str) -> None:
    assert silent(RULE, HOST, a_domain(devices=a_disk(driver=driver)))
