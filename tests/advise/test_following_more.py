"""Following findings about the machine, the clock and the kernel's module, each alone and all together."""

from __future__ import annotations

import pytest

from kvmnb.advise.intent import Goal, Intent
from kvmnb.advise.registry import audit
from kvmnb.facts.host import Host
from tests.advise.parts import a_host_with, parameters, xml_with
from tests.advise.test_following import check_following, check_following_all
from tests.builders import Guest, a_guest, cells

HASWELL = "<cpu mode='custom' match='exact'><model fallback='forbid'>Haswell-noTSX</model></cpu>"
SOME = "<features><acpi/><hyperv><relaxed state='on'/><vpindex state='off'/></hyperv></features>"
CLOCK = (
    "<clock offset='utc'><timer name='rtc' tickpolicy='delay'/><timer name='hpet' present='yes'/>"
    "<timer name='kvmclock' present='no'/></clock>"
)


def the_scene() -> tuple[Host, list[Guest]]:
    host = a_host_with(
        kvm_device=True,
        cpu_flags=frozenset(["pcid", "ibrs", "stibp", "ssbd", "md_clear"]),
        parameters=parameters(kvm__halt_poll_ns="900000"),
    )
    windows = xml_with("windows", SOME + CLOCK)
    linux = xml_with("linux", CLOCK, cpu=HASWELL)
    return host, [
        a_guest("emulated", virt_type="qemu"),
        a_guest("named", cpu=HASWELL, running=False),
        a_guest("old", windows=True, machine="pc-q35-3.1", vcpus=2, cpu=cells(("0", 2), ("1", 2))),
        Guest(windows, windows),
        Guest(linux, linux),
    ]


@pytest.mark.parametrize("goal", list(Goal), ids=lambda goal: goal.value)
def test_each_is_silenced_alone_and_with_all_others(goal: Goal) -> None:
    check_following(*the_scene(), goal)
    check_following_all(*the_scene(), goal)


def test_the_scene_holds_what_it_is_meant_to() -> None:
    host, guests = the_scene()
    fired = set()
    for goal in Goal:
        findings = audit(host, [guest.domain for guest in guests], Intent(goal=goal)).findings
        fired |= {one.id for one in findings if one.wants}
    assert fired >= {
        "cpu.kvm.accel", "cpu.mitigation.guest_flags", "dev.agent", "dev.timer.linux", "kvm.halt_poll", "win.hyperv",
        "win.timers",
    }  # fmt: skip


def test_the_test_driver_takes_what_is_wanted() -> None:
    libvirt = pytest.importorskip("libvirt", reason="libvirt-python is not installed")
    host, guests = the_scene()
    findings = audit(host, [guest.domain for guest in guests], Intent(goal=Goal.LATENCY)).findings
    connection = libvirt.open("test:///default")
    try:
        for guest in guests:
            followed = guest.following([want for one in findings for want in one.wants])
            assert followed.xml != guest.xml
            domain = connection.defineXMLFlags(followed.xml, libvirt.VIR_DOMAIN_DEFINE_VALIDATE)
            assert domain.name() == guest.domain.name
    finally:
        connection.close()
