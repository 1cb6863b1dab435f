"""Each pattern: it fires on its sign, is silent without it, and says so where a series is missing."""

from __future__ import annotations

import pytest

from kvmnb.advise import registry
from kvmnb.core.errors import KvmnbError
from kvmnb.measure.diagnose.diagnosis import diagnose, pattern, patterns
from kvmnb.measure.diagnose.pattern import HEADINGS
from kvmnb.measure.diagnose.signals import Signals
from kvmnb.measure.moment import QUOTA, UNKNOWN, Kind, Party
from kvmnb.measure.neighbours import Matrix
from kvmnb.measure.series import Series
from kvmnb.measure.window import Span, Window

GUEST = "11111111-2222-3333-4444-555555555555"
Values = dict[tuple[str, int | str], float]


def many(metric: str, *means: float) -> Values:
    return {(metric, number): mean for number, mean in enumerate(means)}


def ran(*means: float) -> Values:
    return many("kvm_vcpu_run_seconds_total", *means)


def waited(*means: float) -> Values:
    return many("kvm_vcpu_run_delay_seconds_total", *means)


def at(part: str | int, **values: float) -> Values:
    return {(metric, part): value for metric, value in values.items()}


def disk(seconds: float, below: float) -> Values:
    none = {"kvm_disk_writes_total": 0.0, "kvm_disk_write_seconds_total": 0.0}
    below_none = {"host_disk_writes_total": 0.0, "host_disk_write_seconds_total": 0.0}
    return {
        **at("vda", kvm_disk_reads_total=100, kvm_disk_read_seconds_total=seconds, **none),
        **at("sda", host_disk_reads_total=100, host_disk_read_seconds_total=below, **below_none),
        **at("iothread1", kvm_thread_run_seconds_total=0.97),
    }


def pressure(share: float) -> Values:
    kinds = ("host_pressure_some_seconds_total", "host_pressure_full_seconds_total")
    return {(kind, resource): share for kind in kinds for resource in ("memory", "io")}


def kernel(soft: float) -> Values:
    shares = {"busy": 0.8, "system": 0.1, "irq": 0.0, "softirq": soft}
    parts = at(0, **{f"host_cpu_{name}_seconds_total": share for name, share in shares.items()})
    return {**parts, **at("", host_context_switches_total=12000)}


def quota(used_up: float) -> Values:
    periods = {"kvm_guest_quota_periods_total": 10.0, "kvm_guest_throttled_periods_total": used_up}
    return {**ran(0.4), **at("vcpu0", kvm_guest_throttled_seconds_total=0.6, **periods)}


def exits(rate: float) -> Values:
    return {**at(0, kvm_vcpu_exits_total=rate, kvm_vcpu_halt_exits_total=rate / 4), **ran(1.0)}


def remote(far: float) -> Values:
    return {**many("kvm_guest_node_memory_bytes", 1 - far, far), **many("kvm_vcpu_last_node", 0, 0), **ran(0.9, 0.1)}


def balloon(usable: float) -> Values:
    inner = {"kvm_guest_inner_swap_in_bytes_total": 2.0**20, "kvm_guest_inner_major_faults_total": 30.0}
    return at("", kvm_guest_balloon_bytes=2**30, kvm_guest_balloon_usable_bytes=usable * 2**30, **inner)


def memory(huge: float) -> Values:
    pages = at("", kvm_guest_hugepage_bytes=huge * 2**33, kvm_guest_resident_bytes=(1 - huge) * 2**33)
    return {**pages, **ran(0.9)}


def flushes(each: float) -> Values:
    return at("vda", kvm_disk_flushes_total=20, kvm_disk_flush_seconds_total=20 * each, kvm_disk_writes_total=50)


def vhost(share: float) -> Values:
    return at("vhost-9", kvm_thread_run_seconds_total=share, kvm_thread_run_delay_seconds_total=0.05)


