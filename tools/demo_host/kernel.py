"""The kernel: version, command line, modules, sysctls with the files that set them, and its counters."""

from __future__ import annotations

import random

from tools.demo_host import interrupts, shape
from tools.demo_host.tree import Tree, cpu_list

CMDLINE = (
    f"BOOT_IMAGE=/boot/vmlinuz-{shape.KERNEL} root=UUID=5c0f8a3d-7be1-4c64-9d02-e81f36ab9427 ro quiet "
    "intel_iommu=on iommu=pt transparent_hugepage=never"
)

SYSCTLS: dict[str, object] = {
    "fs/aio-max-nr": 65536,
    "fs/aio-nr": 4608,
    "fs/file-max": 9223372036854775807,
    "kernel/numa_balancing": 0,
    "kernel/nmi_watchdog": 1,
    "kernel/osrelease": shape.KERNEL,
    "kernel/ostype": "Linux",
    "kernel/hostname": shape.HOSTNAME,
    "kernel/version": shape.KERNEL_VERSION,
    "kernel/random/boot_id": shape.BOOT_ID,
    "kernel/sched_autogroup_enabled": 1,
    "kernel/sched_rt_period_us": 1000000,
    "kernel/sched_rt_runtime_us": 950000,
    "kernel/sched_schedstats": 0,
    "kernel/split_lock_mitigate": 1,
    "kernel/timer_migration": 1,
    "kernel/watchdog_thresh": 10,
    "vm/compaction_proactiveness": 20,
    "vm/dirty_background_bytes": 0,
    "vm/dirty_background_ratio": 20,
    "vm/dirty_bytes": 0,
    "vm/dirty_expire_centisecs": 3000,
    "vm/dirty_ratio": 40,
    "vm/dirty_writeback_centisecs": 500,
    "vm/max_map_count": 65530,
    "vm/min_free_kbytes": 90112,
    "vm/nr_hugepages": 8192,
    "vm/nr_overcommit_hugepages": 0,
    "vm/overcommit_memory": 0,
    "vm/overcommit_ratio": 50,
    "vm/page-cluster": 3,
    "vm/stat_interval": 1,
    "vm/swappiness": 60,
    "vm/vfs_cache_pressure": 100,
    "vm/watermark_scale_factor": 10,
    "vm/zone_reclaim_mode": 1,
    "net/bridge/bridge-nf-call-arptables": 1,
    "net/bridge/bridge-nf-call-ip6tables": 1,
    "net/bridge/bridge-nf-call-iptables": 1,
    "net/bridge/bridge-nf-filter-vlan-tagged": 0,
    "net/core/busy_poll": 0,
    "net/core/busy_read": 0,
    "net/core/default_qdisc": "pfifo_fast",
    "net/core/dev_weight": 64,
    "net/core/netdev_budget": 300,
    "net/core/netdev_budget_usecs": 8000,
    "net/core/netdev_max_backlog": 1000,
    "net/core/optmem_max": 20480,
    "net/core/rmem_default": 212992,
    "net/core/rmem_max": 16777216,
    "net/core/rps_sock_flow_entries": 0,
    "net/core/somaxconn": 4096,
    "net/core/wmem_default": 212992,
    "net/core/wmem_max": 16777216,
    "net/ipv4/ip_forward": 0,
    "net/ipv4/tcp_congestion_control": "cubic",
    "net/ipv4/tcp_mem": "786432\t1048576\t1572864",
    "net/ipv4/tcp_moderate_rcvbuf": 1,
    "net/ipv4/tcp_rmem": "4096\t131072\t6291456",
    "net/ipv4/tcp_wmem": "4096\t16384\t4194304",
    "net/ipv4/conf/all/forwarding": 0,
    "net/ipv4/conf/br0/forwarding": 0,
    "net/ipv4/conf/br1/forwarding": 0,
    "net/netfilter/nf_conntrack_buckets": 262144,
    "net/netfilter/nf_conntrack_count": 18354,
    "net/netfilter/nf_conntrack_max": 262144,
}

# What somebody copied from a page about "KVM tuning" years ago; the values above hold because of it.
OLD_RECIPE = """\
# KVM host tuning, from a forum
kernel.numa_balancing = 0
vm.zone_reclaim_mode = 1
vm.dirty_ratio = 40
vm.dirty_background_ratio = 20
net.core.rmem_max = 16777216
net.core.wmem_max = 16777216
net.ipv4.tcp_mem = 786432 1048576 1572864
"""

