"""A day of a host, made up: frames of every metric there is, for as many guests as wanted, the same on every run.

Nothing here is a measurement. It stands in for one where the question is how much a recording takes: a fifth of the
guests are busy, two fifths have something to do now and then, the rest is idle; rates are as uneven as real ones,
counters of faults are mostly 0, what a collector reads every ten seconds or every minute comes as seldom.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import numpy as np

from kvmnb.measure.metric import Metric
from kvmnb.measure.metrics import METRICS
from kvmnb.measure.series import Frame, Series

START = 1_700_000_100.0
HOST_CPUS = 64
LABELS_OF_GUEST: dict[str, tuple[int | str, ...]] = {
    "": ("",),
    "vcpu": (0, 1),
    "thread": ("emulator", "iothread1", "vhost-4711"),
    "disk": ("vda",),
    "nic": ("vnet0",),
    "node": (0, 1),
    "group": ("vcpu0", "vcpu1"),
}
LABELS_OF_HOST: dict[str, tuple[int | str, ...]] = {
    "": ("",),
    "cpu": tuple(range(HOST_CPUS)),
    "node": (0, 1),
    "pool": ("0:2048kB", "1:2048kB"),
    "resource": ("cpu", "memory", "io"),
    "disk": ("nvme0n1", "nvme1n1"),
    "nic": ("eth0", "eth1", "br0"),
}
RARE_WORDS = ("error", "drop", "fault", "swap", "squeeze", "throttled")


def names_of(guests: int) -> dict[str, str]:
    """The guests' names by UUID."""
    return {str(uuid.UUID(int=number + 1)): f"guest{number:03d}" for number in range(guests)}


class _Group:
    """Series that are read together: those of one period, and of all guests or of every tenth of them."""

    def __init__(self, series: list[tuple[Series, Metric, float]], period: float, phase: int, seed: int) -> None:
        self.period = period
        self.phase = phase
        self.series = [one for one, _, _ in series]
        self._draw = np.random.default_rng(seed)
        load = np.array([load for _, _, load in series])
        shares = np.array([metric.kind == "counter" and metric.unit == "seconds" for _, metric, _ in series])
        self._fixed = np.array([metric.kind == "gauge" for _, metric, _ in series])
        self._rare = np.array([any(word in metric.name for word in RARE_WORDS) for _, metric, _ in series])
        size = np.array([_size(metric) for _, metric, _ in series])
        self._level = np.where(shares, load, np.where(self._fixed, size, size * load))
        self._noise = np.zeros(len(series))
        self._held = np.round(self._level * self._draw.uniform(0.3, 1.0, len(series)))
        self._shares = shares

    def values(self) -> dict[Series, float]:
        """The next ones."""
        count = len(self.series)
        self._noise = 0.9 * self._noise + self._draw.normal(0, 0.2, count)
        moved = np.abs(self._level * (1 + self._noise)) * self._draw.uniform(0.5, 1.5, count)
        # A counter of things grows by whole ones, over a time that is never quite a second.
        jitter = 1 + self._draw.normal(0, 0.001, count)
        rates = np.where(self._shares, np.minimum(moved, 1.0), np.round(moved)) / jitter
        rates = np.where(self._rare & (self._draw.random(count) > 0.002), 0.0, rates)
        changed = self._fixed & (self._draw.random(count) < 0.1)
        self._held = np.where(changed, np.round(self._level * self._draw.uniform(0.3, 1.0, count)), self._held)
        return dict(zip(self.series, np.where(self._fixed, self._held, rates).tolist(), strict=True))


def _size(metric: Metric) -> float:
    if metric.unit == "bytes":
        return 4e9 if metric.kind == "gauge" else 5e6
    return float(HOST_CPUS) if metric.kind == "gauge" else 500.0


def _groups(guests: int) -> list[_Group]:
    found: list[_Group] = []
    for period in sorted({metric.period for metric in METRICS}):
        of_host = [
            (Series(metric.name, "", part), metric, 0.4)
            for metric in METRICS
            if metric.of == "host" and metric.period == period
            for part in LABELS_OF_HOST[metric.label]
        ]
        phases = max(1, round(period))
        apart: list[list[tuple[Series, Metric, float]]] = [[] for _ in range(phases)]
        apart[0] += of_host
        for number, guest in enumerate(names_of(guests)):
            load = (0.6, 0.05, 0.05, 0.002, 0.002)[number % 5]
            apart[number % phases] += [
                (Series(metric.name, guest, part), metric, load)
                for metric in METRICS
                if metric.of == "guest" and metric.period == period
                for part in LABELS_OF_GUEST[metric.label]
            ]
        found += [_Group(series, period, phase, seed=phase) for phase, series in enumerate(apart) if series]
    return found


def frames(guests: int, seconds: int) -> Iterator[Frame]:
    """A frame for each second."""
    groups = _groups(guests)
    draw = np.random.default_rng(7)
    for tick in range(seconds):
        values: dict[Series, float] = {}
        periods: dict[Series, float] = {}
        for group in groups:
            if tick % max(1, round(group.period)) == group.phase:
                values |= group.values()
                if group.period > 1:
                    over = group.period + float(draw.normal(0, 0.01))
                    periods |= dict.fromkeys(group.series, over)
        yield Frame(START + tick + float(draw.uniform(0, 0.003)), values, {}, 1.0, periods)
