"""CPUs as their kernel files tell them."""

from __future__ import annotations

from pathlib import Path

from kvmnb.core.cpuset import CpuSet
from kvmnb.facts.cpu import Cpu
from tests.probe.seen_host import look
from tests.probe.trees import CPU, cores, plant


def cpus_of(tmp_path: Path, texts: dict[str, str]) -> tuple[Cpu, ...]:
    cpus = look(plant(tmp_path, texts)).cpus
    assert isinstance(cpus, tuple)
    return cpus


def test_a_kernel_without_a_list_of_cpus_online_has_a_switch_for_each(tmp_path: Path) -> None:
    texts = {path: text for path, text in cores(3).items() if path != f"{CPU}/online"}
    cpus = cpus_of(tmp_path, {**texts, f"{CPU}/cpu1/online": "0", f"{CPU}/cpu2/online": "1"})
    assert [cpu.online for cpu in cpus] == [True, False, True]


def test_a_cpu_without_switch_and_without_topology_is_offline_where_others_have_one(tmp_path: Path) -> None:
    texts = {path: text for path, text in cores(2).items() if path != f"{CPU}/online"}
    cpus = cpus_of(tmp_path, {**texts, f"{CPU}/cpu2/uevent": ""})
    assert [cpu.online for cpu in cpus] == [True, True, False]


def test_offline_cpus_share_nothing(tmp_path: Path) -> None:
    cpus = cpus_of(tmp_path, {**cores(2, threads=2), f"{CPU}/online": "0-2"})
    assert cpus[1].siblings == CpuSet.of(1)
    assert cpus[0].package_cpus == CpuSet.of(0, 1, 2)
    assert (cpus[3].package, cpus[3].package_cpus, cpus[3].caches) == (None, None, ())


def test_old_masks_tell_what_new_lists_tell(tmp_path: Path) -> None:
    texts = cores(2, threads=2)
    masked = {path: text for path, text in texts.items() if not path.endswith("siblings_list")}
    for cpu in range(4):
        masked[f"{CPU}/cpu{cpu}/topology/thread_siblings"] = "5" if cpu % 2 == 0 else "a"
        masked[f"{CPU}/cpu{cpu}/topology/core_siblings"] = "00000000,0000000f"
    assert [cpu.siblings for cpu in cpus_of(tmp_path / "a", masked)] == [
        cpu.siblings for cpu in cpus_of(tmp_path / "b", texts)
    ]


def test_new_names_of_lists_tell_what_old_names_tell(tmp_path: Path) -> None:
    new = {
        path.replace("thread_siblings", "core_cpus").replace("core_siblings", "package_cpus"): text
        for path, text in cores(2, threads=2).items()
    }
    cpus = cpus_of(tmp_path, new)
    assert cpus[0].siblings == CpuSet.of(0, 2)
    assert cpus[0].package_cpus == CpuSet.of(0, 1, 2, 3)


def test_a_cpu_whose_core_is_not_told_is_a_gap_and_no_core_of_one(tmp_path: Path) -> None:
    texts = {path: text for path, text in cores(2).items() if "cpu1/topology/thread" not in path}
    cpus = cpus_of(tmp_path, texts)
    assert cpus[0].gap_of("siblings") is None
    assert cpus[1].gap_of("siblings") is not None


def test_packages_with_one_number_are_told_apart(tmp_path: Path) -> None:
    texts = cores(2) | {f"{CPU}/cpu{n}/topology/core_siblings_list": str(n) for n in range(2)}
    host = look(plant(tmp_path, texts))
    assert [cpu.package for cpu in host.up] == [0, 1]
    assert [gap.reason.split(":")[0] for gap in host.odd][:1] == [
        "the kernel gives one number to several packages",
    ]


def test_numbers_that_the_kernel_does_not_know_are_none(tmp_path: Path) -> None:
    topology = f"{CPU}/cpu0/topology"
    (cpu,) = cpus_of(tmp_path, cores(1) | {f"{topology}/die_id": "-1", f"{topology}/cluster_id": "65535"})
    assert (cpu.die, cpu.cluster) == (None, None)


def test_clusters_and_capacities_are_read(tmp_path: Path) -> None:
    texts = {f"{CPU}/cpu{n}/topology/cluster_id": str(36 + n) for n in range(2)}
    texts |= {f"{CPU}/cpu{n}/cpu_capacity": str(512 * (n + 1)) for n in range(2)}
    cpus = cpus_of(tmp_path, cores(2) | texts)
    assert [(cpu.cluster, cpu.capacity) for cpu in cpus] == [(36, 512), (37, 1024)]