MODULE_PARAMETERS: dict[str, dict[str, object]] = {
    "kvm": {
        "eager_page_split": "Y",
        "enable_pmu": "Y",
        "halt_poll_ns": 200000,
        "halt_poll_ns_grow": 2,
        "halt_poll_ns_grow_start": 10000,
        "halt_poll_ns_shrink": 0,
        "ignore_msrs": "N",
        "kvmclock_periodic_sync": "Y",
        "lapic_timer_advance_ns": -1,
        "min_timer_period_us": 200,
        "mmio_caching": "Y",
        "nx_huge_pages": "N",
        "nx_huge_pages_recovery_period_ms": 0,
        "nx_huge_pages_recovery_ratio": 60,
        "report_ignored_msrs": "Y",
        "tdp_mmu": "Y",
        "tsc_tolerance_ppm": 250,
        "vector_hashing": "Y",
    },
    "kvm_intel": {
        "enable_apicv": "Y",
        "enable_ipiv": "N",
        "enable_shadow_vmcs": "Y",
        "ept": "Y",
        "eptad": "Y",
        "flexpriority": "Y",
        "nested": "Y",
        "ple_gap": 128,
        "ple_window": 4096,
        "ple_window_grow": 2,
        "ple_window_max": 4294967295,
        "ple_window_shrink": 0,
        "pml": "Y",
        "preemption_timer": "Y",
        "unrestricted_guest": "Y",
        "vmentry_l1d_flush": "not required",
        "vnmi": "Y",
        "vpid": "Y",
    },
    "vhost": {"max_iotlb_entries": 2048, "max_mem_regions": 64},
    "vhost_net": {"experimental_zcopytx": 0},
    "intel_idle": {"max_cstate": 9},
    "nvme": {"io_queue_depth": 1024, "poll_queues": 0, "write_queues": 0},
}

# name, size in bytes, users, used by
MODULES = (
    ("vhost_net", 36864, 14, ""),
    ("vhost", 57344, 1, "vhost_net,"),
    ("vhost_iotlb", 16384, 1, "vhost,"),
    ("tap", 28672, 1, "vhost_net,"),
    ("tun", 61440, 32, "vhost_net,"),
    ("br_netfilter", 32768, 0, ""),
    ("bridge", 311296, 1, "br_netfilter,"),
    ("stp", 16384, 1, "bridge,"),
    ("llc", 16384, 2, "bridge,stp,"),
    ("nf_conntrack", 188416, 1, "nft_ct,"),
    ("nft_ct", 24576, 4, ""),
    ("nf_tables", 307200, 41, "nft_ct,"),
    ("kvm_intel", 380928, 98, ""),
    ("kvm", 1142784, 64, "kvm_intel,"),
    ("irqbypass", 16384, 1, "kvm,"),
    ("intel_rapl_msr", 20480, 0, ""),
    ("ipmi_si", 77824, 0, ""),
    ("xfs", 1957888, 2, ""),
    ("ext4", 983040, 1, ""),
    ("dm_mod", 184320, 9, ""),
    ("mlx5_core", 1916928, 0, ""),
    ("igb", 319488, 0, ""),
    ("nvme", 57344, 4, ""),
    ("nvme_core", 163840, 5, "nvme,"),
    ("ahci", 49152, 3, ""),
    ("sd_mod", 65536, 6, ""),
)

OS_RELEASE = """\
PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"
NAME="Debian GNU/Linux"
VERSION_ID="12"
VERSION="12 (bookworm)"
VERSION_CODENAME=bookworm
ID=debian
"""


def put_kernel(tree: Tree) -> None:
    """The kernel's own account of itself, and the files of /etc that shaped it."""
    compiler = "gcc-12 (Debian 12.2.0-14+deb12u1) 12.2.0, GNU ld (GNU Binutils for Debian) 2.40"
    tree.put(
        "proc/version",
        f"Linux version {shape.KERNEL} (debian-kernel@lists.debian.org) ({compiler}) {shape.KERNEL_VERSION}",
    )
    tree.put("proc/cmdline", CMDLINE)
    tree.put_all("proc/sys", SYSCTLS)
    lines = (f"{name} {size} {users} {by or '-'} Live 0x0000000000000000\n" for name, size, users, by in MODULES)
    tree.put_text("proc/modules", "".join(lines))
    for module, parameters in MODULE_PARAMETERS.items():
        tree.put_all(f"sys/module/{module}/parameters", parameters)
    misc = ((234, "btrfs-control"), (238, "vhost-net"), (232, "kvm"), (200, "tun"), (236, "device-mapper"))
    tree.put_text("proc/misc", "".join(f"{minor:3d} {name}\n" for minor, name in misc))
    # A recording has no device nodes: an empty file says that the node is there.
    tree.put_text("dev/kvm", "")
    tree.put_text("dev/vhost-net", "")
    clock = "sys/devices/system/clocksource/clocksource0"
    tree.put_all(clock, {"current_clocksource": "tsc", "available_clocksource": "tsc hpet acpi_pm "})
    tree.put("sys/devices/virtual/workqueue/cpumask", "ffffffff,ffffffff")
    everywhere = {
        "cpuset.cpus.effective": cpu_list(shape.CPUS),
        "cpuset.mems.effective": cpu_list(shape.NODES),
    }
    tree.put_all("sys/fs/cgroup", {"cgroup.controllers": "cpuset cpu io memory hugetlb pids rdma misc", **everywhere})
    tree.put_all(
        "sys/fs/cgroup/machine.slice",
        {"cpuset.cpus": "", "cpuset.mems": "", "cpuset.cpus.partition": "member", **everywhere},
    )
    tree.put_text("etc/os-release", OS_RELEASE)
    tree.put_all("etc", {"debian_version": "12.13", "machine-id": shape.MACHINE_ID, "hostname": shape.HOSTNAME})
    tree.put(
        "etc/default/grub",
        'GRUB_CMDLINE_LINUX_DEFAULT="quiet"\nGRUB_CMDLINE_LINUX="intel_iommu=on iommu=pt transparent_hugepage=never"',
    )
    tree.put_text("etc/sysctl.d/90-tuning.conf", OLD_RECIPE)
    tree.put(
        "etc/udev/rules.d/60-nvme-scheduler.rules",
        'ACTION=="add|change", KERNEL=="nvme0n1", ATTR{queue/scheduler}="mq-deadline"',
    )
    tree.put(
        "etc/tmpfiles.d/hugepages.conf",
        "w /sys/devices/system/node/node1/hugepages/hugepages-2048kB/nr_hugepages - - - - 8192",
    )
    _put_counters(tree)


