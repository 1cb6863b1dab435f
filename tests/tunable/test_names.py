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
        "live_setting:db:cputune/global_quota/text()",
        "live_setting:db:devices/disk[vda]/iotune/write_iops_sec_max/text()",
        "live_setting:db:devices/interface[52%3A54%3A00%3A00%3A00%3A01]/bandwidth/inbound/@floor",
        "live_iothread:db:iothread[2]",
        "live_iothread:db:iothread[2]/poll_grow",
        "live_device:db:devices/interface[vnet0]/link/@state",
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
        "live_setting:db:name/text()",
        "live_setting:db:devices/disk[a/b]/iotune/total_bytes_sec/text()",
        "live_iothread:db:iothread[0]",
        "live_iothread:db:iothread[1]/name",
        "live_device:db:devices/disk[vda]/source/@file",
        "live_device:gone:devices/interface[vnet0]/link/@state",
        "x" * 3000,
    ],
)
def test_what_is_not_spelled_so_is_refused(text: str) -> None:
    with pytest.raises(Refused):
        parse(text, {"db": UUID})


@pytest.mark.parametrize(
    ("text", "allowed", "refused"),
    [
        ("sysctl:host:vm.swappiness", ["0", "60", "200"], [None, "", "201", "-1", "6 0", "60\n", "\u0663", "0\0"]),
        ("sysctl:host:net.ipv4.tcp_rmem", ["4096 131072 6291456"], ["4096\t131072\t6291456", "1 2"]),
        ("sysfs:host:block/vda/queue/scheduler", ["none", "bfq"], [None, "[none]", "cfq", "none\n"]),
        ("sysfs:host:block/vda/queue/nr_requests", ["128"], ["\uff11\uff12", "1e3", "1234567890"]),
        ("domain_live:db:vcpupin[1]", ["0", "0-3,8", "0-7,^2"], [None, "", "x", "\u0663", "0" * 20_000]),
        ("domain_xml:db:vcpu/text()", [None, "4", "<a/>"], ["\0", "\x1b", "\ud800", "x" * 300_000]),
    ],
)
def test_a_value_of_another_form_is_refused_before_anything_is_read(
    text: str, allowed: list[str | None], refused: list[str | None]
) -> None:
    tunable = parse(text, {"db": UUID})
    for value in allowed:
        tunable.check(value)
    for value in refused:
        with pytest.raises(Refused):
            tunable.check(value)


@pytest.mark.parametrize("text", ["sysfs:host:block/vd\u0663/queue/scheduler", "domain_live:db:vcpupin[\u0663]"])
def test_digits_are_those_of_ascii(text: str) -> None:
    with pytest.raises(Refused):
        parse(text, {"db": UUID})


def test_a_sysfs_file_outside_the_allow_list_cannot_be_named() -> None:
    with pytest.raises(Refused, match="is not a setting that kvmnb turns"):
        Sysfs("power/state")
