"""How a host's CPUs are clocked and how deep they sleep, from ``cpufreq`` and ``cpuidle``."""

from __future__ import annotations

import re
from typing import cast

from kvmnb.core.cpuset import CpuSet
from kvmnb.facts.cpu import Frequency, IdleState
from kvmnb.probe.reader import Reader, gap, seen

Kind = tuple[str, str]
"""What tells CPUs of unequal make apart: core type and capacity."""


def probe_policies(read: Reader, root: str, online: CpuSet) -> dict[int, Frequency]:
    """Each CPU's frequency policy; a policy names its CPUs itself.

    Before Linux 4.3 there is no folder of policies and each CPU has its own; ``root`` is the folder of CPUs.
    """
    names = read.folder(f"{root}/cpufreq", "host.cpus.frequency")
    if not seen(names):
        return dict.fromkeys(online, cast(Frequency, names))
    folders = {
        int(name[6:]): f"{root}/cpufreq/{name}" for name in names if re.fullmatch(r"policy\d{1,5}", name)
    } or _folders_of_cpus(read, root, online)
    alike = _Alike(read)
    found: dict[int, Frequency] = {}
    for number, path in sorted(folders.items()):
        fact = f"host.cpus[{number}].frequency"
        cpus = read.parse(f"{path}/affected_cpus", fact, lambda text: CpuSet(map(int, text.split())), None)
        if cpus is None:
            cpus = CpuSet.of(number)
        if not seen(cpus) or (not cpus and number in online):
            found[number] = cast(Frequency, cpus or gap(fact, f"/{path}/affected_cpus: the file is empty"))
            continue
        if not cpus or number in found:
            # All CPUs of the policy are offline, and the kernel refuses to read its files.
            continue
        policy = Frequency(
            policy=number,
            driver=alike.word(f"{path}/scaling_driver", f"{fact}.driver"),
            governor=read.word(f"{path}/scaling_governor", f"{fact}.governor"),
            governors=alike.words(f"{path}/scaling_available_governors", f"{fact}.governors"),
            epp=read.word(f"{path}/energy_performance_preference", f"{fact}.epp", None),
            epps=alike.words(f"{path}/energy_performance_available_preferences", f"{fact}.epps"),
            scaling_min_khz=read.integer(f"{path}/scaling_min_freq", f"{fact}.scaling_min_khz", None),
            scaling_max_khz=read.integer(f"{path}/scaling_max_freq", f"{fact}.scaling_max_khz"),
            hardware_min_khz=read.integer(f"{path}/cpuinfo_min_freq", f"{fact}.hardware_min_khz", None),
            hardware_max_khz=read.integer(f"{path}/cpuinfo_max_freq", f"{fact}.hardware_max_khz"),
        )
        found.update(dict.fromkeys(cpus, policy))
    for number in online if found else ():
        if number not in found:
            found[number] = gap(f"host.cpus[{number}].frequency", f"no policy of /{root}/cpufreq names CPU {number}")
    return found


class IdleReader:
    """Reads CPUs' idle states; names and latencies once for each kind of CPU, the switches for every CPU."""

    def __init__(self, read: Reader, root: str) -> None:
        self._read = read
        self._root = root
        self._kinds: dict[Kind, tuple[tuple[str, str, int], ...]] = {}
        self._none = False

    def states(self, cpu: int, kind: Kind, fact: str) -> tuple[IdleState, ...]:
        """The idle states of one CPU; CPUs of one ``kind`` have the same ones."""
        if self._none:
            return ()
        folder = f"{self._root}/cpu{cpu}/cpuidle"
        if kind not in self._kinds:
            names = self._read.folder(folder, fact)
            if not seen(names):
                return cast(tuple[IdleState, ...], names)
            if not self._kinds and not names:
                # cpuidle is the kernel's as a whole: the first CPU tells for all.
                self._none = True
                return ()
            self._kinds[kind] = self._kind(folder, names, fact)
        return tuple(
            IdleState(
                name=name,
                latency_us=latency,
                disabled=self._read.parse(f"{folder}/{state}/disable", f"{fact}.{state}.disabled", switch, None),
            )
            for state, name, latency in self._kinds[kind]
        )

    def _kind(self, folder: str, names: list[str], fact: str) -> tuple[tuple[str, str, int], ...]:
        states = sorted((name for name in names if re.fullmatch(r"state\d{1,2}", name)), key=lambda name: int(name[5:]))
        return tuple(
            (
                state,
                self._read.word(f"{folder}/{state}/name", f"{fact}.{state}.name"),
                self._read.integer(f"{folder}/{state}/latency", f"{fact}.{state}.latency_us"),
            )
            for state in states
        )


class _Alike:
    """Reads files that say the same in every policy, once: a kernel has one frequency driver."""

    def __init__(self, read: Reader) -> None:
        self._read = read
        self._found: dict[str, object] = {}

    def word(self, path: str, fact: str) -> str:
        name = path.rpartition("/")[2]
        if name not in self._found:
            found = self._read.word(path, fact)
            if not seen(found):
                return found
            self._found[name] = found
        return cast(str, self._found[name])

    def words(self, path: str, fact: str) -> tuple[str, ...]:
        name = path.rpartition("/")[2]
        if name not in self._found:
            found = self._read.parse(path, fact, _words, ())
            if not seen(found):
                return found
            self._found[name] = found
        return cast(tuple[str, ...], self._found[name])


def _folders_of_cpus(read: Reader, root: str, online: CpuSet) -> dict[int, str]:
    if not online or not read.names(f"{root}/cpu{online.first}/cpufreq"):
        return {}
    return {number: f"{root}/cpu{number}/cpufreq" for number in online}


def _words(text: str) -> tuple[str, ...]:
    if not text.split():
        raise ValueError("the file is empty")
    return tuple(text.split())


def switch(text: str) -> bool:
    """Whether a switch is on.

    >>> switch("0"), switch("1")
    (False, True)
    """
    if not re.fullmatch(r"\d{1,10}", text):
        raise ValueError(f"{text[:40]!r} is neither 0 nor 1")
    return text.strip("0") != ""
