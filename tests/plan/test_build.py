"""Wants become a plan that can be read, saved and trusted."""

from __future__ import annotations

from pathlib import Path

import pytest

from kvmnb.advise.finding import Safety
from kvmnb.core import codec
from kvmnb.core.errors import Conflict, DomainGone, KvmnbError, Refused, XmlError
from kvmnb.machine.hypervisor import Layer, Thread
from kvmnb.machine.machine import Machine
from kvmnb.machine.sources import scratch
from kvmnb.plan.build import build
from kvmnb.plan.plan import from_text, to_document
from kvmnb.tunable.domain_live import DomainLive
from kvmnb.tunable.domain_xml import DomainXml
from kvmnb.tunable.sysfs import Sysfs
from kvmnb.tunable.tunable import Want
from tests.findings import a_finding
from tests.small_host import HOST_UUID, UUIDS, write_guest, write_host

EPP = Sysfs("devices/system/cpu/cpufreq/policy0/energy_performance_preference")
PIN = DomainXml("web", UUIDS[0], "cputune/vcpupin[0]/@cpuset")
LIVE = DomainLive("web", UUIDS[0], Thread.VCPU, 0)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    source = write_host(tmp_path / "recorded")
    write_guest(source, "web", 0)
    write_guest(source, "db", 1, running=False)
    return scratch(source, tmp_path / "copy")


def test_a_plan_holds_before_and_after_in_the_order_of_writing(machine: Machine) -> None:
    plan = build([a_finding(Want(LIVE, "1"), Want(PIN, "1")), a_finding(Want(EPP, "performance"))], machine, HOST_UUID)
    assert [(str(one.tunable), one.before, one.after) for one in plan.changes] == [
        ("sysfs:host:devices/system/cpu/cpufreq/policy0/energy_performance_preference", "balance_power", "performance"),
        ("domain_live:web:vcpupin[0]", "0-3", "1"),
        ("tmpfiles:host:devices/system/cpu/cpufreq/policy0/energy_performance_preference", None, "performance"),
        ("domain_xml:web:cputune/vcpupin[0]/@cpuset", None, "1"),
    ]
    assert plan.domains == {"web": UUIDS[0]}
    added = [line for line in plan.xml_diffs["web"].splitlines() if line.startswith("+") and "+++" not in line]
    assert added == ["+  <cputune>", "+    <vcpupin vcpu='0' cpuset='1'/>", "+  </cputune>"]
    assert plan.commands[1] == "virsh vcpupin web 0 1 --live"


def test_a_plan_for_this_boot_alone_holds_no_lasting_form(machine: Machine) -> None:
    plan = build([a_finding(Want(EPP, "performance"))], machine, HOST_UUID, live_only=True)
    assert [str(one.tunable) for one in plan.changes] == [str(EPP)]


def test_a_lasting_file_of_another_hand_is_left_out_and_said(machine: Machine) -> None:
    machine.tree.put("etc/tmpfiles.d/00-kvmnb.conf", "w /sys/power/state - - - - mem\n")
    plan = build([a_finding(Want(EPP, "performance"))], machine, HOST_UUID)
    assert [str(one.tunable) for one in plan.changes] == [str(EPP)]
    assert len(plan.notes) == 1
    assert "/etc/tmpfiles.d/00-kvmnb.conf is not as kvmnb writes it" in plan.notes[0]


def test_what_holds_already_is_dropped(machine: Machine) -> None:
    assert not build([a_finding(Want(EPP, "balance_power"), Want(PIN, None))], machine, HOST_UUID)


def test_a_saved_plan_reads_back_as_it_was(machine: Machine) -> None:
    plan = build([a_finding(Want(LIVE, "1"), Want(PIN, "1"), Want(EPP, "performance"))], machine, HOST_UUID)
    assert from_text(codec.to_json(to_document(plan)).encode(), "the plan") == plan


def test_two_wants_that_disagree_are_refused_with_both_rules(machine: Machine) -> None:
    with pytest.raises(Conflict, match=r"'1' by a\.b and as '2' by c\.d"):
        build([a_finding(Want(PIN, "1"), rule="a.b"), a_finding(Want(PIN, "2"), rule="c.d")], machine, HOST_UUID)