def softnet(drops: float) -> Values:
    return at(0, host_softnet_dropped_packets_total=drops, host_softnet_squeezes_total=3)


def packets(first: float, second: float) -> Values:
    return {**many("host_softnet_packets_total", first, second), **many("host_cpu_softirq_seconds_total", 0.8, 0.1)}


def host(name: str, *means: float) -> Values:
    return many(f"host_cpu_{name}_seconds_total", *means)


def tap(lost: float) -> Values:
    return {**at("vnet0", kvm_nic_receive_dropped_packets_total=lost), **waited(0.2)}


def swap(rate: float) -> Values:
    return {**at("", host_swap_in_bytes_total=rate), **pressure(0)}


def swapped(held: float) -> Values:
    return at("", kvm_guest_swapped_bytes=held, kvm_guest_major_faults_total=40)


POLL, RING = "kvm_vcpu_halt_poll_fail_seconds_total", "host_nic_ring_dropped_packets_total"

# Pattern, values with the sign, values without, words of what was seen.
SCENES: list[tuple[str, Values, Values, str]] = [
    ("cpu.saturated", host("busy", 0.97, 0.95), host("busy", 0.97, 0.2), "busy 96%"),
    ("cpu.system", kernel(0.4), kernel(0.05), "mostly interrupts and packets"),
    ("cpu.iowait", host("iowait", 0.4, 0.2) | pressure(0.5), host("iowait", 0.4, 0.2) | pressure(0), "disks 30%"),
    ("cpu.steal", host("steal", 0.3, 0.1), host("steal", 0.01, 0.01), "of CPU 0 30.0%"),
    ("cpu.single_vcpu", ran(0.1, 0.99, 0.05), ran(0.9, 0.99, 0.8), "vCPU 1 runs 99%"),
    ("cpu.run_delay", waited(0.02, 0.5), waited(0.02, 0.04), "vCPU 1 waits 50%"),
    ("cpu.throttled", quota(5), quota(0), "50% of the quota's periods"),
    ("cpu.guest_bound", ran(0.99, 0.95) | waited(0.01, 0), ran(0.99, 0.95) | waited(0.2, 0), "runs 95%"),
    ("cpu.exits", exits(80000), exits(9000), "80,000 exits/s"),
    ("cpu.halt_poll", many(POLL, 0.1, 0.2), many(POLL, 0.01, 0.02), "0.30 s/s in vain"),
    ("mem.remote", remote(0.4), remote(0.05), "40% of its memory is on NUMA node 1"),
    ("mem.host_swap", swap(5 * 2**20), swap(0), "5.0 MiB/s"),
    ("mem.swapped", swapped(2**28), swapped(0), "256 MiB of its memory"),
    ("mem.guest_pressure", balloon(0.05), balloon(0.5), "5% of its memory"),
    ("mem.tlb", memory(0), memory(1), "8.0 GiB of 8.0 GiB"),
    ("disk.device", disk(2, 1.9), disk(2, 0.2), "20.0 ms, and 19.0 ms of it in sda"),
    ("disk.above", disk(2, 0.2), disk(2, 1.9), "iothread1, runs 97% of the time, full"),
    ("disk.flush", flushes(0.03), flushes(0.001), "take 30.0 ms each"),
    ("net.ring", {(RING, "eth0"): 7}, {(RING, "eth0"): 0}, "eth0 loses 7.0 packets/s"),
    ("net.softnet", softnet(4), softnet(0), "CPU 0 drops 4.0 packets/s"),
    ("net.tap", tap(9), tap(0), "its vCPUs wait for CPUs (20%)"),
    ("net.vhost", vhost(0.9), vhost(0.3), "vhost-9 runs 90%"),
    ("net.single_queue", packets(95000, 5000), packets(60000, 40000), "CPU 0 takes 95%"),
    ("host.pressure", at("cpu", host_pressure_some_seconds_total=0.4), pressure(0), "still for cpu 40%"),
]


