"""The CPUs: sysfs topology, caches, frequency, idle states, mitigations, and ``/proc/cpuinfo``."""

from __future__ import annotations

from tools.demo_host import shape
from tools.demo_host.tree import Tree, cpu_list

ROOT = "sys/devices/system/cpu"

# level, type, size in KiB, and by how many bits the APIC id is shifted to the cache's id
CACHES = ((1, "Data", 48, 1), (1, "Instruction", 32, 1), (2, "Unified", 1280, 1), (3, "Unified", 24576, 6))

# name, exit latency and target residency in µs, as intel_idle has them for Ice Lake-SP
IDLE_STATES = (("POLL", 0, 0), ("C1", 1, 1), ("C1E", 4, 4), ("C6", 170, 600))

PREFERENCES = "default performance balance_performance balance_power power "
"""How eager a CPU is to save energy; the kernel ends this list with a space."""

VULNERABILITIES = {
    "gather_data_sampling": "Mitigation: Microcode",
    "indirect_target_selection": "Mitigation: Aligned branch/return thunks",
    "itlb_multihit": "Not affected",
    "l1tf": "Not affected",
    "mds": "Not affected",
    "meltdown": "Not affected",
    "mmio_stale_data": "Mitigation: Clear CPU buffers; SMT vulnerable",
    "reg_file_data_sampling": "Not affected",
    "retbleed": "Not affected",
    "spec_rstack_overflow": "Not affected",
    "spec_store_bypass": "Mitigation: Speculative Store Bypass disabled via prctl",
    "spectre_v1": "Mitigation: usercopy/swapgs barriers and __user pointer sanitization",
    "spectre_v2": "Mitigation: Enhanced / Automatic IBRS; IBPB: conditional; RSB filling; "
    "PBRSB-eIBRS: SW sequence; BHI: SW loop, KVM: SW loop",
    "srbds": "Not affected",
    "tsa": "Not affected",
    "tsx_async_abort": "Not affected",
    "vmscape": "Mitigation: IBPB before exit to userspace",
}

FLAGS = (
    "fpu vme de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov pat pse36 clflush dts acpi mmx fxsr "
    "sse sse2 ss ht tm pbe syscall nx pdpe1gb rdtscp lm constant_tsc art arch_perfmon pebs bts rep_good "
    "nopl xtopology nonstop_tsc cpuid aperfmperf pni pclmulqdq dtes64 ds_cpl vmx smx est tm2 ssse3 sdbg "
    "fma cx16 xtpr pdcm pcid dca sse4_1 sse4_2 x2apic movbe popcnt tsc_deadline_timer aes xsave avx f16c "
    "rdrand lahf_lm abm 3dnowprefetch cpuid_fault epb cat_l3 invpcid_single intel_ppin ssbd mba ibrs ibpb "
    "stibp ibrs_enhanced tpr_shadow flexpriority ept vpid ept_ad fsgsbase tsc_adjust bmi1 avx2 smep bmi2 "
    "erms invpcid cqm rdt_a avx512f avx512dq rdseed adx smap avx512ifma clflushopt clwb intel_pt avx512cd "
    "sha_ni avx512bw avx512vl xsaveopt xsavec xgetbv1 xsaves cqm_llc cqm_occup_llc cqm_mbm_total "
    "cqm_mbm_local split_lock_detect wbnoinvd dtherm ida arat pln pts hwp hwp_act_window hwp_epp "
    "hwp_pkg_req vnmi avx512vbmi umip pku ospke avx512_vbmi2 gfni vaes vpclmulqdq avx512_vnni "
    "avx512_bitalg tme avx512_vpopcntdq la57 rdpid fsrm md_clear pconfig flush_l1d arch_capabilities"
)
VMX_FLAGS = (
    "vnmi preemption_timer posted_intr invvpid ept_x_only ept_ad ept_1gb flexpriority apicv tsc_offset "
    "vtpr mtf vapic ept vpid unrestricted_guest vapic_reg vid ple shadow_vmcs pml ept_mode_based_exec "
    "tsc_scaling"
)
BUGS = "spectre_v1 spectre_v2 spec_store_bypass swapgs mmio_stale_data eibrs_pbrsb gds bhi its vmscape"


