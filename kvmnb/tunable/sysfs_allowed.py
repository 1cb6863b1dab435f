"""The files below ``/sys`` that may be written, and the form of their values."""

from __future__ import annotations

import re

from kvmnb.core.errors import Refused

_POLICY = r"devices/system/cpu/cpufreq/policy[0-9]{1,5}/"
_QUEUE = r"block/[A-Za-z0-9!_][A-Za-z0-9!_.-]{0,63}/queue/"
_BRIDGE = r"class/net/[A-Za-z0-9_][A-Za-z0-9_.-]{0,14}/bridge/"
_NUMBER = re.compile(r"[0-9]{1,9}")
_SWITCH = re.compile(r"[01]")
# Only what a rule may want is writable; a plan file cannot name any other path. The value's form is
# checked too, since the kernel takes some words that nobody should be able to send.
_ALLOWED: tuple[tuple[re.Pattern[str], re.Pattern[str]], ...] = (
    (re.compile(_POLICY + "scaling_governor"), re.compile(r"[a-z]{1,16}")),
    (re.compile(_POLICY + "energy_performance_preference"), re.compile(r"[a-z_]{1,32}|[0-9]{1,3}")),
    (re.compile(_POLICY + "scaling_(?:min|max)_freq"), re.compile(r"[0-9]{4,9}")),
    (re.compile(r"kernel/mm/transparent_hugepage/enabled"), re.compile(r"always|madvise|never")),
    (
        re.compile(r"kernel/mm/transparent_hugepage/defrag"),
        re.compile(r"always|defer|defer\+madvise|madvise|never"),
    ),
    (
        re.compile(r"kernel/mm/transparent_hugepage/shmem_enabled"),
        re.compile(r"always|within_size|advise|never|deny|force"),
    ),
    (re.compile(r"kernel/mm/transparent_hugepage/khugepaged/defrag"), _SWITCH),
    (re.compile(r"kernel/mm/ksm/run"), re.compile(r"[012]")),
    (re.compile(r"kernel/mm/ksm/(?:merge_across_nodes|use_zero_pages|smart_scan)"), _SWITCH),
    (re.compile(r"kernel/mm/ksm/(?:pages_to_scan|sleep_millisecs)"), _NUMBER),
    (re.compile(r"kernel/mm/ksm/advisor_mode"), re.compile(r"none|scan-time")),
    (re.compile(_QUEUE + "scheduler"), re.compile(r"none|mq-deadline|kyber|bfq")),
    (re.compile(_QUEUE + "(?:read_ahead_kb|nr_requests|wbt_lat_usec|max_sectors_kb)"), _NUMBER),
    (re.compile(_QUEUE + "rq_affinity"), re.compile(r"[012]")),
    (re.compile(_QUEUE + "nomerges"), re.compile(r"[012]")),
    (re.compile(_QUEUE + "(?:add_random|iostats)"), _SWITCH),
    (
        re.compile(r"devices/system/node/node[0-9]{1,5}/hugepages/hugepages-(?:2048|1048576)kB/nr_hugepages"),
        _NUMBER,
    ),
    (re.compile(_BRIDGE + "stp_state"), _SWITCH),
    (re.compile(_BRIDGE + "forward_delay"), re.compile(r"[0-9]{1,4}")),
    (re.compile(_BRIDGE + "multicast_snooping"), _SWITCH),
    (re.compile(r"module/kvm/parameters/halt_poll_ns(?:_grow|_grow_start|_shrink)?"), _NUMBER),
)


def form_of(path: str) -> re.Pattern[str]:
    """The form of the values of a file below ``/sys``; Refused where it may not be written."""
    # A device's name may hold dots, and "." and ".." are no devices.
    climbs = not {".", ".."}.isdisjoint(path.split("/"))
    for pattern, form in _ALLOWED:
        if not climbs and pattern.fullmatch(path):
            return form
    raise Refused(f"/sys/{path[:120]} is not a setting that kvmnb turns")