def signals(values: Values, neighbours: Matrix | None = None) -> Signals:
    spans = {
        Series(metric, GUEST if metric.startswith("kvm") else "", part): Span(value, value, 10)
        for (metric, part), value in values.items()
    }
    return Signals(Window(10, spans), {GUEST: "db"}, {(GUEST, "vda"): "sda"}, neighbours)


@pytest.mark.parametrize(("name", "firing", "silent", "words"), SCENES, ids=[one[0] for one in SCENES])
def test_a_pattern_fires_on_its_sign_and_is_silent_without_it(
    name: str, firing: Values, silent: Values, words: str
) -> None:
    found = [one.saw for one in diagnose(signals(firing)).symptoms if one.id == f"diag.{name}"]
    assert len(found) == 1
    assert words in found[0]
    assert f"diag.{name}" in {one for one, _ in diagnose(signals(silent)).checked}


def test_every_pattern_has_a_scene_and_a_file_of_its_name() -> None:
    assert {one.id for one in patterns()} == {f"diag.{one[0]}" for one in SCENES}
    assert all(one.id.replace(".", "_") == f"diag_{one.module.rpartition('.')[2]}" for one in patterns())


def test_without_series_nothing_is_taken_for_health() -> None:
    found = diagnose(signals({}))
    assert (found.symptoms, found.checked) == ((), ())
    assert {one.id for one in found.not_checked} == {one.id for one in patterns()}
    assert "no value of it was read in this window" in found.not_checked[0].reason


def test_the_reason_of_a_gap_is_told() -> None:
    found = diagnose(Signals(Window(1, {}, {GUEST: "its QEMU has ended"}), {GUEST: "db"}))
    told = {one.reason for one in found.not_checked if one.id == "diag.cpu.run_delay"}
    assert told == {"kvm_vcpu_run_delay_seconds_total: its QEMU has ended"}


def test_what_a_quota_held_back_is_no_wait_for_others() -> None:
    values = waited(0.6) | at("vcpu0", kvm_guest_throttled_seconds_total=0.6)
    assert "diag.cpu.run_delay" in {one for one, _ in diagnose(signals(values)).checked}


def test_who_takes_the_cpu_is_named() -> None:
    matrix = Matrix(5, {(GUEST, Party(Kind.PROCESS, "backup")): 0.4})
    (found,) = (one for one in diagnose(signals(waited(0.5), matrix)).symptoms if "delay" in one.id)
    assert (found.severity.value, found.culprits) == ("high", ("process backup: 0.40 s/s",))


def test_many_who_take_a_little_are_told_together_what_is_unknown_apart_and_the_own_quota_not_at_all() -> None:
    many_little = {(GUEST, Party(Kind.PROCESS, f"p{number}")): 0.02 - number / 1000 for number in range(8)}
    matrix = Matrix(5, {(GUEST, QUOTA): 0.3, (GUEST, UNKNOWN): 0.1, **many_little})
    (found,) = (one for one in diagnose(signals(waited(0.5), matrix)).symptoms if "delay" in one.id)
    assert found.culprits[0] == "process p0: 0.02 s/s"
    assert found.culprits[5:] == ("3 others: 0.04 s/s", "unknown: 0.10 s/s")


def test_every_pattern_has_all_headings_and_is_answered_by_rules_that_there_are() -> None:
    assert {one.id for one in patterns() if tuple(one.text[1]) != HEADINGS} == set()
    assert {answer for one in patterns() for answer in one.answers} <= {rule.id for rule in registry.rules()}
    assert all(each.name.startswith("diag.") and each.source for one in patterns() for each in one.thresholds)


def test_a_pattern_that_is_not_there_is_told_with_near_ones() -> None:
    with pytest.raises(KvmnbError, match=r"did you mean diag\.cpu\.steal"):
        pattern("diag.cpu.steel")
