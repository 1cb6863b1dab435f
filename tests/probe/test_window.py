"""A window is kept in a recording without names, and gives the same rates again."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from kvmnb.core import codec
from kvmnb.core.errors import KvmnbError, NotAnswered
from kvmnb.machine import sources
from kvmnb.probe.counters import Reading
from kvmnb.probe.load import load_between, probe_load, recorded_load
from kvmnb.probe.window import as_window, window_of
from kvmnb.share.record import record
from tests.builders import uuid_of
from tests.small_host import write_host
from tests.terminal.calling import kvmnb

GUEST = (uuid_of("payroll"), "payroll")
BEFORE = Reading(
    100.0,
    {
        ("cpu", "0"): (0.0,) * 8,
        ("vcpu", *GUEST, "0"): (1.0, 0.0),
        ("vhost", *GUEST, "77"): (1.0, 0.0),
        ("disk", GUEST[0], "vda"): (0.0, 0.0, 0.0, 0.0),
        ("nic", "payroll-net"): (0.0,) * 6,
        ("block", "sda"): (0.0,) * 5,
        ("vmstat",): (0.0, 0.0),
        ("softnet", "0"): (0.0, 0.0),
        ("idle", "0", "C6"): (0.0,),
        ("idle", "0", "payroll"): (0.0,),
        ("interrupts", "0"): (0.0,),
        ("quota", GUEST[0], "vcpu0"): (0.0, 0.0),
        ("usable", GUEST[0]): (0.0, 0.0),
    },
    {},
)
AFTER = Reading(
    110.0,
    {
        **{key: tuple(value + 5.0 for value in values) for key, values in BEFORE.counters.items()},
        ("disk", GUEST[0], "vda"): (100.0, 4096.0, 50.0, 8192.0),
    },
    {"disks": "libvirt did not answer for payroll"},
)


def a_recording(folder: Path) -> Path:
    host = write_host(folder)
    (host / "window.json").write_text(codec.to_json(as_window(BEFORE, replace(AFTER, unread={}))))
    return host


def test_a_recording_of_a_recording_keeps_the_rates_and_no_name(tmp_path: Path) -> None:
    machine = sources.recorded(a_recording(tmp_path / "host"))
    load = recorded_load(machine)
    assert load is not None
    (guest,) = load.guests
    assert (guest.vcpus[0].run_ratio, guest.threads[0].kind, guest.threads[0].run_ratio) == (0.5, "vhost", 0.5)
    (disk,) = guest.disks
    assert [disk.requests_per_second, disk.bytes_per_second] == pytest.approx([15.0, 1228.8])
    record(machine, tmp_path / "out")
    again = recorded_load(sources.recorded(tmp_path / "out"))
    assert again is not None
    assert again.guests[0].disks == guest.disks and again.blocks == load.blocks
    assert [(one.name, one.entered_per_second) for one in again.cpus[0].idle] == [("C6", 0.5), ("other", 0.5)]
    assert (again.guests[0].throttled_ratio, again.guests[0].memory_usable_ratio) == (1.0, 1.0)
    assert GUEST[0] not in (tmp_path / "out/window.json").read_text()
    assert "payroll" not in (tmp_path / "out/window.json").read_text()


def test_what_libvirt_did_not_count_is_a_gap() -> None:
    (guest,) = load_between(BEFORE, AFTER).guests
    assert guest.gap_of("disks") is not None


def test_a_machine_without_a_window_has_none(tmp_path: Path) -> None:
    machine = sources.recorded(write_host(tmp_path / "host"))
    assert recorded_load(machine) is None
    with pytest.raises(NotAnswered, match="counters stand still"):
        probe_load(machine, 1.0)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"schema": "kvmnb.window/2", "readings": []}'])
def test_a_broken_window_is_one_sentence(tmp_path: Path, text: str) -> None:
    host = a_recording(tmp_path / "host")
    (host / "window.json").write_text(text)
    with pytest.raises(KvmnbError, match="cannot be read"):
        recorded_load(sources.recorded(host))


def test_time_has_to_pass_between_readings() -> None:
    with pytest.raises(KvmnbError, match="no time lies"):
        window_of(as_window(AFTER, BEFORE))


def test_an_audit_reads_the_window_of_a_recording(tmp_path: Path) -> None:
    host = a_recording(tmp_path / "host")
    facts = json.loads(kvmnb("facts", "--recorded", str(host), "--window", "1", "--json").stdout)
    assert facts["load"]["seconds"] == 10.0
    done = kvmnb("audit", "--recorded", str(host), "--window", "1", "--json")
    assert done.returncode in (0, 1) and json.loads(done.stdout)["schema"] == "kvmnb.audit/1"
    assert kvmnb("audit", "--demo", "--window", "0").returncode == 2
