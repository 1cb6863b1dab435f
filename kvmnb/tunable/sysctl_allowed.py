"""The kernel settings below ``/proc/sys`` that may be written, and the form of their values."""

from __future__ import annotations

import re
from collections.abc import Mapping

_NUMBER = re.compile(r"[0-9]{1,19}")
_SWITCH = re.compile(r"[01]")
_THREE = re.compile(r"[0-9]{1,19} [0-9]{1,19} [0-9]{1,19}")
# Only what a rule may want; a plan file cannot name any other setting.
ALLOWED: Mapping[str, re.Pattern[str]] = {
    "kernel.numa_balancing": _SWITCH,
    "kernel.split_lock_mitigate": _SWITCH,
    "net.bridge.bridge-nf-call-arptables": _SWITCH,
    "net.bridge.bridge-nf-call-ip6tables": _SWITCH,
    "net.bridge.bridge-nf-call-iptables": _SWITCH,
    "net.core.netdev_budget": _NUMBER,
    "net.core.netdev_budget_usecs": _NUMBER,
    "net.core.netdev_max_backlog": _NUMBER,
    "net.core.rmem_max": _NUMBER,
    "net.core.wmem_max": _NUMBER,
    "net.ipv4.tcp_rmem": _THREE,
    "net.ipv4.tcp_wmem": _THREE,
    "net.netfilter.nf_conntrack_max": _NUMBER,
    "fs.aio-max-nr": _NUMBER,
    "vm.dirty_background_bytes": _NUMBER,
    "vm.dirty_background_ratio": re.compile(r"[0-9]{1,2}|100"),
    "vm.dirty_bytes": _NUMBER,
    "vm.dirty_ratio": re.compile(r"[0-9]{1,2}|100"),
    "vm.stat_interval": _NUMBER,
    "vm.swappiness": re.compile(r"[0-9]{1,2}|1[0-9][0-9]|200"),
    "vm.zone_reclaim_mode": re.compile(r"[0-7]"),
}
