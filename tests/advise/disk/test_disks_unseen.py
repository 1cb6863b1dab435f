"""A fact about storage that is taken away leads to "not checked", never to silence."""

from __future__ import annotations

import pytest

from kvmnb.advise.intent import Goal, Intent
from kvmnb.advise.registry import audit, rules
from kvmnb.facts.domain import Domain
from tests.advise.disk.builders import DEBIAN, a_block, a_disk, a_mount, says_os, scsi_controller, storage_host
from tests.advise.unseen import findings_lost
from tests.builders import a_domain

OURS = [rule.id for rule in rules() if rule.area in ("disk", "host")]
KEPT = {("name",), ("uuid",), ("running",), ("persistent",)}
HOST = storage_host(
    a_block(scheduler="bfq"),
    mounts=(a_mount(options=("rw", "nobarrier")),),
    sysctls={"kernel.io_uring_disabled": "2"},
    libvirt="11.2.0",
    qemu="10.0.0",
)
GUESTS = (
    a_disk(driver="cache='unsafe' io='io_uring'"),
    a_disk(kind="block", driver="cache='none' queues='1'"),
    a_disk("sda", bus="sata", driver="detect_zeroes='on'"),
    a_disk("sda", bus="scsi") + scsi_controller("lsilogic"),
    a_disk("sda", bus="scsi") + scsi_controller(driver="queues='1'"),
    a_disk(chain=3, driver="discard='unmap'"),
)


def scene() -> list[Domain]:
    """Guests of which each has one disk, so that no other disk speaks for the one that is not seen."""
    found = [
        says_os(a_domain(f"g{number}", vcpus=4, machine="pc-q35-5.1", devices=devices), DEBIAN)
        for number, devices in enumerate(GUESTS)
    ]
    mapped = a_domain("mapped", vcpus=4, iothreads=1, devices=a_disk(driver="cache='none' iothread='1'"))
    return [*found, mapped]


@pytest.mark.parametrize("goal", [Goal.LATENCY, Goal.THROUGHPUT, Goal.DENSITY], ids=lambda goal: goal.value)
def test_a_storage_fact_that_is_taken_away_is_not_checked(goal: Goal) -> None:
    domains = scene()
    before = audit(HOST, domains, Intent(goal=goal), only=OURS)
    assert len(before.findings) > 5
    assert findings_lost(HOST, domains, Intent(goal=goal), OURS) > 50
