"""Rates are what grew between two readings, by the second."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from kvmnb.core.errors import KvmnbError, NotAnswered
from kvmnb.facts.gap import NotSeen
from kvmnb.machine import sources
from kvmnb.machine.files import Files
from kvmnb.probe.counters import Reading, read_counters
from kvmnb.probe.load import load_between, probe_load
from tests.small_host import write_host
from tests.terminal.calling import kvmnb, refused

FIRST = {
    "proc/stat": "cpu  0 0\ncpu0 100 0 50 800 40 0 10 0 0 0\nintr 1\n",
    "proc/diskstats": "   8       0 sda 10 0 80 500 20 0 160 1500 0 900 2000\n",
    "proc/net/dev": "h\nh\n  eth0: 9 100 0 2 0 0 0 0 9 300 0 4 0 0 0 0\n",
    "proc/vmstat": "pswpin 10\npswpout 20\n",
    "proc/net/softnet_stat": "0000000a 00000002 00000003\n00000001 00000000 00000001\n",
    "proc/net/stat/nf_conntrack": "entries drop early_drop\n05 01 00\n05 0f 02\n",
    "sys/class/net/eth0/device/vendor": "0x8086\n",
    "sys/class/net/eth0/statistics/rx_missed_errors": "5\n",
    "sys/class/net/eth0/statistics/rx_fifo_errors": "1\n",
    "proc/interrupts": "  CPU0\n 0:  9  IO-APIC 2-edge  timer\n 24:  5  PCI-MSI 1-edge  eth0\nLOC: 7\n",
    "sys/devices/system/cpu/cpu0/cpuidle/state1/name": "C6\n",
    "sys/devices/system/cpu/cpu0/cpuidle/state1/usage": "100\n",
}
SECOND = {
    "proc/stat": "cpu  0 0\ncpu0 150 0 60 820 50 0 20 0 0 0\nintr 1\n",
    "proc/diskstats": "   8       0 sda 20 0 80 600 40 0 160 1900 0 1400 2000\n",
    "proc/net/dev": "h\nh\n  eth0: 1009 300 0 12 0 0 0 0 9 300 0 4 0 0 0 0\n",
    "proc/vmstat": "pswpin 14\npswpout 20\n",
    "proc/net/softnet_stat": "0000000f 00000004 0000000d\n00000001 00000000 00000003\n",
    "proc/net/stat/nf_conntrack": "entries drop early_drop\n05 03 00\n05 10 02\n",
    "sys/class/net/eth0/device/vendor": "0x8086\n",
    "sys/class/net/eth0/statistics/rx_missed_errors": "10\n",
    "sys/class/net/eth0/statistics/rx_fifo_errors": "3\n",
    "proc/interrupts": "  CPU0\n 0: 99  IO-APIC 2-edge  timer\n 24: 15  PCI-MSI 1-edge  eth0\nLOC: 9\n",
    "sys/devices/system/cpu/cpu0/cpuidle/state1/name": "C6\n",
    "sys/devices/system/cpu/cpu0/cpuidle/state1/usage": "130\n",
}


def files_of(folder: Path, texts: dict[str, str]) -> Files:
    for path, text in texts.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return Files(folder)


def test_each_rate_is_the_growth_by_the_second(tmp_path: Path) -> None:
    first = read_counters(files_of(tmp_path / "a", FIRST))
    second = read_counters(files_of(tmp_path / "b", SECOND))
    object.__setattr__(second, "at", first.at + 2.0)
    load = load_between(first, second)
    assert load.gaps() == ()
    assert load.seconds == 2.0
    (cpu,) = load.cpus
    # Of 100 ticks 50 were user, 10 system, 20 idle, 10 iowait, 10 softirq.
    shares = (cpu.busy_ratio, cpu.system_ratio, cpu.softirq_ratio, cpu.iowait_ratio, cpu.steal_ratio)
    assert shares == pytest.approx((0.7, 0.1, 0.1, 0.1, 0.0))
    assert cpu.interrupts_per_second == 5.0
    assert [(one.name, one.entered_per_second) for one in cpu.idle] == [("C6", 15.0)]
    (block,) = load.blocks
    assert (block.name, block.reads_per_second, block.writes_per_second) == ("sda", 5.0, 10.0)
    assert (block.busy_ratio, block.mean_wait_seconds) == pytest.approx((0.25, 0.5 / 30))
    (nic,) = load.nics
    assert (nic.rx_packets_per_second, nic.rx_dropped_per_second, nic.tx_packets_per_second) == (100.0, 5.0, 0.0)
    assert (load.swapped_in_pages_per_second, load.swapped_out_pages_per_second) == (2.0, 0.0)
    assert (load.softnet_dropped_per_second, load.softnet_squeezed_per_second) == (1.0, 6.0)
    assert load.softnet_most_squeezed_per_second == 5.0
    assert (nic.rx_bytes_per_second, nic.tx_bytes_per_second, nic.rx_lost_per_second) == (500.0, 0.0, 3.5)
    assert load.conntrack_dropped_per_second == 1.5


@pytest.mark.parametrize("text", [None, "", "binary\x00", "cpu0", "8 0 sda 1"])
def test_a_source_that_cannot_be_read_is_a_gap_and_the_rest_stands(tmp_path: Path, text: str | None) -> None:
    for broken in FIRST:
        folder = tmp_path / broken.replace("/", "-")
        texts = {path: one for path, one in FIRST.items() if path != broken}
        first = read_counters(files_of(folder, texts if text is None else texts | {broken: text}))
        load = load_between(first, read_counters(Files(folder)))
        assert load.seconds > 0
        for gap in load.gaps():
            assert gap.reason
    with pytest.raises(NotSeen):
        _ = load_between(read_counters(Files(tmp_path)), read_counters(Files(tmp_path))).cpus


def test_a_busy_process_shows_on_the_cpu_that_it_is_pinned_to() -> None:
    cpu = max(os.sched_getaffinity(0))
    code = f"import os\nos.sched_setaffinity(0, [{cpu}])\nprint('on', flush=True)\nwhile True: pass"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as busy:
        try:
            assert busy.stdout
            busy.stdout.readline()
            load = probe_load(sources.tree("/"), 0.5)
        finally:
            busy.kill()
    shares = {one.cpu: one.busy_ratio for one in load.cpus}
    assert shares[cpu] > 0.9


def test_a_recording_has_no_window_and_a_window_has_bounds(tmp_path: Path) -> None:
    recorded = sources.recorded(write_host(tmp_path / "host"))
    with pytest.raises(NotAnswered, match="counters stand still"):
        probe_load(recorded, 1.0)
    for seconds in (0.0, -1.0, 1e9, float("nan")):
        with pytest.raises(KvmnbError, match="cannot be measured"):
            probe_load(recorded, seconds)
    refused(kvmnb("facts", "--demo", "--window", "1"), "counters stand still")


def test_the_window_is_as_long_as_was_asked() -> None:
    began = time.monotonic()
    load = probe_load(sources.tree("/"), 0.2)
    assert 0.2 <= load.seconds <= time.monotonic() - began


QEMU = "qemu-system-x86_64\0-name\0guest=web,debug-threads=on\0-uuid\0{uuid}\0"
UUID = "00000000-0000-4000-8000-000000000001"
GROUP = "sys/fs/cgroup/machine.slice/machine-qemu-web.scope"


def a_guest_that_runs(periods: int, cut_short: int, run: int) -> dict[str, str]:
    """Its process, with a quota of each vCPU and none of the emulator."""
    return {
        "proc/77/comm": "qemu-system-x86\n",
        "proc/77/cmdline": QEMU.format(uuid=UUID),
        "proc/77/stat": f"77 (qemu) {' '.join('1' for _ in range(40))}\n",
        "proc/77/cgroup": "0::/machine.slice/machine-qemu-web.scope/libvirt/emulator\n",
        "proc/77/task/78/comm": "CPU 0/KVM\n",
        "proc/77/task/78/status": "Cpus_allowed_list:\t0\n",
        "proc/77/task/78/schedstat": f"{run} 0 1\n",
        f"{GROUP}/cpu.stat": "usage_usec 1\n",
        f"{GROUP}/libvirt/vcpu0/cpu.max": "20000 100000\n",
        f"{GROUP}/libvirt/vcpu0/cpu.stat": f"nr_periods {periods}\nnr_throttled {cut_short}\nthrottled_usec 9\n",
        f"{GROUP}/libvirt/vcpu1/cpu.max": "20000 100000\n",
        f"{GROUP}/libvirt/vcpu1/cpu.stat": f"nr_periods {periods}\nnr_throttled 0\nthrottled_usec 9\n",
        f"{GROUP}/libvirt/emulator/cpu.max": "max 100000\n",
        f"{GROUP}/libvirt/emulator/cpu.stat": "nr_periods 0\nnr_throttled 0\nthrottled_usec 0\n",
    }


def test_the_worst_thread_tells_how_often_a_quota_cuts_short(tmp_path: Path) -> None:
    first = read_counters(files_of(tmp_path / "a", FIRST | a_guest_that_runs(100, 10, 0)))
    second = read_counters(files_of(tmp_path / "b", SECOND | a_guest_that_runs(120, 15, 1_000_000_000)))
    object.__setattr__(second, "at", first.at + 2.0)
    (guest,) = load_between(first, second).guests
    assert (guest.uuid, guest.vcpus[0].run_ratio, guest.throttled_ratio) == (UUID, 0.5, 0.25)
    asleep = load_between(first, replace(second, counters=first.counters))
    assert asleep.guests[0].throttled_ratio == 0.0


def test_what_libvirt_tells_of_a_guest_is_a_share_of_its_time_and_memory() -> None:
    vcpu = ("vcpu", UUID, "web", "0")
    told = {vcpu: (0.0, 0.0), ("polling", UUID): (1e9, 1e8), ("swap", UUID): (8.0,), ("usable", UUID): (90.0, 100.0)}
    then = {vcpu: (1.0, 0.0), ("polling", UUID): (3e9, 6e8), ("swap", UUID): (18.0,), ("usable", UUID): (40.0, 200.0)}
    (guest,) = load_between(Reading(0.0, told, {}), Reading(10.0, then, {})).guests
    assert guest.gaps() == ()
    assert (guest.polled_in_vain_ratio, guest.memory_usable_ratio) == (0.25, 0.2)
    assert guest.swapped_in_bytes_per_second == 1024.0
    (bare,) = load_between(Reading(0.0, {vcpu: (0.0, 0.0)}, {}), Reading(10.0, {vcpu: (1.0, 0.0)}, {})).guests
    assert bare.polled_in_vain_ratio is bare.memory_usable_ratio is bare.swapped_in_bytes_per_second is None
    (unread,) = load_between(Reading(0.0, told, {}), Reading(10.0, then, {"guests": "libvirt was late"})).guests
    assert {gap.reason for gap in unread.gaps()} == {"libvirt was late"}
    assert len(unread.gaps()) == 3