def test_two_wants_that_agree_are_one_change_with_both_rules(machine: Machine) -> None:
    graver = a_finding(Want(PIN, "1"), rule="c.d", safety=Safety.DISRUPTIVE)
    change = build([a_finding(Want(PIN, "1"), rule="a.b"), graver], machine, HOST_UUID).changes[0]
    assert (change.why, change.safety, change.costs) == (
        ("a.b", "c.d"),
        Safety.DISRUPTIVE,
        ("the guest has to stop and start",),
    )


def test_no_plan_pins_two_vcpus_to_one_cpu(machine: Machine) -> None:
    other = DomainXml("db", UUIDS[1], "cputune/vcpupin[1]/@cpuset")
    with pytest.raises(Conflict, match="would both be pinned to CPU 1"):
        build([a_finding(Want(PIN, "1"), Want(other, "1"))], machine, HOST_UUID)


def test_a_manual_finding_gives_its_commands_and_no_change(machine: Machine) -> None:
    plan = build([a_finding(Want(PIN, "1"), safety=Safety.MANUAL, by_hand=("echo by hand",))], machine, HOST_UUID)
    assert not plan.changes
    assert plan.commands == ("echo by hand  # cpu.mode, host",)


def test_an_edit_that_the_schema_refuses_makes_no_plan(machine: Machine) -> None:
    if not Path("/usr/share/libvirt/schemas/domain.rng").exists():
        pytest.skip("libvirt's schemas are not installed")
    with pytest.raises(XmlError, match="schema refuses the edited XML"):
        build([a_finding(Want(DomainXml("web", UUIDS[0], "cpu/@mode"), "fastest"))], machine, HOST_UUID)


def test_a_domain_that_is_not_there_makes_no_plan(machine: Machine) -> None:
    with pytest.raises(DomainGone, match="'gone' is no longer there"):
        build([a_finding(Want(DomainXml("gone", UUIDS[5], "cpu/@mode"), "maximum"))], machine, HOST_UUID)
    with pytest.raises(DomainGone):
        build([a_finding(Want(DomainXml("web", UUIDS[5], "cpu/@mode"), "maximum"))], machine, HOST_UUID)


def test_a_password_is_in_no_text_of_a_plan(machine: Machine) -> None:
    element = DomainXml("web", UUIDS[0], "devices/graphics[vnc][0]/@port")
    plan = build([a_finding(Want(PIN, "1"), Want(element, "5999"))], machine, HOST_UUID)
    assert "opensesame" in machine.libvirt.xml(UUIDS[0], Layer.PERSISTENT)
    assert "passwd='***'" in plan.xml_diffs["web"]
    assert "opensesame" not in codec.to_json(to_document(plan))


def _document(machine: Machine) -> dict[str, object]:
    plan = build([a_finding(Want(LIVE, "1"), Want(PIN, "1"))], machine, HOST_UUID)
    document: dict[str, object] = to_document(plan)
    return document


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("schema", "kvmnb.plan/9"),
        ("id", "../../etc/passwd"),
        ("more", 1),
        ("changes", [{}]),
        ("host", "x"),
        ("domains", {}),
    ],
)
def test_a_plan_file_that_is_not_as_kvmnb_writes_it_is_refused(machine: Machine, key: str, value: object) -> None:
    document = _document(machine) | {key: value}
    with pytest.raises(KvmnbError, match=r"the plan|UUID"):
        from_text(codec.to_json(document).encode(), "the plan")


def test_a_plan_file_cannot_say_that_a_change_is_undone_another_way(machine: Machine) -> None:
    document = _document(machine)
    changes = [dict(one) for one in document["changes"]]  # type: ignore[attr-defined]
    changes[0]["undo"] = "exact"
    with pytest.raises(Refused, match="its undo is equal in effect"):
        from_text(codec.to_json(document | {"changes": changes}).encode(), "the plan")


def test_a_plan_file_cannot_change_one_tunable_twice(machine: Machine) -> None:
    document = _document(machine)
    changes = list(document["changes"])  # type: ignore[call-overload]
    with pytest.raises(Refused, match="one tunable twice"):
        from_text(codec.to_json(document | {"changes": [*changes, changes[0]]}).encode(), "the plan")
