from __future__ import annotations

import pytest

from kvmnb.core.cpuset import CpuSet
from kvmnb.core.units import GIB, KIB
from kvmnb.facts.gap import Gap
from kvmnb.facts.tuning import CpuTune, Hyperv, Iothread, IothreadSched, Tuning, VcpuSched
from tests.builders import a_fact
from tests.probe.whole_domain import RARE, read


def tuning_of(inside: str) -> Tuning:
    return read(f"<domain type='kvm'><name>a</name><memory>1</memory><vcpu>2</vcpu>{inside}</domain>").tuning


def test_shares_and_schedulers_are_read() -> None:
    tuning = read(RARE).tuning
    assert tuning.cputune == a_fact(
        CpuTune,
        emulator_period=20000,
        emulator_quota=10000,
        emulator_scheduler="rr",
        emulator_priority=2,
        cache_tuned=True,
        memory_tuned=True,
    )
    assert tuning.vcpu_schedulers == (VcpuSched(vcpus=CpuSet.of(0, 1), scheduler="fifo", priority=1),)
    assert tuning.iothread_schedulers == (IothreadSched(iothreads=CpuSet.of(2), scheduler="batch", priority=None),)
    assert tuning.iothreads == (
        Iothread(id=1, pool_min=4, pool_max=16, poll_max_nanoseconds=65536, poll_grow=4, poll_shrink=2),
        a_fact(Iothread, id=2),
    )
    assert tuning.throttle_groups == ("slow",)
    assert tuning.perf_events == ("cmt",)


def test_features_are_read_one_by_one_and_all_together() -> None:
    tuning = read(RARE).tuning
    assert tuning.features.hint_dedicated is True
    assert tuning.features.poll_control is False
    assert tuning.features.pvspinlock is False
    assert tuning.features.acpi is True
    assert [(one.name, one.on) for one in tuning.features.all] == [
        ("acpi", True),
        ("pae", False),
        ("pvspinlock", False),
        ("kvm/hint-dedicated", True),
        ("kvm/poll-control", False),
    ]
    assert tuning.feature("pae") is False
    assert tuning.feature("apic") is None
    assert tuning.hyperv == (
        a_fact(Hyperv, name="spinlocks", on=True, retries=8191),
        a_fact(Hyperv, name="stimer", on=True, direct=True),
        a_fact(Hyperv, name="tlbflush", on=True, direct=True, extended=False),
    )
    assert tuning.enlightenment("stimer") is True
    assert tuning.enlightenment("vpindex") is None


def test_the_start_is_read() -> None:
    tuning = read(RARE).tuning
    assert (tuning.boot.loader, tuning.boot.secure, tuning.boot.order) == ("pflash", True, ("network", "hd"))
    assert tuning.firmware == "pflash"
    assert tuning_of("<os firmware='efi'><kernel>/boot/k</kernel></os>").firmware == "efi"
    assert tuning_of("<os firmware='efi'><kernel>/boot/k</kernel></os>").boot.direct_kernel is True
    assert tuning_of("").firmware is None


def test_sizes_are_bytes_and_libvirts_no_limit_is_none() -> None:
    memory = tuning_of(
        "<currentMemory unit='GiB'>2</currentMemory><maxMemory slots='16' unit='KiB'>8388608</maxMemory>"
        "<memtune><hard_limit>4194304</hard_limit><soft_limit unit='KiB'>9007199254740991</soft_limit></memtune>"
    ).memory
    assert (memory.current_bytes, memory.max_bytes, memory.slots) == (2 * GIB, 8388608 * KIB, 16)
    assert (memory.hard_limit_bytes, memory.soft_limit_bytes, memory.swap_hard_limit_bytes) == (4 * GIB, None, None)


def test_the_backing_of_memory_is_read() -> None:
    memory = tuning_of(
        "<memoryBacking><nosharepages/><source type='memfd'/><access mode='shared'/>"
        "<allocation mode='immediate' threads='8'/><discard/></memoryBacking>"
    ).memory
    assert (memory.no_merging, memory.source, memory.access) == (True, "memfd", "shared")
    assert (memory.allocation, memory.allocation_threads, memory.discard) == ("immediate", 8, True)


def test_a_broken_size_is_a_gap_of_that_field_alone() -> None:
    memory = tuning_of("<memtune><hard_limit>much</hard_limit></memtune>").memory
    assert memory.gap_of("hard_limit_bytes") == Gap(
        "domains[a].tuning.memory.hard_limit_bytes", "memtune/hard_limit: 'much' is not a size that libvirt knows"
    )
    assert memory.soft_limit_bytes is None


def test_weights_of_the_guest_and_of_devices_are_read() -> None:
    tuning = tuning_of(
        "<blkiotune><weight>500</weight><device><path>/dev/sda</path><weight>200</weight></device></blkiotune>"
        "<resource><partition>/fast</partition></resource>"
    )
    assert (tuning.blkio.weight, tuning.blkio.devices, tuning.block_weight) == (500, 1, 500)
    assert tuning.resource_partition == "/fast"
    broken = tuning_of("<blkiotune><weight>x</weight></blkiotune>")
    assert broken.gap_of("block_weight") is not None
    assert broken.blkio.gap_of("weight") is not None


def test_security_metadata_and_words_for_qemu_are_read() -> None:
    tuning = tuning_of(
        "<metadata><a:b xmlns:a='urn:a'><c:d xmlns:c='urn:c'/></a:b></metadata><description>mine</description>"
        "<launchSecurity type='sev'/><seclabel type='dynamic' model='selinux'/><seclabel model='dac'/>"
        "<q:commandline xmlns:q='http://libvirt.org/schemas/domain/qemu/1.0'/>"
    )
    assert tuning.metadata_namespaces == ("urn:a", "urn:c")
    assert tuning.description == "mine"
    assert tuning.launch_security == "sev"
    assert tuning.security_models == ("selinux", "dac")
    assert (tuning.qemu_arguments, tuning.qemu_overrides) == (True, False)
    assert read(RARE).tuning.product == "A thing"


def test_a_commandline_element_of_another_namespace_hands_nothing_to_qemu() -> None:
    assert tuning_of("<commandline/><q:commandline xmlns:q='urn:dummy'/>").qemu_arguments is False


@pytest.mark.parametrize("text", ["", "kvmclock"])
def test_timers_keep_what_is_not_said_apart_from_off(text: str) -> None:
    tuning = tuning_of(
        "<clock offset='localtime'><timer name='hpet' present='no'/>"
        f"<timer name='{text}' tickpolicy='catchup'/></clock>"
    )
    assert tuning.clock_offset == "localtime"
    assert [(one.name, one.present, one.tickpolicy) for one in tuning.timers] == [
        ("hpet", False, None),
        (text, None, "catchup"),
    ]