def put_cpus(tree: Tree) -> None:
    """Everything that the kernel says of the CPUs."""
    everyone = cpu_list(shape.CPUS)
    tree.put_all(ROOT, dict.fromkeys(("online", "present", "possible"), everyone))
    # A kernel with masks off the stack prints a mask that was never made as "(null)".
    tree.put_all(ROOT, {"offline": "", "isolated": "", "nohz_full": "  (null)", "kernel_max": 8191})
    tree.put_all(f"{ROOT}/smt", {"active": 1, "control": "on"})
    tree.put_all(f"{ROOT}/vulnerabilities", VULNERABILITIES)
    tree.put_all(
        f"{ROOT}/intel_pstate",
        {"status": "active", "no_turbo": 0, "max_perf_pct": 100, "min_perf_pct": 22, "hwp_dynamic_boost": 0},
    )
    tree.put_all(
        f"{ROOT}/cpuidle",
        {
            "current_driver": "intel_idle",
            "current_governor": "menu",
            "available_governors": "ladder menu teo ",
        },
    )
    for number, (name, latency, residency) in enumerate(IDLE_STATES):
        tree.put_all(
            f"{ROOT}/cpu0/cpuidle/state{number}",
            {
                "name": name,
                "latency": latency,
                "residency": residency,
                "disable": 0,
                "usage": (1_203_311, 88_412_906, 402_117_835, 611_904_220)[number],
                "time": (2_211_904, 1_407_310_551, 60_118_402_337, 1_911_774_031_826)[number],
            },
        )
    for cpu in shape.CPUS:
        _put_cpu(tree, cpu)
    tree.put_text("proc/cpuinfo", "".join(_cpuinfo(cpu) for cpu in shape.CPUS))


def _put_cpu(tree: Tree, cpu: int) -> None:
    folder = f"{ROOT}/cpu{cpu}"
    core = cpu_list(shape.siblings_of(cpu))
    tree.put_all(
        f"{folder}/topology",
        {
            "physical_package_id": shape.package_of(cpu),
            "die_id": 0,
            "core_id": shape.core_of(cpu),
            "core_cpus_list": core,
            "thread_siblings_list": core,
        },
    )
    if cpu:  # the first CPU cannot go offline, so it has no such file
        tree.put(f"{folder}/online", 1)
    for index, (level, kind, size_kib, shift) in enumerate(CACHES):
        shared = core if level < 3 else cpu_list(shape.cpus_of(shape.package_of(cpu)))
        tree.put_all(
            f"{folder}/cache/index{index}",
            {
                "level": level,
                "type": kind,
                "size": f"{size_kib}K",
                "id": shape.apic_id(cpu) >> shift,
                "shared_cpu_list": shared,
            },
        )
    tree.put_all(
        f"{ROOT}/cpufreq/policy{cpu}",
        {
            "affected_cpus": cpu,
            "base_frequency": shape.BASE_KHZ,
            "cpuinfo_min_freq": shape.LOWEST_KHZ,
            "cpuinfo_max_freq": shape.TURBO_KHZ,
            "scaling_min_freq": shape.LOWEST_KHZ,
            "scaling_max_freq": shape.TURBO_KHZ,
            "scaling_cur_freq": current_khz(cpu),
            "scaling_driver": "intel_pstate",
            # The server's power profile as it came: it fits a lab, not guests that must answer fast.
            "scaling_governor": "powersave",
            "scaling_available_governors": "performance powersave",
            "energy_performance_preference": "balance_power",
            "energy_performance_available_preferences": PREFERENCES,
        },
    )


def current_khz(cpu: int) -> int:
    """A frequency between the lowest and the base one: under this profile the CPUs are slow to speed up."""
    return shape.LOWEST_KHZ + (cpu * 7_919 + 1_301) % 21 * 100_000


def _cpuinfo(cpu: int) -> str:
    rows: tuple[tuple[str, object], ...] = (
        ("processor\t", cpu),
        ("vendor_id\t", "GenuineIntel"),
        ("cpu family\t", 6),
        ("model\t\t", 106),
        ("model name\t", shape.MODEL_NAME),
        ("stepping\t", 6),
        ("microcode\t", f"{shape.MICROCODE:#x}"),
        ("cpu MHz\t\t", f"{current_khz(cpu) / 1000:.3f}"),
        ("cache size\t", f"{CACHES[-1][2]} KB"),
        ("physical id\t", shape.package_of(cpu)),
        ("siblings\t", 2 * shape.CORES),
        ("core id\t\t", shape.core_of(cpu)),
        ("cpu cores\t", shape.CORES),
        ("apicid\t\t", shape.apic_id(cpu)),
        ("initial apicid\t", shape.apic_id(cpu)),
        ("fpu\t\t", "yes"),
        ("fpu_exception\t", "yes"),
        ("cpuid level\t", 27),
        ("wp\t\t", "yes"),
        ("flags\t\t", FLAGS),
        ("vmx flags\t", VMX_FLAGS),
        ("bugs\t\t", BUGS),
        ("bogomips\t", "5800.00"),
        ("clflush size\t", 64),
        ("cache_alignment\t", 64),
        ("address sizes\t", "46 bits physical, 57 bits virtual"),
        ("power management", ""),
    )
    return "".join(f"{name}: {value}\n".replace("management: ", "management:") for name, value in rows) + "\n"
