from __future__ import annotations

import pytest

from kvmnb.core.errors import KvmnbError
from kvmnb.measure.series import Event, Frame, Series
from kvmnb.measure.usage import COLUMNS, WORDS, Usage, Usages, sort_rows

VALUES = {
    Series("kvm_vcpu_run_seconds_total", "a", 0): 0.5,
    Series("kvm_vcpu_run_seconds_total", "a", 1): 0.25,
    Series("kvm_vcpu_run_delay_seconds_total", "a", 0): 0.1,
    Series("kvm_disk_reads_total", "a", "vda"): 100.0,
    Series("kvm_disk_writes_total", "a", "vda"): 100.0,
    Series("kvm_disk_read_seconds_total", "a", "vda"): 0.3,
    Series("kvm_disk_write_seconds_total", "a", "vda"): 0.1,
    Series("kvm_disk_read_bytes_total", "a", "vda"): 4096.0,
    Series("kvm_nic_received_bytes_total", "a", "vnet0"): 10.0,
    Series("kvm_nic_received_bytes_total", "a", "vnet1"): 20.0,
    Series("kvm_guest_resident_bytes", "a", ""): 1024.0,
    Series("host_cpu_busy_seconds_total", "", 0): 1.0,
}


def frame(at: float, values: dict[Series, float], **more: object) -> Frame:
    return Frame(at, values, period=1.0, **more)  # type: ignore[arg-type]


def test_a_guests_parts_are_added_up_and_latency_is_time_by_requests() -> None:
    usages = Usages({"a": "db01"})
    usages.take(frame(1.0, VALUES))
    assert usages.rows() == (
        Usage(
            uuid="a",
            name="db01",
            cpu=0.75,
            run_delay=0.1,
            disk_requests=200.0,
            disk_bytes_read=4096.0,
            disk_latency=0.002,
            network_bytes_in=30.0,
            memory_bytes=1024.0,
        ),
    )
    (row,) = usages.rows()
    assert (row.disk_bytes, row.network_bytes) == (4096.0, 30.0)


def test_what_is_read_rarely_stays_till_it_is_late_and_what_is_read_each_tick_does_not() -> None:
    usages = Usages({})
    usages.take(frame(1.0, VALUES))
    usages.take(frame(10.0, {Series("kvm_vcpu_run_seconds_total", "a", 0): 0.5}))
    (row,) = usages.rows()
    assert (row.cpu, row.run_delay, row.memory_bytes, row.disk_requests) == (0.5, None, 1024.0, 200.0)
    usages.take(frame(27.0, {Series("kvm_vcpu_run_seconds_total", "a", 0): 0.5}))
    (row,) = usages.rows()
    assert (row.memory_bytes, row.disk_requests) == (None, None)


def test_a_guest_that_has_a_gap_stays_with_its_reason_and_one_that_stopped_goes() -> None:
    usages = Usages({"a": "db01"})
    usages.take(frame(1.0, {Series("kvm_vcpu_run_seconds_total", "a", 0): 0.5}))
    usages.take(frame(5.0, {}, gaps={"a": "its QEMU is stopped by a signal"}))
    assert usages.rows() == (Usage(uuid="a", name="db01", gap="its QEMU is stopped by a signal"),)
    usages.take(frame(6.0, {}, events=(Event(6.0, "guest stopped", "a", "db01 stopped"),)))
    assert usages.rows() == ()


def test_the_name_of_a_guest_that_starts_is_learnt() -> None:
    usages = Usages({})
    started = Event(1.0, "guest started", "b", "web 1 started")
    usages.take(frame(1.0, {Series("kvm_vcpu_run_seconds_total", "b", 0): 0.5}, events=(started,)))
    assert [one.name for one in usages.rows()] == ["web 1"]


def test_why_no_guest_is_seen_is_told() -> None:
    usages = Usages({})
    usages.take(frame(1.0, {}, gaps={"libvirt": "the daemon is gone"}))
    assert usages.problem == "the daemon is gone"


def test_the_most_stand_first_those_unread_last_and_equal_ones_by_name() -> None:
    rows = [
        Usage(uuid="1", name="c", cpu=0.1),
        Usage(uuid="2", name="b", cpu=None),
        Usage(uuid="3", name="a", cpu=0.1),
        Usage(uuid="4", name="d", cpu=2.0),
    ]
    assert [one.name for one in sort_rows(rows, "cpu")] == ["d", "a", "c", "b"]
    assert [one.name for one in sort_rows(rows, "name")] == ["a", "b", "c", "d"]
    with pytest.raises(KvmnbError, match="cannot be sorted by 'cup'; did you mean"):
        sort_rows(rows, "cup")


def test_every_column_has_a_word_and_a_letter_of_its_own() -> None:
    assert len(set(WORDS)) == len(COLUMNS) + 1
    assert len({one.letter for one in COLUMNS} | {"n", "q"}) == len(COLUMNS) + 2
