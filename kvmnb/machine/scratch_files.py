"""Writes to a scratch copy of a host's files, answered as the kernel answers them."""

from __future__ import annotations

import errno
import os
import re
import tempfile
from typing import Any

from kvmnb.core import codec
from kvmnb.core.errors import Refused
from kvmnb.machine.files import Files
from kvmnb.machine.remount import mount_point

_CPUFREQ = re.compile(
    r"sys/devices/system/cpu/(?:cpufreq/policy\d+|cpu\d+/cpufreq)/(scaling_governor|energy_performance_preference)\Z"
)
# A choice file lists what may be chosen; the chosen word stands in brackets.
_CHOICE = re.compile(
    r"sys/block/[^/]+/queue/scheduler\Z|sys/kernel/mm/transparent_hugepage/(?:enabled|defrag|shmem_enabled)\Z"
)
_NUMBER = re.compile(
    r"sys/kernel/mm/ksm/(?:run|pages_to_scan|sleep_millisecs|merge_across_nodes|use_zero_pages|smart_scan)\Z"
    r"|sys/block/[^/]+/queue/(?:read_ahead_kb|nr_requests|rq_affinity|nomerges|add_random|iostats|wbt_lat_usec|max_sectors_kb)\Z"
    r"|sys/class/net/[^/]+/bridge/(?:stp_state|forward_delay|multicast_snooping)\Z"
    r"|sys/module/kvm/parameters/halt_poll_ns\w*\Z"
    r"|proc/sys/[a-z0-9_/-]+\Z"
    r"|sys/devices/system/cpu/cpufreq/policy\d+/scaling_(?:min|max)_freq\Z"
)
_POOL = re.compile(r"sys/devices/system/node/node\d+/hugepages/hugepages-(\d+)kB/nr_hugepages\Z")
_FUNCTIONS = re.compile(r"sys/bus/pci/devices/[0-9a-f:.]+/sriov_numvfs\Z")
_CHOICES_BESIDE = {
    "scaling_governor": "scaling_available_governors",
    "energy_performance_preference": "energy_performance_available_preferences",
}


class ScratchFiles(Files):
    """The files of a scratch copy; a file whose answer is not modelled refuses the write."""

    def writable(self, path: str) -> bool:
        return self.exists(path) and any(one.match(path) for one in (_CPUFREQ, _CHOICE, _NUMBER, _POOL, _FUNCTIONS))

    def write(self, path: str, value: str) -> None:
        before = self.read(path)
        word = value.strip()
        cpufreq = _CPUFREQ.match(path)
        if cpufreq is not None:
            choices = self.read(f"{path.rpartition('/')[0]}/{_CHOICES_BESIDE[cpufreq[1]]}").split()
            after = _only(word, word in choices, path)
        elif _CHOICE.match(path):
            choices = before.replace("[", "").replace("]", "").split()
            _only(word, word in choices, path)
            after = " ".join(f"[{choice}]" if choice == word else choice for choice in choices)
        elif _NUMBER.match(path):
            numbers = word.split()
            whole = len(numbers) == len(before.split()) and all(one.isdecimal() and len(one) < 20 for one in numbers)
            after = _only("\t".join(numbers), whole, path)
        elif pool := _POOL.match(path):
            self._resize_pool(path, int(_only(word, word.isdecimal() and len(word) < 10, path)), int(pool[1]))
            return
        elif _FUNCTIONS.match(path):
            most = int(self.read(f"{path.rpartition('/')[0]}/sriov_totalvfs"))
            after = _only(word, word.isdecimal() and int(word) <= most, path)
            if before != "0" and after not in ("0", before):
                raise OSError(errno.EBUSY, os.strerror(errno.EBUSY), f"/{path}")
        else:
            raise Refused(f"writing {word!r} to /{path}: this scratch copy cannot tell how the kernel would answer")
        self._replace(path, after + "\n")

    def set_nic(self, name: str, part: str, key: str, value: int) -> None:
        """As the kernel does: no count above its most, no feature that is fixed, an MTU of 68 and up."""
        if part == "mtu":
            _only(str(value), 68 <= value <= 65_535, f"sys/class/net/{name}/mtu")
            self._replace(f"sys/class/net/{name}/mtu", f"{value}\n")
            return
        path = f"ethtool/{name}.json"
        answers = codec.from_json(self.read(path), dict[str, Any], "the ethtool answers")
        held = answers.get(part)
        if not isinstance(held, dict) or key not in held:
            raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP), f"/{path}")
        if part == "features":
            _only(key, "[fixed]" not in held[key], path)
            held[key] = "on" if value else "off"
        else:
            _only(key, value <= held.get(f"{key}_max", value), path)
            held[key] = bool(value) if isinstance(held[key], bool) else value
        self._replace(path, codec.to_json(answers, indent=1) + "\n")

    def set_atime(self, path: str, word: str) -> None:
        """In the mount table that the copy holds."""
        table = next(one for one in ("proc/self/mountinfo", "proc/1/mountinfo") if self.exists(one))
        lines = self.read(table).splitlines()
        for number in range(len(lines) - 1, -1, -1):
            fields = lines[number].split(" ")
            if mount_point(fields[4]) == path:
                kept = [one for one in fields[5].split(",") if one not in ("relatime", "noatime")]
                fields[5] = ",".join([*kept, *([word] if word != "strictatime" else [])])
                lines[number] = " ".join(fields)
                self._replace(table, "\n".join(lines) + "\n")
                return
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)

    def _resize_pool(self, path: str, wanted: int, page_kib: int) -> None:
        """As the kernel does: a pool grows as far as the node has free memory, and keeps the pages in use."""
        folder, node = path.rpartition("/")[0], path.split("/hugepages")[0]
        total, free = int(self.read(path)), int(self.read(f"{folder}/free_hugepages"))
        match = re.search(r"MemFree:\s+(\d+) kB", self.read(f"{node}/meminfo"))
        room = (int(match[1]) if match else 0) // page_kib
        after = min(max(wanted, total - free), total + room)
        meminfo = self.read(f"{node}/meminfo")
        if match:
            left = int(match[1]) - (after - total) * page_kib
            meminfo = meminfo[: match.start(1)] + str(left) + meminfo[match.end(1) :]
        self._replace(f"{node}/meminfo", meminfo + "\n")
        self._replace(f"{folder}/free_hugepages", f"{free + after - total}\n")
        self._replace(path, f"{after}\n")

    def _replace(self, path: str, text: str) -> None:
        target = self._locate(path)
        descriptor, temporary = tempfile.mkstemp(dir=os.path.dirname(target), prefix=".")
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, target)


def _only(word: str, allowed: bool, path: str) -> str:
    if not allowed:
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL), f"/{path}")
    return word
