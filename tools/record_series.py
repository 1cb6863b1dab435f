"""Record the series that the demo host plays: real guests with known work, measured on this machine.

Run as root, with libvirt and QEMU installed, on a machine of at least two CPUs that has nothing else to do::

    python -m tools.record_series --seconds 30
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from kvmnb.machine.files import Files
from kvmnb.machine.statistics import Statistics
from kvmnb.measure.live import LiveSource
from kvmnb.measure.metric import Metric
from kvmnb.measure.metrics import host_cpu, pressure
from kvmnb.measure.metrics.host_cpu import HOST_CPU_BUSY
from kvmnb.measure.metrics.vcpu import VCPU_RUN
from kvmnb.measure.replay import recorded_from, write_series
from kvmnb.measure.rounds import Rounds
from kvmnb.measure.sampler import Sampler
from kvmnb.measure.series import Frame
from tests.lab.daemon import Lab
from tests.lab.domain import disk_xml
from tests.lab.guest import Guest

OUT = Path(__file__).parents[1] / "kvmnb/demo/series/threads.jsonl"
WARM_UP_SECONDS = 5.0
DISK_MIB = 64
# Of the machine that records, only what makes sense beside another host's facts: no names of its disks and NICs.
OF_HOST = frozenset(
    one.name for module in (host_cpu, pressure) for one in vars(module).values() if isinstance(one, Metric)
)

COMMITS = "while :; do dd if=/dev/zero of=/dev/vda bs=8k count=2 seek=$((RANDOM % 4000)) conv=fsync; sleep 0.05; done"
MAILS = "while :; do dd if=/dev/zero of=/dev/vda bs=4k count=1 seek=$((RANDOM % 4000)) conv=fsync; sleep 0.4; done"
READS = "while :; do dd if=/dev/vdb of=/dev/null bs=64k count=200 iflag=direct; sleep 0.7; done"
WRITES = "while :; do dd if=/dev/zero of=/dev/vda bs=256k count=100 oflag=direct; sleep 3; done"
SENDS = "ip link set eth0 up; ip addr add 10.9.0.2/24 brd + dev eth0; ping -q -i {pause} -s {size} 10.9.0.255"

ENDLESS = "while :; do :; done"
BURSTS = "while :; do i=0; while [ $i -lt {loops} ]; do i=$((i+1)); done; sleep {pause}; done"


@dataclass(frozen=True, slots=True)
class Work:
    """A guest of two vCPUs: where they are pinned, what each of them does, and what else it does.

    ``taps`` are its interfaces, by the names that they have on the demo host; ``disks`` likewise. What is an IDE disk
    or an imitated card there is virtio here: what they count has the same names.
    """

    name: str
    pins: tuple[str, str] | None
    loops: tuple[str | None, str | None]
    disks: tuple[str, ...] = ("vda",)
    taps: tuple[str, ...] = ()
    besides: tuple[str, ...] = ()


def _bursts(loops: int, pause: float) -> str:
    return BURSTS.format(loops=loops, pause=pause)


WORK = (
    Work("db01", ("0", "1"), (ENDLESS, _bursts(20_000, 2)), ("vda", "vdb"), ("vnet0",), (COMMITS, READS)),
    Work(
        "router01",
        ("0", "1"),
        (_bursts(150_000, 6), None),
        taps=("vnet2", "vnet3"),
        besides=(SENDS.format(pause=0.01, size=1400),),
    ),
    Work("build01", None, (ENDLESS, ENDLESS), ("vda", "vdb"), ("vnet8",), (WRITES, SENDS.format(pause=1, size=200))),
    Work(
        "web01",
        None,
        (_bursts(4_000, 1), _bursts(30_000, 7)),
        taps=("vnet4",),
        besides=(SENDS.format(pause=0.05, size=600),),
    ),
    Work("win10", None, (_bursts(10_000, 11), None), ("sda",), ("vnet11",)),
    Work("cache01", None, (None, _bursts(1_000, 0.5)), taps=("vnet1",), besides=(SENDS.format(pause=0.1, size=1000),)),
    Work("mail01", None, (None, None), ("hda",), ("vnet5",), (MAILS, SENDS.format(pause=0.4, size=300))),
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
            devices = (*_disks(lab, work), *_cards(lab, work))
            guest = Guest.start(lab, work.name, vcpus=2, memory_mib=96, domain=_tuning(work), devices=devices)
            stack.callback(guest.remove)
            guests.append(guest)
        for guest, work in zip(guests, WORK, strict=True):
            guest.wait_ready(240)
            for vcpu, loop in enumerate(work.loops):
                if loop is not None:
                    guest.run(f"(taskset {1 << vcpu} sh -c '{loop}' >/dev/null 2>&1 &)", timeout=120)
            for command in work.besides:
                guest.run(f"(sh -c '{command}' >/dev/null 2>&1 &)", timeout=120)
            for tap in work.taps:
                subprocess.run(["ip", "link", "set", _tap(lab, tap), "up"], check=True)
            print(f"{work.name} works", file=sys.stderr)
        time.sleep(WARM_UP_SECONDS)
        watched = _record(lab, frozenset(guest.uuid for guest in guests), max(options.watch, options.seconds))
        taps = {_tap(lab, tap): tap for work in WORK for tap in work.taps}
        frames = [_told(frame, taps) for frame in _quietest(watched, options.seconds)]
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
    if work.pins is None:
        return ()
    pins = "".join(f"<vcpupin vcpu='{vcpu}' cpuset='{cpus}'/>" for vcpu, cpus in enumerate(work.pins))
    return (f"<cputune>{pins}</cputune>",)


def _disks(lab: Lab, work: Work) -> tuple[str, ...]:
    return tuple(
        disk_xml(lab.disk(f"{work.name}-{name}", DISK_MIB), target=name, bus="sata" if name[0] == "s" else "virtio")
        for name in work.disks
    )


def _cards(lab: Lab, work: Work) -> tuple[str, ...]:
    return tuple(
        f"<interface type='ethernet'><target dev='{_tap(lab, tap)}'/><model type='virtio'/></interface>"
        for tap in work.taps
    )


def _tap(lab: Lab, name: str) -> str:
    """A name that no other lab's tap has; libvirt keeps vnet0 and the like to itself."""
    return f"{name.removeprefix('vnet')}k{lab.tag[:8]}"


def _told(frame: Frame, taps: Mapping[str, str]) -> Frame:
    """The frame without what is this machine's alone, its taps under the demo host's names."""
    kept = {
        series._replace(part=taps.get(str(series.part), series.part)): value
        for series, value in frame.values.items()
        if series.guest or series.metric in OF_HOST
    }
    return replace(frame, values=kept)


def _record(lab: Lab, guests: frozenset[str], seconds: int) -> list[Frame]:
    frames: list[Frame] = []
    source = LiveSource(Files(Path("/")), Rounds(lambda: Statistics(lab.uri, keepalive=False), away=False))
    sampler = Sampler(source)
    with ExitStack() as stack:
        for guest in guests:
            # What libvirt tells of a guest comes once a second while somebody looks at it.
            stack.enter_context(sampler.subscribe(lambda _: None, name="a look", period=1.0, guest=guest))
        stack.enter_context(sampler.subscribe(frames.append, name="the recorder", period=1.0))
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
