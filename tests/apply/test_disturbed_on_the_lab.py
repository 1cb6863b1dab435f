"""libvirt alters a define, restarts, or loses the guest while a plan is applied: all is as before."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from kvmnb.advise.intent_file import read_intent
from kvmnb.apply.run import apply_plan, resume_plan, undo_plan
from kvmnb.apply.shelf import HALF_WAY, Shelf
from kvmnb.core.errors import ApplyFailed
from kvmnb.machine.connection import Connection
from kvmnb.machine.hypervisor import Thread
from kvmnb.machine.machine import Machine
from kvmnb.machine.sources import live
from kvmnb.plan.build import build
from kvmnb.plan.plan import Plan, new_id
from kvmnb.tunable.domain_live import DomainLive
from kvmnb.tunable.domain_xml import DomainXml
from kvmnb.tunable.tunable import Want
from kvmnb.verbs import Here
from tests.apply.killing import killed
from tests.findings import a_finding
from tests.lab.daemon import Lab
from tests.lab.guest import Guest

pytestmark = pytest.mark.lab

Start = Callable[..., Guest]


def planned(machine: Machine, *wants: Want) -> tuple[Plan, str | None]:
    host_uuid = Here(machine, read_intent()).host_uuid
    return build([a_finding(*wants)], machine, host_uuid, live_only=True), host_uuid


def test_a_kill_around_a_define_that_libvirt_alters_leaves_the_xml_as_it_was(lab: Lab, guest: Start) -> None:
    """libvirt takes the sum of the cells for the memory: the guest would have half of what it has."""
    one = guest(vcpus=2, system=False)
    before = one.xml()
    cells = "<numa><cell id='0' cpus='0-1' memory='65536' unit='KiB'/></numa>"
    machine = live(lab.uri)
    plan, host_uuid = planned(machine, Want(DomainXml(one.name, one.uuid, "cpu/numa"), cells))
    with pytest.raises(ApplyFailed, match="memory"):
        apply_plan(plan, machine, host_uuid)
    assert one.xml() == before

    altered = False
    for at in range(100):
        again = replace(plan, id=new_id())

        def work(again: Plan = again) -> None:
            with pytest.raises(ApplyFailed):
                apply_plan(again, live(lab.uri), host_uuid)

        came_so_far = killed(work, at)
        altered |= one.xml() != before
        for journal in Shelf.own().journals():
            if journal.state in HALF_WAY and at % 2:
                undo_plan(journal, machine, host_uuid)
            elif journal.state in HALF_WAY:
                # Forward it fails again, and is rolled back; backward it goes on.
                with contextlib.suppress(ApplyFailed):
                    resume_plan(journal, machine, host_uuid)
        assert one.xml() == before, f"killed at {at}"
        if not came_so_far:
            break
    assert altered, "one kill comes between the define and its putting back"


def test_a_libvirtd_that_restarts_half_way_stops_the_plan_and_all_is_taken_back(
    lab: Lab, guest: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = guest(vcpus=2, system=False)
    before, threads = one.xml(), [one.affinities[thread] for thread in one.vcpu_threads]
    machine = live(lab.uri)
    plan, host_uuid = planned(
        machine,
        Want(DomainLive(one.name, one.uuid, Thread.VCPU, 0), "0"),
        Want(DomainXml(one.name, one.uuid, "cputune/vcpupin[0]/@cpuset"), "0"),
    )
    whole = Connection.define
    restarts: list[str] = []

    def interrupted(self: Any, uuid: str, xml: str) -> None:
        if not restarts:
            restarts.append(uuid)
            lab.restart()
        whole(self, uuid, xml)

    monkeypatch.setattr(Connection, "define", interrupted)
    with pytest.raises(ApplyFailed, match="all that the plan had changed was taken back"):
        apply_plan(plan, machine, host_uuid)
    one.reconnect()
    assert one.xml() == before
    assert [one.affinities[thread] for thread in one.vcpu_threads] == threads


def test_a_guest_that_dies_half_way_stops_the_plan_and_all_is_taken_back(
    lab: Lab, guest: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = guest(vcpus=2, system=False)
    before = one.xml()
    machine = live(lab.uri)
    plan, host_uuid = planned(
        machine,
        Want(DomainLive(one.name, one.uuid, Thread.VCPU, 0), "0"),
        Want(DomainLive(one.name, one.uuid, Thread.VCPU, 1), "1"),
        Want(DomainXml(one.name, one.uuid, "cputune/vcpupin[0]/@cpuset"), "0"),
    )
    whole = Connection.pin

    def dying(self: Any, uuid: str, thread: Thread, number: int, cpus: Any) -> None:
        if number == 1:
            one.domain.destroy()
        whole(self, uuid, thread, number, cpus)

    monkeypatch.setattr(Connection, "pin", dying)
    with pytest.raises(ApplyFailed, match="not running"):
        apply_plan(plan, machine, host_uuid)
    assert one.xml() == before
    assert next(Shelf.own().journals()).standing() == ()
