"""disk.cache.unsafe: a disk drops the guest's flushes."""

from __future__ import annotations

import pytest

from kvmnb.advise.finding import Safety, Severity
from tests.advise.disk.builders import a_block, a_disk, a_mount, storage_host
from tests.builders import a_domain, found, silent, values

RULE = "disk.cache.unsafe"
HOST = storage_host(a_block("sda", transport="sata"), mounts=(a_mount(device="sda"),))


@pytest.mark.parametrize("goal", ["balanced", "latency", "throughput"])
def test_flushes_are_honoured_again(goal: str) -> None:
    finding = found(RULE, HOST, a_domain(devices=a_disk(driver="cache='unsafe'")), goal=goal)
    assert values(finding) == {"domain_xml:devices/disk[vda]/driver/@cache": "writeback"}
    assert (finding.severity, finding.safety) == (Severity.CRITICAL, Safety.DISRUPTIVE)


@pytest.mark.parametrize(("chain", "value"), [(0, "none"), (1, "writeback")])
def test_on_nvme_it_gets_direct_io_in_one_step(chain: int, value: str) -> None:
    finding = found(RULE, storage_host(), a_domain(devices=a_disk(driver="cache='unsafe'", chain=chain)))
    assert values(finding) == {"domain_xml:devices/disk[vda]/driver/@cache": value}


@pytest.mark.parametrize("mode", ["none", "writeback", "writethrough", "directsync", "default"])
def test_all_other_modes_honour_flushes(mode: str) -> None:
    assert silent(RULE, HOST, a_domain(devices=a_disk(driver=f"cache='{mode}'")))


@pytest.mark.parametrize("more", ["<transient/>", "<readonly/>"])
def test_a_disk_that_keeps_nothing_may_drop_them(more: str) -> None:
    assert silent(RULE, HOST, a_domain(devices=a_disk(driver="cache='unsafe'", more=more)))


def test_goal_density_hears_nothing() -> None:
    assert silent(RULE, HOST, a_domain(devices=a_disk(driver="cache='unsafe'")), goal="density")
