"""dom.schema_drop: libvirt will leave out a part of this XML without a word."""

from __future__ import annotations

import pytest

from kvmnb.advise.finding import Safety, Severity
from tests.advise.parts import a_domain_with
from tests.builders import a_domain, a_host, cells, found, silent

RULE = "dom.schema_drop"
HOST = a_host()
PAGES = "<memoryBacking><hugepages><page size='2' unit='MiB' nodeset='0'/></hugepages></memoryBacking>"


def nic(model: str, queues: bool = True) -> str:
    driver = "<driver name='vhost' queues='4'/>" if queues else ""
    head = "<interface type='bridge'><mac address='52:54:00:00:00:01'/><source bridge='b'/>"
    return f"{head}<model type='{model}'/>{driver}</interface>"


@pytest.mark.parametrize("goal", ["latency", "throughput", "balanced", "density"])
def test_queues_of_a_card_that_is_not_virtio_are_dropped(goal: str) -> None:
    finding = found(RULE, HOST, a_domain(devices=nic("e1000")), goal=goal)
    assert "52:54:00:00:00:01 mean nothing to a e1000" in finding.saw
    assert (finding.severity, finding.safety) == (Severity.HIGH, Safety.MANUAL)


def test_pins_of_vcpus_that_are_not_there_are_dropped() -> None:
    assert "vcpupin names vCPUs 2, and the guest has 2" in found(RULE, HOST, a_domain(pins={0: "0", 2: "1"})).saw


def test_pages_for_cells_that_are_not_there_are_dropped() -> None:
    assert "names guest cells" in found(RULE, HOST, a_domain_with(PAGES)).saw


def test_what_libvirt_keeps_is_silent() -> None:
    assert silent(RULE, HOST, a_domain(devices=nic("virtio"), pins={1: "1"}))
    assert silent(RULE, HOST, a_domain(devices=nic("virtio-non-transitional")))
    assert silent(RULE, HOST, a_domain(devices=nic("e1000", queues=False)))
    assert silent(RULE, HOST, a_domain_with(PAGES, cpu=cells(("0-1", 4))))
    assert silent(RULE, HOST, a_domain_with("<memoryBacking><hugepages/></memoryBacking>"))


def test_other_hypervisors_are_not_judged() -> None:
    assert silent(RULE, HOST, a_domain(virt_type="xen", pins={9: "1"}))
