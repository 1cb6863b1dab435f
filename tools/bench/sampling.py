"""What sampling costs beside ``virsh domstats``: CPU time of both sides, client and daemon, in one run.

``python -m tools.bench.sampling --guests 10 100 --write`` (as root, with libvirt and QEMU) starts a libvirtd of its
own with small guests, two vCPUs and a disk each, samples them, asks ``virsh domstats`` once a second for as long
over one connection, and writes the table to docs/benchmarks.md. Half of the guests do something: the boot sector of
their disk wakes up at each tick of the clock. The others have nothing to boot and halt.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tools.bench.page import machine, write_part

TITLE = "What sampling costs"
HEAD = """CPU time per second of watching, in percent of one core, of the client and of libvirt's daemon; both sides in
one run, each for {seconds} s after {warm} s of start-up. `virsh` reads every group of every guest once a second over
one connection that stays open. kvmnb reads threads, taps, memory and the host once a second from /proc and /sys, and
libvirt's groups of one guest after the other, at the period in the last column.

Machine: {machine}. Guests: under TCG, 2 vCPUs and a disk each; of half of them one vCPU wakes up at each
tick of its clock, 18 times a second, the others are halted.

| guests | kvmnb | its daemon | virsh | its daemon | kvmnb of virsh | kvmnb's memory | libvirt's period |
|---|---|---|---|---|---|---|---|
"""
# A boot sector that halts till the next tick of the guest's clock and then again (sti; hlt; jmp), with its mark.
TICKING = b"\xfb\xf4\xeb\xfc".ljust(510, b"\0") + b"\x55\xaa"
# Loading libvirt's library, connecting and the first look at all processes are no part of watching.
WARM_SECONDS = 3


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU seconds per second."""

    client: float
    daemon: float
    memory_mib: float = 0.0
    period: float = 0.0


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description="What sampling costs beside virsh domstats.")
    parser.add_argument("--guests", type=int, nargs="+", default=[10])
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("--write", action="store_true", help="write docs/benchmarks.md")
    parser.add_argument("--sample", metavar="URI", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.sample:
        return _sample(options.sample, options.seconds)
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    from tests.lab.daemon import Lab, missing

    why = missing()
    if why:
        print(f"sampling is not measured: {why}")
        return 0
    words = machine()
    rows = []
    for count in options.guests:
        with Lab() as lab:
            _start(lab, count)
            ours = _beside(lab.pid, _ours, lab.uri, options.seconds)
            theirs = _beside(lab.pid, _virsh, lab.uri, options.seconds)
        share = (ours.client + ours.daemon) / (theirs.client + theirs.daemon)
        cells = (
            str(count),
            *(f"{100 * one:.2f} %" for one in (ours.client, ours.daemon, theirs.client, theirs.daemon)),
            f"{share:.2f}",
            f"{ours.memory_mib:.0f} MiB",
            f"{ours.period:.0f} s" if ours.period else "longer than the run",
        )
        rows.append("| " + " | ".join(cells) + " |\n")
        print(rows[-1], end="", flush=True)
    if options.write:
        head = HEAD.format(seconds=options.seconds, warm=WARM_SECONDS, machine=words)
        write_part(TITLE, head + "".join(rows))
    return 0


def _start(lab: object, count: int) -> None:
    from tests.lab.daemon import Lab
    from tests.lab.domain import disk_xml, domain_xml

    assert isinstance(lab, Lab)
    connection = lab.connect()
    for number in range(count):
        name = f"bench{number}-{lab.tag}"
        disk = lab.disk(name, 1)
        if number % 2:
            with disk.open("r+b") as image:
                image.write(TICKING)
        xml = domain_xml(name, lab.root, vcpus=2, memory_mib=16, devices=(disk_xml(disk),))
        connection.createXML(re.sub(r"\s*<(kernel|initrd|cmdline)>.*?</\1>", "", xml))
    connection.close()
    # Each firmware takes part of a second of a CPU till it has found what to boot.
    time.sleep(5 + count / 4)


def _beside(daemon: int, run: Callable[[str, int, Callable[[], None]], Cost], uri: str, seconds: int) -> Cost:
    began: list[float] = []
    cost = run(uri, seconds, lambda: began.append(_cpu_seconds(daemon)))
    return Cost(cost.client, (_cpu_seconds(daemon) - began[0]) / seconds, cost.memory_mib, cost.period)


def _cpu_seconds(pid: int) -> float:
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def _ours(uri: str, seconds: int, begin: Callable[[], None]) -> Cost:
    """A process of its own that samples; it says when it has started up, and prints what it took."""
    command = [sys.executable, "-m", "tools.bench.sampling", "--sample", uri, "--seconds", str(seconds)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as sampler:
        assert sampler.stdout
        assert sampler.stdout.readline() == "begin\n", "the sampler says when it has started up"
        begin()
        told = sampler.stdout.read().split()
    return Cost(float(told[0]) / seconds, 0.0, float(told[1]), float(told[2]))


def _sample(uri: str, seconds: int) -> int:
    from kvmnb.machine.files import Files
    from kvmnb.machine.statistics import Statistics
    from kvmnb.measure.live import LiveSource
    from kvmnb.measure.rounds import Rounds
    from kvmnb.measure.sampler import Sampler
    from kvmnb.measure.series import Frame

    periods: list[float] = []

    def take(frame: Frame) -> None:
        periods.extend(value for series, value in frame.periods.items() if series.metric == "kvm_disk_reads_total")

    sampler = Sampler(LiveSource(Files(Path("/")), Rounds(lambda: Statistics(uri, keepalive=False), away=False)))
    with sampler.subscribe(take, name="the bench", period=1.0):
        time.sleep(WARM_SECONDS)
        print("begin", flush=True)
        began = time.process_time()
        time.sleep(seconds)
        spent = time.process_time() - began
    resident = Path("/proc/self/status").read_text().partition("VmRSS:")[2].split()[0]
    print(spent, int(resident) / 1024, sum(periods) / len(periods) if periods else 0)
    return 0


def _virsh(uri: str, seconds: int, begin: Callable[[], None]) -> Cost:
    """One virsh that is given the command once a second."""
    with subprocess.Popen(
        ["virsh", "-q", "-c", uri], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    ) as virsh:
        assert virsh.stdin
        before = 0.0
        for second in range(WARM_SECONDS + seconds):
            if second == WARM_SECONDS:
                before = _cpu_seconds(virsh.pid)
                begin()
            virsh.stdin.write("domstats\n")
            virsh.stdin.flush()
            time.sleep(1)
        spent = _cpu_seconds(virsh.pid) - before
        virsh.stdin.write("quit\n")
    return Cost(spent / seconds, 0.0)


if __name__ == "__main__":
    sys.exit(main())
