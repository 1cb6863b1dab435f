"""A tunable's text and the tunable are inverse, and nothing else is taken."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kvmnb.core.errors import Refused
from kvmnb.machine.hypervisor import Thread
from kvmnb.tunable.domain_live import DomainLive
from kvmnb.tunable.domain_xml import DomainXml
from kvmnb.tunable.names import parse
from kvmnb.tunable.spelling import percent_decode, percent_encode
from kvmnb.tunable.sysfs import Sysfs

UUID = "6f4e2a58-0f2b-4c58-9a3c-1b2c3d4e5f60"


@given(st.text(min_size=1, max_size=40).filter(lambda text: text.isprintable()))
def test_any_name_survives_its_encoding(name: str) -> None:
    assert percent_decode(percent_encode(name)) == name
    for tunable in (DomainXml(name, UUID, "cpu/@mode"), DomainLive(name, UUID, Thread.VCPU, 3)):
        assert parse(str(tunable), {name: UUID}) == tunable


@pytest.mark.parametrize(
    "text",
    [
        "domain_xml:db:devices/disk[vda]/driver/@cache",
        "domain_xml:db:vcpu/text()",
        "domain_xml:db:cpu/numa/cell[0]/@memory",
        "domain_live:db:emulatorpin",
        "domain_live:db:iothreadpin[1]",
        "sysfs:host:devices/system/cpu/cpufreq/policy0/scaling_governor",
        "sysfs:host:block/nvme0n1/queue/scheduler",
        "sysctl:host:vm.swappiness",
    ],
)
def test_a_tunable_prints_as_it_was_written(text: str) -> None:
    assert str(parse(text, {"db": UUID})) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "sysfs",
        "sysfs:host:",
        "sysfs:other:devices/system/cpu/cpufreq/policy0/scaling_governor",
        "sysfs:host:/devices/system/cpu/cpufreq/policy0/scaling_governor",
        "sysfs:host:devices/../../etc/passwd",
        "sysfs:host:kernel/uevent_helper",
        "sysfs:host:devices/system/cpu/cpufreq/policy0/scaling_governor\n",
        "sysctl:host:kernel.core_pattern",
        "sysctl:host:vm.swappiness ",
        "domain_xml:gone:cpu/@mode",
        "domain_xml:db:cpu/@mode/@x",
        "domain_xml:db:../@x",
        "domain_xml:d%62:cpu/@mode",
        "domain_live:db:vcpupin[x]",
        "domain_live:db:vcpupin[00]",
        "domain_live:db:shutdown",
        "x" * 3000,
    ],
)
def test_what_is_not_spelled_so_is_refused(text: str) -> None:
    with pytest.raises(Refused):
        parse(text, {"db": UUID})


def test_a_sysfs_file_outside_the_allow_list_cannot_be_named() -> None:
    with pytest.raises(Refused, match="is not a setting that kvmnb turns"):
        Sysfs("power/state")
