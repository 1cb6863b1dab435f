from __future__ import annotations

from kvmnb.measure.bulk import readings
from kvmnb.measure.series import Series

# The form of what libvirt-python gives for a guest under KVM with one disk, one interface and a hot-unplugged vCPU 1.
TOLD: dict[str, object] = {
    "balloon.current": 1024,
    "balloon.usable": 512,
    "balloon.swap_in": 2,
    "vcpu.current": 2,
    "vcpu.0.state": 1,
    "vcpu.0.time": 3_000_000_000,
    "vcpu.0.delay": 500_000_000,
    "vcpu.0.exits.sum": 70,
    "vcpu.0.halt_poll_fail_ns.sum": 1_000_000_000,
    "vcpu.2.state": 1,
    "vcpu.2.exits.sum": 5,
    "block.count": 1,
    "block.0.name": "vda",
    "block.0.rd.reqs": 7,
    "block.0.rd.times": 2_000_000_000,
    "net.count": 1,
    "net.0.name": "vnet3",
    "net.0.rx.pkts": 9,
    "cpu.time": 4_000_000_000,
}


def told(*, away: bool) -> dict[Series, float]:
    return {one.series: one.value for one in readings("a", TOLD, 1.0, away=away)}


def test_what_libvirt_tells_of_a_guest_here_is_what_it_alone_knows() -> None:
    assert told(away=False) == {
        Series("kvm_disk_reads_total", "a", "vda"): 7,
        Series("kvm_disk_read_seconds_total", "a", "vda"): 2.0,
        Series("kvm_guest_balloon_bytes", "a", ""): 1024 * 1024,
        Series("kvm_guest_balloon_usable_bytes", "a", ""): 512 * 1024,
        Series("kvm_guest_inner_swap_in_bytes_total", "a", ""): 2048,
        Series("kvm_vcpu_exits_total", "a", 0): 70,
        Series("kvm_vcpu_halt_poll_fail_seconds_total", "a", 0): 1.0,
        Series("kvm_vcpu_exits_total", "a", 2): 5,
    }


def test_of_a_guest_of_another_host_threads_and_interfaces_come_from_libvirt_too() -> None:
    assert {series: value for series, value in told(away=True).items() if series not in told(away=False)} == {
        Series("kvm_vcpu_run_seconds_total", "a", 0): 3.0,
        Series("kvm_vcpu_run_delay_seconds_total", "a", 0): 0.5,
        Series("kvm_guest_cpu_seconds_total", "a", ""): 4.0,
        Series("kvm_nic_received_packets_total", "a", "vnet3"): 9,
    }