def _put_counters(tree: Tree) -> None:
    """Time spent, pressure and interrupts; drawn once with a fixed seed, then summed."""
    draw = random.Random(6326)
    ticks = shape.UPTIME_SECONDS * 100
    rows = []
    for cpu in shape.CPUS:
        busy = _busy(cpu) * draw.uniform(0.9, 1.1)
        guest = int(ticks * busy)
        user = guest + int(ticks * draw.uniform(0.004, 0.012))
        system = int(ticks * busy * draw.uniform(0.08, 0.16))
        waiting = int(ticks * draw.uniform(0.001, 0.006))
        softirq = int(ticks * draw.uniform(0.001, 0.004))
        idle = ticks - user - system - waiting - softirq
        rows.append((user, 0, system, idle, waiting, 0, softirq, 0, guest, 0))
    total = " ".join(str(sum(column)) for column in zip(*rows, strict=True))
    lines = [f"cpu  {total}"]
    lines += [f"cpu{cpu} {' '.join(map(str, row))}" for cpu, row in enumerate(rows)]
    booted = int(shape.MADE_AT.timestamp()) - shape.UPTIME_SECONDS
    softirqs = {
        name: [int(scale * draw.uniform(0.7, 1.3)) for _ in shape.CPUS]
        for name, scale in (
            ("HI", 3),
            ("TIMER", 190e6),
            ("NET_TX", 21e3),
            ("NET_RX", 61e6),
            ("BLOCK", 4e6),
            ("IRQ_POLL", 0),
            ("TASKLET", 11e3),
            ("SCHED", 260e6),
            ("HRTIMER", 8e3),
            ("RCU", 120e6),
        )
    }
    sums = [sum(values) for values in softirqs.values()]
    lines += [
        f"intr {interrupts.total()}",
        "ctxt 371904118226",
        f"btime {booted}",
        "processes 3184512",
        "procs_running 19",
        "procs_blocked 1",
        f"softirq {sum(sums)} {' '.join(map(str, sums))}",
    ]
    tree.put("proc/stat", "\n".join(lines))
    header = " " * 20 + "".join(f"CPU{cpu:<8d}" for cpu in shape.CPUS)
    body = "".join(
        f"{name:>12}:" + "".join(f" {value:10d}" for value in values) + "\n" for name, values in softirqs.items()
    )
    tree.put_text("proc/softirqs", f"{header}\n{body}")
    tree.put("proc/uptime", f"{shape.UPTIME_SECONDS}.31 {sum(row[3] for row in rows) // 100}.88")
    tree.put("proc/loadavg", "23.41 21.87 20.64 24/2087 3184512")
    pressure = {
        "cpu": (("some", 1.84, 1.61, 1.55, 91_204_118_302), ("full", 0.0, 0.0, 0.0, 0)),
        "io": (("some", 2.10, 1.72, 1.64, 58_113_902_771), ("full", 1.31, 1.08, 1.02, 36_228_004_118)),
        "memory": (("some", 0.32, 0.21, 0.18, 9_114_028_331), ("full", 0.11, 0.08, 0.07, 4_022_811_709)),
    }
    for resource, kinds in pressure.items():
        tree.put(
            f"proc/pressure/{resource}",
            "\n".join(
                f"{kind} avg10={ten:.2f} avg60={sixty:.2f} avg300={longest:.2f} total={total_us}"
                for kind, ten, sixty, longest, total_us in kinds
            ),
        )


def _busy(cpu: int) -> float:
    """How much of its time the CPU runs guests: the pinned ones show, the rest floats."""
    if cpu in (5, 37):
        return 0.71  # db01 and router01 both
    if cpu in (2, 3, 4, 34, 35, 36):
        return 0.52
    if cpu in (6, 38, 18, 19, 20, 21):
        return 0.31
    return 0.22
