"""Who takes whose CPU on a machine: looked at on this host, told by recorded series where they hold enough."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from kvmnb.core.errors import KvmnbError, NotAnswered
from kvmnb.facts.gap import Gap
from kvmnb.machine.files import Files
from kvmnb.machine.machine import Machine
from kvmnb.measure.listening import checked_seconds, listen
from kvmnb.measure.looks import LOOKS_A_SECOND, Looks
from kvmnb.measure.metric import TICK
from kvmnb.measure.metrics import host_cpu, thread, vcpu
from kvmnb.measure.metrics.quota import GUEST_THROTTLED
from kvmnb.measure.moment import CpuAt, Kind, Moment, Party, ThreadAt
from kvmnb.measure.neighbours import Matrix, matrix
from kvmnb.measure.sampler import Sampler
from kvmnb.measure.series import Frame, Series
from kvmnb.measure.sources import sampler_of

MOST_LOOKS_A_SECOND = 20.0
WHAT = "who takes whose CPU"
OF_VCPUS = (vcpu.VCPU_RUN.name, vcpu.VCPU_RUN_DELAY.name, vcpu.VCPU_LAST_CPU.name)
OF_THREADS = (thread.THREAD_RUN.name, thread.THREAD_RUN_DELAY.name, thread.THREAD_LAST_CPU.name)
NEEDED = (*OF_VCPUS, host_cpu.HOST_CPU_BUSY.name)
NO_PROCESSES = "the series hold guests' threads alone: what other processes of the host took is in the unknown share"


def matrix_of(machine: Machine, seconds: float, a_second: float = LOOKS_A_SECOND) -> Matrix | Gap:
    """Who takes whose CPU over the next ``seconds``; a gap where this machine has nothing that tells it.

    KvmnbError where that is no time.
    """
    if _is_here(machine):
        return _looked_at(machine.tree, checked_seconds(seconds), checked_looks(a_second))
    try:
        sampler = sampler_of(machine)
    except NotAnswered as problem:
        return Gap(WHAT, str(problem))
    return told_by(listen(sampler, seconds))


def heard(machine: Machine, sampler: Sampler, seconds: float) -> tuple[list[Frame], Matrix | Gap]:
    """The frames of the next ``seconds``, and who took whose CPU meanwhile."""
    if not _is_here(machine):
        frames = listen(sampler, seconds)
        return frames, told_by(frames)
    looked: list[Matrix | Gap] = []
    frames = listen(sampler, seconds, lambda long: looked.append(_looked_at(machine.tree, long, LOOKS_A_SECOND)))
    return frames, looked[0]


def checked_looks(a_second: float) -> float:
    """How often to look; KvmnbError where that is too seldom to tell anything, or too often to be cheap."""
    if not 1 <= a_second <= MOST_LOOKS_A_SECOND:
        raise KvmnbError(f"{a_second:g} looks a second cannot be made: ask for 1 to {MOST_LOOKS_A_SECOND:g}")
    return a_second


def _is_here(machine: Machine) -> bool:
    """Whether the threads of this very host can be looked at; else its series are asked."""
    return machine.files is not None and machine.files.root == Path("/")


def _looked_at(files: Files, seconds: float, a_second: float) -> Matrix | Gap:
    looks = Looks(files)
    try:
        found = matrix(looks.over(seconds, a_second)).called(looks.names())
    except (OSError, ValueError) as problem:
        return Gap(WHAT, f"/proc of this host cannot be read: {problem}")
    return replace(found, gaps=looks.gaps, guests=looks.guests)


def told_by(frames: Iterable[Frame]) -> Matrix | Gap:
    """What these frames tell, gone through twice; a gap that names the series that are missing."""
    held = {series.metric for frame in frames for series in frame.values}
    missing = [name for name in NEEDED if name not in held]
    if missing:
        return Gap(WHAT, f"these series are not there: {', '.join(missing)}; look on the host itself")
    return matrix(_moments(frames), (NO_PROCESSES,))


def _moments(frames: Iterable[Frame]) -> Iterator[Moment | None]:
    """The counters that the frames' rates stand for, each counted from the first frame on."""
    counted: dict[Series, float] = defaultdict(float)
    at = 0.0
    cpu_of: dict[Series, int] = {}
    for frame in frames:
        passed = frame.period or TICK
        at += passed
        for series, value in frame.values.items():
            counted[series] += value * passed
            if series.metric in (OF_VCPUS[2], OF_THREADS[2]):
                cpu_of[series] = int(value)
        if not frame.values:
            # A gap, or a recording that begins again.
            yield None
            continue
        yield Moment(at, _threads(frame, counted, cpu_of), _cpus(frame, counted), _held(frame, counted))


def _threads(frame: Frame, counted: Mapping[Series, float], cpu_of: Mapping[Series, int]) -> dict[Hashable, ThreadAt]:
    found: dict[Hashable, ThreadAt] = {}
    for run, delay, last in (OF_VCPUS, OF_THREADS):
        for one in frame.values:
            at = one._replace(metric=last)
            if one.metric != run or at not in cpu_of:
                continue
            label = f"vcpu{one.part}" if isinstance(one.part, int) else one.part
            kind = Kind.VHOST if label.startswith("vhost-") else Kind.GUEST
            own = counted.get(Series(GUEST_THROTTLED.name, one.guest, label), 0.0)
            waited = counted.get(one._replace(metric=delay), 0.0)
            party = Party(kind, one.guest)
            found[one] = ThreadAt(party, counted[one], waited, cpu_of[at], run == OF_VCPUS[0], own)
    return found


def _cpus(frame: Frame, counted: Mapping[Series, float]) -> dict[int, CpuAt]:
    found = {}
    for one in frame.values:
        if one.metric == host_cpu.HOST_CPU_BUSY.name and isinstance(one.part, int):
            busy, irq, softirq, steal = (
                counted.get(one._replace(metric=metric.name), 0.0)
                for metric in (
                    host_cpu.HOST_CPU_BUSY,
                    host_cpu.HOST_CPU_IRQ,
                    host_cpu.HOST_CPU_SOFTIRQ,
                    host_cpu.HOST_CPU_STEAL,
                )
            )
            found[one.part] = CpuAt(busy, irq + softirq, steal)
    return found


def _held(frame: Frame, counted: Mapping[Series, float]) -> dict[str, float]:
    return {
        one.guest: counted[one] for one in frame.values if one.metric == GUEST_THROTTLED.name and one.part == "guest"
    }
