"""Where a guest's threads may run, and how many iothreads and vCPUs it has, from the threads themselves."""

from __future__ import annotations

import re

from kvmnb.apply.effective.look import Look, Seen
from kvmnb.machine.hypervisor import Thread
from kvmnb.machine.processes import threads

PATHS = re.compile(r"cputune/(?:(vcpupin|iothreadpin)\[(\d{1,5})\]|(emulatorpin))/@cpuset|(iothreads|vcpu)/text\(\)")


def look_at(look: Look, path: str, value: str) -> Seen | None:
    """The affinity of one thread, or the number of them."""
    match = PATHS.fullmatch(path)
    if match is None:
        return None
    folder = f"/proc/{look.process.pid}/task"
    found = threads(look.files, look.process)
    if match[4]:
        if match[4] == "vcpu" and look.element("vcpu") is not None and look.element("vcpus") is not None:
            return None
        kind = Thread.VCPU if match[4] == "vcpu" else Thread.IOTHREAD
        return Seen(str(sum(one.kind is kind for one in found)), folder)
    kind, number = Thread(match[1] or match[3]), int(match[2] or 0)
    for one in found:
        if one.kind is kind and one.number == number:
            return Seen(str(one.allowed), f"{folder}/{one.tid}/status, Cpus_allowed_list")
    return Seen(None, folder, "the guest has no such thread")
