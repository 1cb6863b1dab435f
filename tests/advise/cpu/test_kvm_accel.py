"""cpu.kvm.accel: the guest is emulated although this host has KVM."""

from __future__ import annotations

from dataclasses import replace

from kvmnb.advise.finding import Safety, Severity
from tests.advise.parts import a_host_with
from tests.builders import a_domain, found, silent, values

RULE = "cpu.kvm.accel"
HOST = a_host_with(kvm_device=True)


def test_an_emulated_guest_becomes_one_of_kvm() -> None:
    finding = found(RULE, HOST, a_domain(virt_type="qemu"))
    assert values(finding) == {"domain_xml:@type": "kvm"}
    assert (finding.severity, finding.safety) == (Severity.CRITICAL, Safety.DISRUPTIVE)
    assert "/dev/kvm" in finding.saw


def test_a_guest_of_kvm_is_right() -> None:
    assert silent(RULE, HOST, a_domain())


def test_another_architecture_has_to_be_emulated() -> None:
    assert silent(RULE, HOST, a_domain(virt_type="qemu", arch="aarch64"))


def test_a_host_without_kvm_can_only_emulate() -> None:
    assert silent(RULE, a_host_with(kvm_device=False), a_domain(virt_type="qemu"))


def test_a_guest_that_exists_only_while_it_runs_is_left_to_a_person() -> None:
    guest = replace(a_domain(virt_type="qemu"), persistent=False, inactive=None)
    assert found(RULE, HOST, guest).safety is Safety.MANUAL
