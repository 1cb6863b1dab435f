"""What holds for all CPUs together."""

from __future__ import annotations

from pathlib import Path

import pytest

from kvmnb.core.cpuset import CpuSet
from kvmnb.facts.cpu_system import CpuSystem
from tests.probe.seen_host import look
from tests.probe.trees import CPU, cores, plant

GROUP = "sys/fs/cgroup"


def system_of(tmp_path: Path, texts: dict[str, str]) -> CpuSystem:
    return look(plant(tmp_path, cores(4) | texts)).system


def test_an_old_kernel_tells_nothing_and_that_is_no_gap(tmp_path: Path) -> None:
    system = system_of(tmp_path, {})
    assert system.gaps() == ()
    assert (system.present, system.smt_control, system.turbo, system.idle_driver) == (None, None, None, None)
    assert (system.offline, system.nohz_full, system.cpusets, system.allowed) == (CpuSet(), CpuSet(), (), None)


def test_present_possible_and_offline_are_sets(tmp_path: Path) -> None:
    system = system_of(tmp_path, {f"{CPU}/online": "0-1", f"{CPU}/present": "0-3", f"{CPU}/possible": "0-7"})
    assert (str(system.possible), str(system.present), str(system.offline)) == ("0-7", "0-3", "2-3")


@pytest.mark.parametrize(("text", "cpus"), [("  (null)", ""), ("", ""), ("2-3", "2-3")])
def test_nohz_full_may_be_a_printed_null(tmp_path: Path, text: str, cpus: str) -> None:
    assert str(system_of(tmp_path, {f"{CPU}/nohz_full": text}).nohz_full) == cpus


@pytest.mark.parametrize(
    ("path", "text", "turbo"),
    [("intel_pstate/no_turbo", "1", False), ("intel_pstate/no_turbo", "0", True), ("cpufreq/boost", "0", False)],
)
def test_turbo_is_told_by_either_driver(tmp_path: Path, path: str, text: str, turbo: bool) -> None:
    assert system_of(tmp_path, {f"{CPU}/{path}": text}).turbo is turbo


def test_switches_and_drivers_are_words(tmp_path: Path) -> None:
    system = system_of(
        tmp_path,
        {
            f"{CPU}/smt/control": "forceoff",
            f"{CPU}/smt/active": "0",
            f"{CPU}/amd_pstate/status": "guided",
            f"{CPU}/intel_pstate/max_perf_pct": "80",
            f"{CPU}/cpuidle/current_driver": "acpi_idle",
            f"{CPU}/cpuidle/current_governor_ro": "menu",
        },
    )
    assert (system.smt_control, system.smt_active, system.pstate) == ("forceoff", False, "guided")
    assert (system.max_perf_percent, system.min_perf_percent) == (80, None)
    assert (system.idle_driver, system.idle_governor) == ("acpi_idle", "menu")


def test_cpusets_of_slices_and_guests_are_read_under_cgroup_v2(tmp_path: Path) -> None:
    scope = "machine.slice/machine-qemu\\x2d1\\x2ddb.scope"
    texts = {
        f"{GROUP}/{group}/cpuset.cpus.effective": cpus
        for group, cpus in {
            "machine.slice": "0-3",
            scope: "2-3",
            f"{scope}/libvirt/vcpu0": "2",
            "system.slice": "0-1",
            "unrelated": "0",
        }.items()
    }
    texts |= {path.replace(".cpus.", ".mems."): "0" for path in texts}
    texts[f"{GROUP}/machine.slice/cpuset.cpus.partition"] = "isolated"
    system = system_of(tmp_path, texts)
    found = {group.path: (str(group.cpus), group.partition) for group in system.cpusets}
    assert found == {
        "machine.slice": ("0-3", "isolated"),
        scope: ("2-3", None),
        "system.slice": ("0-1", None),
    }


@pytest.mark.parametrize(("group", "guest"), [("machine", "db.libvirt-qemu"), ("machine.slice", "db.scope")])
def test_cpusets_of_guests_are_read_under_cgroup_v1(tmp_path: Path, group: str, guest: str) -> None:
    places = (f"{GROUP}/cpuset/{group}", f"{GROUP}/cpuset/{group}/{guest}")
    system = system_of(tmp_path, {f"{place}/cpuset.{what}": "0" for place in places for what in ("cpus", "mems")})
    assert [(one.path, str(one.cpus), one.partition) for one in system.cpusets] == [
        (group, "0", None),
        (f"{group}/{guest}", "0", None),
    ]


def test_a_confined_reader_is_told(tmp_path: Path) -> None:
    host = look(plant(tmp_path, cores(4) | {"proc/self/status": "Name:\tx\nCpus_allowed_list:\t1-2"}))
    assert str(host.system.allowed) == "1-2"
    assert [gap.reason for gap in host.odd if "confined to CPUs 1-2 of 0-3" in gap.reason]


def test_hostile_mounts_lead_nowhere(tmp_path: Path) -> None:
    texts = {"proc/self/cpuset": "/../../x", "proc/mounts": "none /../etc cpuset rw 0 0\nnone /a\\040b cpuset rw 0 0"}
    assert system_of(tmp_path, texts).allowed is None
