"""The settings that libvirt changes on a running guest by a call of its own, by their place in the live XML."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from kvmnb.core.errors import Refused
from kvmnb.core.xml import Path
from kvmnb.machine.live import Call, Setting
from kvmnb.tunable.tunable import Undo

UNLIMITED_KIB = "9007199254740991"
"""What libvirt says of a memory limit that is not set; libvirt API, VIR_DOMAIN_MEMORY_PARAM_UNLIMITED."""

_SIZE_KIB = r"[0-9]{1,16}"
_RATE = r"[0-9]{1,18}"
# libvirt takes 1,000 to 18,446,744,073,709,551 microseconds of quota and answers the largest where none is set.
_QUOTA = r"-1|[1-9][0-9]{3,16}"


@dataclass(frozen=True, slots=True)
class _Row:
    """One kind of setting: where it stands, what calls change it, what it may be, how it is taken back."""

    path: str
    call: Call
    name: str
    form: str
    undo: Undo = Undo.EXACT
    absent: str | None = None


_SCHEDULER = tuple(
    row
    for who, prefix in (("vcpu", ""), ("global", "global_"), ("emulator", "emulator_"), ("iothread", "iothread_"))
    for row in (
        _Row(
            rf"cputune/{prefix}period/text\(\)",
            Call.SCHEDULER,
            f"{who}_period",
            r"[1-9][0-9]{3,6}",
            Undo.EQUAL_IN_EFFECT,
            "100000",
        ),
        _Row(
            rf"cputune/{prefix}quota/text\(\)",
            Call.SCHEDULER,
            f"{who}_quota",
            _QUOTA,
            Undo.EQUAL_IN_EFFECT,
            "-1",
        ),
    )
)
_RATES = "|".join(
    f"{who}_{what}_sec(?:_max(?:_length)?)?" for who in ("total", "read", "write") for what in ("bytes", "iops")
)

_ROWS = (
    _Row("vcpu/@current", Call.VCPUS, "current", r"[1-9][0-9]{0,3}", Undo.NEEDS_GUEST),
    _Row(r"currentMemory/text\(\)", Call.MEMORY, "memory", r"[1-9][0-9]{3,15}", Undo.NEEDS_GUEST),
    _Row("devices/memballoon/stats/@period", Call.STATS_PERIOD, "period", r"[0-9]{1,6}", absent="0"),
    _Row(r"cputune/shares/text\(\)", Call.SCHEDULER, "cpu_shares", r"[1-9][0-9]{0,5}", Undo.EQUAL_IN_EFFECT),
    *_SCHEDULER,
    *(
        _Row(rf"memtune/{name}/text\(\)", Call.LIMITS, name, _SIZE_KIB, absent=UNLIMITED_KIB)
        for name in ("hard_limit", "soft_limit", "swap_hard_limit")
    ),
    _Row(
        "numatune/memory/@nodeset", Call.NUMA, "numa_nodeset", r"[0-9]{1,4}(?:[,-][0-9]{1,4}){0,200}",
        Undo.EQUAL_IN_EFFECT,
    ),
    _Row(r"blkiotune/weight/text\(\)", Call.BLOCK, "weight", r"[1-9][0-9]{0,4}", Undo.EQUAL_IN_EFFECT),
    _Row(
        rf"devices/disk\[([^\]/]{{1,300}})\]/iotune/({_RATES}|size_iops_sec)/text\(\)",
        Call.DISK, "", _RATE, absent="0",
    ),
    _Row(
        r"devices/interface\[([^\]/]{1,300})\]/bandwidth/((?:in|out)bound/@(?:average|peak|burst)|inbound/@floor)",
        Call.INTERFACE, "", r"[0-9]{1,10}", absent="0",
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Known:
    """A setting with what it may be and how it is taken back."""

    setting: Setting
    form: re.Pattern[str]
    undo: Undo


@lru_cache(maxsize=256)
def known(path: str) -> Known:
    """The setting at a place of the live XML; Refused where libvirt has no call for it."""
    for row in _ROWS:
        match = re.fullmatch(row.path, path)
        if match is None:
            continue
        name, device = row.name, ""
        if match.groups():
            device = Path.parse(path).steps[1].keys[0]
            # ``inbound/@average`` is what libvirt calls ``inbound.average``.
            name = match[2].replace("/@", ".")
        setting = Setting(path=path, call=row.call, name=name, device=device, absent=row.absent)
        return Known(setting, re.compile(row.form), row.undo)
    raise Refused(f"{path[:120]!r} is no setting that libvirt changes on a running guest by a call of its own")
