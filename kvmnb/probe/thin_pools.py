"""How full the device mapper's thin pools are, asked of ``dmsetup``, which takes no lock of LVM's."""

from __future__ import annotations

import re
from typing import cast

from kvmnb.core.errors import NotAnswered
from kvmnb.facts.gap import Gap
from kvmnb.facts.host import Host
from kvmnb.facts.storage import ThinPool
from kvmnb.machine.commands import Commands

TIMEOUT_SECONDS = 5.0
QUESTION = ("dmsetup", "status", "--target", "thin-pool")
# Linux documentation, admin-guide/device-mapper/thin-provisioning, status of a pool: transaction, metadata, data.
_LINE = re.compile(r"(.{1,200}?): \d{1,20} \d{1,20} thin-pool \d{1,20} (\d{1,15})/(\d{1,15}) (\d{1,15})/(\d{1,15}) .*")


def probe_thin_pools(host: Host, commands: Commands | None) -> tuple[ThinPool, ...]:
    """The host's thin pools; nothing is asked where it has none."""
    fact = "host.thin_pools"
    if host.gap_of("blocks") is not None:
        return ()
    if not any(block.gap_of("dm_name") is None and block.thin_pool for block in host.blocks):
        return ()
    if commands is None:
        return cast(tuple[ThinPool, ...], Gap(fact, "programs are asked on this system alone"))
    try:
        answer = commands.run(QUESTION, TIMEOUT_SECONDS)
    except NotAnswered as problem:
        return cast(tuple[ThinPool, ...], Gap(fact, str(problem)))
    if answer.code != 0:
        return cast(tuple[ThinPool, ...], Gap(fact, f"needs root: dmsetup failed with code {answer.code}"))
    return parse_status(answer.stdout)


def parse_status(text: str) -> tuple[ThinPool, ...]:
    """The pools of dmsetup's answer; one that failed has no numbers and is left out.

    >>> parse_status("vg-p-tpool: 0 8 thin-pool 1 10/40 90/100 - rw discard_passdown queue_if_no_space - 1024\\n")
    (ThinPool(name='vg-p-tpool', used_ratio=0.9, metadata_used_ratio=0.25),)
    """
    found = []
    for line in text.splitlines():
        match = _LINE.fullmatch(line)
        if match is not None and int(match[3]) and int(match[5]):
            metadata, data = int(match[2]) / int(match[3]), int(match[4]) / int(match[5])
            found.append(ThinPool(name=match[1], used_ratio=data, metadata_used_ratio=metadata))
    return tuple(found)
