"""The settings below ``/proc/sys`` that rules look at, and the files that set them at boot."""

from __future__ import annotations

from typing import cast

from kvmnb.core.sysctl_d import in_order, parse_settings
from kvmnb.facts.gap import Gap
from kvmnb.facts.kernel import Sysctl
from kvmnb.probe.reader import Reader

KEYS = (
    "fs.aio-max-nr",
    "fs.aio-nr",
    "kernel.io_uring_disabled",
    "kernel.io_uring_group",
    "kernel.nmi_watchdog",
    "kernel.numa_balancing",
    "kernel.sched_rt_runtime_us",
    "kernel.split_lock_mitigate",
    "kernel.timer_migration",
    "net.bridge.bridge-nf-call-arptables",
    "net.bridge.bridge-nf-call-ip6tables",
    "net.bridge.bridge-nf-call-iptables",
    "net.core.default_qdisc",
    "net.core.netdev_budget",
    "net.core.netdev_budget_usecs",
    "net.core.netdev_max_backlog",
    "net.core.rmem_max",
    "net.core.somaxconn",
    "net.core.wmem_max",
    "net.ipv4.conf.all.rp_filter",
    "net.ipv4.ip_forward",
    "net.ipv4.tcp_congestion_control",
    "net.ipv4.tcp_mem",
    "net.ipv4.tcp_moderate_rcvbuf",
    "net.ipv4.tcp_rmem",
    "net.ipv4.tcp_wmem",
    "net.netfilter.nf_conntrack_count",
    "net.netfilter.nf_conntrack_max",
    "vm.dirty_background_bytes",
    "vm.dirty_background_ratio",
    "vm.dirty_bytes",
    "vm.dirty_ratio",
    "vm.hugetlb_shm_group",
    "vm.min_free_kbytes",
    "vm.nr_hugepages",
    "vm.nr_overcommit_hugepages",
    "vm.overcommit_memory",
    "vm.stat_interval",
    "vm.swappiness",
    "vm.zone_reclaim_mode",
)


def probe_sysctls(read: Reader) -> tuple[Sysctl, ...]:
    """Each setting's value, and the last file that sets it at boot."""
    setters = _setters(read)
    return tuple(
        Sysctl(
            key=key,
            value=read.parse(f"proc/sys/{_path(key)}", f"host.kernel.sysctls[{key}]", _spaced, cast(str, None)),
            set_by=setters.get(key, (None, None))[0],
            set_to=setters.get(key, (None, None))[1],
        )
        for key in KEYS
    )


def _path(key: str) -> str:
    return key.replace(".", "/")


def _spaced(text: str) -> str:
    return " ".join(text.split())


def _setters(read: Reader) -> dict[str, tuple[str, str]]:
    found: dict[str, tuple[str, str]] = {}
    for path in in_order(read.names):
        settings = read.parse(path, "host.kernel.sysctls", parse_settings, {})
        if not isinstance(settings, Gap):
            found.update({key: (path, value) for key, value in settings.items()})
    return found
