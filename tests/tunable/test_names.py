"""A tunable's text and the tunable are inverse, and nothing else is taken."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kvmnb.core.errors import Refused
from kvmnb.machine.hypervisor import Thread
from kvmnb.tunable.domain_live import DomainLive
from kvmnb.tunable.domain_xml import DomainXml
from kvmnb.tunable.ethtool import Ethtool
from kvmnb.tunable.kernel_arg import KernelArg
from kvmnb.tunable.module import Module
from kvmnb.tunable.mount import Mount
from kvmnb.tunable.names import KINDS, parse
from kvmnb.tunable.spelling import percent_decode, percent_encode
from kvmnb.tunable.sriov import Sriov
from kvmnb.tunable.sysctl import Sysctl
from kvmnb.tunable.sysctl_allowed import ALLOWED
from kvmnb.tunable.sysctl_file import SysctlFile
from kvmnb.tunable.sysfs import Sysfs
from kvmnb.tunable.tmpfiles import Tmpfiles
from kvmnb.tunable.tunable import Tunable
from kvmnb.tunable.udev import Udev

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


_NIC = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,14}", fullmatch=True)
_POINT = st.lists(st.text(st.characters(exclude_characters="/\0", codec="utf-8"), min_size=1, max_size=8), max_size=3)
_KINDS: dict[str, st.SearchStrategy[Tunable]] = {
    "domain_live": st.builds(DomainLive, st.just("db"), st.just(UUID), st.just(Thread.VCPU), st.integers(0, 99_999)),
    "domain_xml": st.just(DomainXml("db", UUID, "vcpu/text()")),
    "ethtool": st.builds(lambda nic, tail: Ethtool(f"{nic}/{tail}"), _NIC, st.sampled_from(["mtu", "rings/rx"])),
    "kernel_arg": st.builds(KernelArg, st.sampled_from(["isolcpus", "hugepages[1G]", "transparent_hugepage"])),
    "module": st.builds(Module, st.sampled_from(["kvm/halt_poll_ns", "kvm_intel/nested"])),
    "mount": st.builds(Mount, _POINT.filter({".", ".."}.isdisjoint).map(lambda parts: "/" + "/".join(parts))),
    "sriov": st.builds(Sriov, st.from_regex(r"[0-9a-f]{4}:[0-9a-f]{2}:[01][0-9a-f]\.[0-7]", fullmatch=True)),
    "sysctl": st.builds(Sysctl, st.sampled_from(sorted(ALLOWED))),
    "sysctl_file": st.builds(SysctlFile, st.sampled_from(sorted(ALLOWED))),
    "sysfs": st.builds(lambda nic: Sysfs(f"class/net/{nic}/bridge/stp_state"), _NIC),
    "tmpfiles": st.builds(
        lambda node: Tmpfiles(f"devices/system/node/node{node}/hugepages/hugepages-2048kB/nr_hugepages"),
        st.integers(0, 99_999),
    ),
    "udev": st.builds(lambda disk: Udev(f"block/{disk}/queue/scheduler"), _NIC),
}


@pytest.mark.parametrize("kind", sorted(_KINDS))
def test_parse_and_print_are_inverse(kind: str) -> None:
    @settings(max_examples=25, deadline=None)
    @given(_KINDS[kind])
    def check(tunable: Tunable) -> None:
        assert parse(str(tunable), {"db": UUID}) == tunable

    check()


def test_every_kind_of_the_host_has_its_inverse_tested() -> None:
    of_guests = {"live_device", "live_iothread", "live_setting"}
    assert set(KINDS) - of_guests == set(_KINDS)


def test_a_sysfs_file_outside_the_allow_list_cannot_be_named() -> None:
    with pytest.raises(Refused, match="is not a setting that kvmnb turns"):
        Sysfs("power/state")
