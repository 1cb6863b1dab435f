"""A seeded simulation of threads on CPUs: who ran, who waited, and who in truth took the CPU meanwhile."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field

from kvmnb.measure.moment import HYPERVISOR, QUOTA, UNKNOWN, CpuAt, Kind, Moment, Party, ThreadAt
from kvmnb.measure.neighbours import matrix

STEP = 0.001
SLICE_STEPS = 4


@dataclass
class Task:
    """One thread: how much of the time it wants to run, and where it may."""

    party: Party
    wants: float
    allowed: Sequence[int]
    is_vcpu: bool = True
    quota: float = 1.0
    """The share of each 100 ms that it may run at most."""
    cpu: int = 0
    run: float = 0.0
    delay: float = 0.0
    throttled: float = 0.0
    awake: bool = True
    until: int = 0
    used: int = 0


@dataclass
class Simulation:
    """Round robin on each CPU, and a balancer that moves a waiting thread to a CPU that idles or is shorter."""

    tasks: list[Task]
    cpus: int
    seed: int
    steal: float = 0.0
    """The share of the time in which the hypervisor below takes each CPU."""
    truth: dict[tuple[str, Party], float] = field(default_factory=lambda: defaultdict(float))

    def run(self, seconds: float, period: float) -> Iterator[Moment]:
        """A look at every ``period``."""
        random_ = random.Random(self.seed)
        busy, stolen = [0.0] * self.cpus, [0.0] * self.cpus
        queues: list[list[Task]] = [[] for _ in range(self.cpus)]
        for task in self.tasks:
            task.cpu = random_.choice(task.allowed)
            queues[task.cpu].append(task)
        every = round(period / STEP)
        for step in range(round(seconds / STEP) + 1):
            if step % every == 0:
                yield self._look(step * STEP, busy, stolen)
            for task in self.tasks:
                self._wake(task, step, random_)
            if step % 20 == 0:
                self._balance(queues, random_)
            for cpu, queue in enumerate(queues):
                self._turn(cpu, queue, step, busy, stolen, random_)

    def _wake(self, task: Task, step: int, random_: random.Random) -> None:
        if step % 100 == 0:
            task.used = 0
        if step >= task.until:
            task.awake = task.wants >= 1 or (task.wants > 0 and random_.random() < task.wants)
            task.until = step + random_.randint(5, 40)

    def _balance(self, queues: list[list[Task]], random_: random.Random) -> None:
        for queue in queues:
            for task in [one for one in queue if one.awake][1:]:
                others = [cpu for cpu in task.allowed if sum(one.awake for one in queues[cpu]) + 1 < len(queue)]
                if others:
                    queue.remove(task)
                    task.cpu = random_.choice(others)
                    queues[task.cpu].append(task)

    def _turn(
        self, cpu: int, queue: list[Task], step: int, busy: list[float], stolen: list[float], random_: random.Random
    ) -> None:
        if step % SLICE_STEPS == 0 and len(queue) > 1:
            queue.append(queue.pop(0))
        ready = [task for task in queue if task.awake]
        held = [task for task in ready if task.used >= task.quota * 100]
        free = [task for task in ready if task not in held]
        for task in held:
            task.delay += STEP
            task.throttled += STEP
            if task.is_vcpu:
                self.truth[task.party.name, QUOTA] += STEP
        runs: Task | None = None
        taker: Party | None = None
        if free and random_.random() < self.steal:
            stolen[cpu] += STEP
            taker = HYPERVISOR
        elif free:
            runs = free[0]
            runs.run += STEP
            runs.used += 1
            busy[cpu] += STEP
            taker = runs.party
        for task in free:
            if task is not runs:
                task.delay += STEP
                if task.is_vcpu and taker is not None:
                    self.truth[task.party.name, taker] += STEP

    def _look(self, at: float, busy: list[float], stolen: list[float]) -> Moment:
        threads: dict[Hashable, ThreadAt] = {
            number: ThreadAt(task.party, task.run, task.delay, task.cpu, task.is_vcpu, task.throttled)
            for number, task in enumerate(self.tasks)
        }
        cpus = {cpu: CpuAt(round(busy[cpu], 2), 0.0, round(stolen[cpu], 2)) for cpu in range(self.cpus)}
        return Moment(at, threads, cpus)


def generated(seed: int) -> Simulation:
    """A placement drawn from a seed: guests pinned, floating and throttled, processes, and one below this host."""
    random_ = random.Random(seed)
    cpus = random_.randint(1, 4)
    tasks = []
    for guest in range(random_.randint(2, 4)):
        party = Party(Kind.GUEST, f"guest-{guest}")
        quota = random_.choice((1.0, 1.0, 1.0, 0.4))
        for _ in range(random_.randint(1, 2)):
            allowed = random_.choice((range(cpus), [random_.randrange(cpus)]))
            tasks.append(Task(party, random_.choice((1.0, 1.0, 0.6, 0.2)), allowed, quota=quota))
    for name in random_.sample(("backup", "build"), random_.randint(0, 2)):
        allowed = random_.choice((range(cpus), [random_.randrange(cpus)]))
        tasks.append(Task(Party(Kind.PROCESS, name), random_.choice((1.0, 0.3)), allowed, is_vcpu=False))
    return Simulation(tasks, cpus, seed, steal=random_.choice((0.0, 0.0, 0.2)))


def precision_and_recall(seeds: range, period: float) -> tuple[float, float, float]:
    """Over generated placements: of what was blamed, how much is true; of what is true, how much was blamed."""
    named = right = true = waited = 0.0
    for seed in seeds:
        simulation = generated(seed)
        found = matrix(simulation.run(3, period))
        blamed = {key: rate * found.seconds for key, rate in found.caused.items() if key[1] != UNKNOWN}
        named += sum(blamed.values())
        true += sum(simulation.truth.values())
        right += sum(min(seconds, simulation.truth.get(key, 0.0)) for key, seconds in blamed.items())
        waited += sum(found.caused.values()) * found.seconds
    return right / named, right / true, 1 - named / waited