def test_core_types_of_a_hybrid_package_come_from_its_pmu_devices(tmp_path: Path) -> None:
    devices = {"cpu_core": "0", "cpu_atom": "1", "cpu_lowpower": "2"}
    cpus = cpus_of(tmp_path, cores(3) | {f"sys/devices/{name}/cpus": text for name, text in devices.items()})
    assert [cpu.core_type for cpu in cpus] == ["performance", "efficiency", "efficiency"]


def test_a_cache_is_read_once_and_told_at_each_cpu_that_shares_it(tmp_path: Path) -> None:
    folder = f"{CPU}/cpu0/cache/index3"
    cache = {f"{folder}/level": "3", f"{folder}/type": "Unified", f"{folder}/size": "32768K"}
    cpus = cpus_of(tmp_path, cores(2) | cache | {f"{folder}/shared_cpu_map": "3"})
    assert cpus[0].caches == cpus[1].caches
    assert (cpus[0].caches[0].size_bytes, cpus[0].caches[0].cpus) == (32 * 2**20, CpuSet.of(0, 1))


POLICY = {
    "scaling_driver": "acpi-cpufreq",
    "scaling_governor": "ondemand",
    "scaling_available_governors": "ondemand performance",
    "scaling_min_freq": "800000",
    "scaling_max_freq": "2000000",
    "cpuinfo_min_freq": "800000",
    "cpuinfo_max_freq": "3000000",
    "affected_cpus": "0 1",
}


def test_a_policy_holds_for_the_cpus_that_it_names(tmp_path: Path) -> None:
    cpus = cpus_of(tmp_path, cores(2) | {f"{CPU}/cpufreq/policy0/{name}": text for name, text in POLICY.items()})
    frequency = cpus[1].frequency
    assert frequency is not None
    assert (frequency.scaling_min_khz, frequency.hardware_min_khz) == (800000, 800000)
    assert (frequency.scaling_max_khz, frequency.hardware_max_khz) == (2000000, 3000000)
    assert (frequency.governors, frequency.epp, frequency.epps) == (("ondemand", "performance"), None, ())


def test_before_policies_each_cpu_has_its_own_folder(tmp_path: Path) -> None:
    cpus = cpus_of(tmp_path, cores(2) | {f"{CPU}/cpu0/cpufreq/{name}": text for name, text in POLICY.items()})
    assert cpus[0].frequency == cpus[1].frequency
    assert cpus[0].frequency is not None


def test_a_policy_of_offline_cpus_is_passed_over(tmp_path: Path) -> None:
    texts = {f"{CPU}/cpufreq/policy{n}/{name}": text for n in range(2) for name, text in POLICY.items()}
    texts |= {f"{CPU}/cpufreq/policy0/affected_cpus": "0", f"{CPU}/cpufreq/policy1/affected_cpus": ""}
    cpus = cpus_of(tmp_path, {**cores(2), f"{CPU}/online": "0", **texts})
    assert (cpus[1].online, cpus[1].frequency) == (False, None)


def test_a_cpu_that_no_policy_names_is_a_gap(tmp_path: Path) -> None:
    texts = {f"{CPU}/cpufreq/policy0/{name}": text for name, text in POLICY.items()} | {
        f"{CPU}/cpufreq/policy0/affected_cpus": "0"
    }
    cpus = cpus_of(tmp_path, cores(2) | texts)
    assert cpus[1].gap_of("frequency") is not None


def test_idle_states_are_read_with_each_cpus_own_switch(tmp_path: Path) -> None:
    states: dict[str, str] = {}
    for cpu in range(2):
        for state, (name, latency) in enumerate((("POLL", "0"), ("C1", "2"), ("C6", "133"))):
            folder = f"{CPU}/cpu{cpu}/cpuidle/state{state}"
            states |= {
                f"{folder}/name": name,
                f"{folder}/latency": latency,
                f"{folder}/disable": str(int(cpu == state)),
            }
    cpus = cpus_of(tmp_path, cores(2) | states)
    assert [(state.name, state.latency_us) for state in cpus[1].idle_states] == [("POLL", 0), ("C1", 2), ("C6", 133)]
    assert [[state.disabled for state in cpu.idle_states] for cpu in cpus] == [
        [True, False, False],
        [False, True, False],
    ]
