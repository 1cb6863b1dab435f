"""Record the series that the demo host plays: real guests with known work, measured on this machine.

Run as root, with libvirt and QEMU installed, on a machine of at least two CPUs that has nothing else to do::

    python -m tools.record_series --seconds 30
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from kvmnb.machine.files import Files
from kvmnb.measure.live import LiveSource
from kvmnb.measure.metrics.host_cpu import HOST_CPU_BUSY
from kvmnb.measure.metrics.vcpu import VCPU_RUN
from kvmnb.measure.replay import recorded_from, write_series
from kvmnb.measure.sampler import Sampler
from kvmnb.measure.series import Frame
from tests.lab.daemon import Lab
from tests.lab.guest import Guest

OUT = Path(__file__).parents[1] / "kvmnb/demo/series/threads.jsonl"
WARM_UP_SECONDS = 5.0

ENDLESS = "while :; do :; done"
BURSTS = "while :; do i=0; while [ $i -lt {loops} ]; do i=$((i+1)); done; sleep {pause}; done"


@dataclass(frozen=True, slots=True)
class Work:
    """A guest of two vCPUs: where its vCPUs are pinned, what quota they have, what each of them does."""

    name: str
    pins: tuple[str, str] | None
    quota_percent: int | None
    loops: tuple[str | None, str | None]


def _bursts(loops: int, pause: float) -> str:
    return BURSTS.format(loops=loops, pause=pause)


WORK = (
    Work("db01", ("0", "1"), None, (ENDLESS, _bursts(20_000, 2))),
    Work("router01", ("0", "1"), None, (_bursts(150_000, 6), None)),
    Work("build01", None, 20, (ENDLESS, ENDLESS)),
    Work("web01", None, None, (_bursts(4_000, 1), _bursts(30_000, 7))),
    Work("win10", None, None, (_bursts(10_000, 11), None)),
    Work("cache01", None, None, (None, _bursts(1_000, 0.5))),
    Work("mail01", None, None, (None, None)),
)


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description="Record the series that the demo host plays.")
    parser.add_argument("--seconds", type=int, default=30, help="how many are kept")
    parser.add_argument("--watch", type=int, default=60, help="how many are watched to find the quietest stretch")
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    with ExitStack() as stack:
        lab = stack.enter_context(Lab())
        guests = []
        for work in WORK:
            guest = Guest.start(lab, work.name, vcpus=2, memory_mib=96, domain=_tuning(work))
            stack.callback(guest.remove)
            guests.append(guest)
        for guest, work in zip(guests, WORK, strict=True):
            guest.wait_ready(240)
            for vcpu, loop in enumerate(work.loops):
                if loop is not None:
                    guest.run(f"(taskset {1 << vcpu} sh -c '{loop}' >/dev/null 2>&1 &)", timeout=120)
            print(f"{work.name} works", file=sys.stderr)
        time.sleep(WARM_UP_SECONDS)
        frames = _quietest(_record(max(options.watch, options.seconds)), options.seconds)
    names = {guest.uuid: guest.name for guest in guests}
    note = f"recorded on a {os.cpu_count()}-CPU test machine under TCG, 2 vCPUs per guest"
    made_at = time.strftime("%Y-%m-%d", time.gmtime())
    recorded = recorded_from(frames, names, note=note, made_at=made_at, period=1.0)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(write_series(recorded), encoding="utf-8")
    others = sum(_others(frame) for frame in frames) / len(frames)
    print(f"{len(recorded.rows)} rows of {len(recorded.cover.columns)} series in {options.out}")
    print(f"Linux {platform.release()}; others than the guests' vCPUs took {others:.2f} CPUs in the mean")
    return 0


def _tuning(work: Work) -> tuple[str, ...]:
    inside = ""
    if work.quota_percent is not None:
        inside += f"<period>100000</period><quota>{work.quota_percent * 1000}</quota>"
    if work.pins is not None:
        inside += "".join(f"<vcpupin vcpu='{vcpu}' cpuset='{cpus}'/>" for vcpu, cpus in enumerate(work.pins))
    return (f"<cputune>{inside}</cputune>",) if inside else ()


def _record(seconds: int) -> list[Frame]:
    frames: list[Frame] = []
    sampler = Sampler(LiveSource(Files(Path("/"))))
    with sampler.subscribe(frames.append, name="the recorder", period=1.0):
        while len(frames) < seconds:
            time.sleep(0.2)
    return frames[:seconds]


def _others(frame: Frame) -> float:
    """The CPUs that something else than the guests' vCPUs took in a tick."""
    busy = sum(rate for series, rate in frame.values.items() if series.metric == HOST_CPU_BUSY.name)
    return busy - sum(rate for series, rate in frame.values.items() if series.metric == VCPU_RUN.name)


def _quietest(frames: list[Frame], seconds: int) -> list[Frame]:
    """The stretch in which the rest of the machine did least, so that the guests' own work is seen."""
    loads = [_others(frame) for frame in frames]
    starts = range(len(frames) - seconds + 1)
    start = min(starts, key=lambda begin: sum(loads[begin : begin + seconds]))
    return frames[start : start + seconds]


if __name__ == "__main__":
    sys.exit(main())
