"""What sampling costs beside ``virsh domstats``: CPU time of both sides, client and daemon, in one run.

``python -m tools.bench.sampling --guests 10 100 --write`` (as root, with libvirt and QEMU) starts a libvirtd of its
own with small guests, two vCPUs and a disk each, samples them, asks ``virsh domstats`` once a second for as long
over one connection, and writes the table to docs/benchmarks.md. Guests that are not busy have nothing to boot and
halt; with ``--busy`` so many of them run endless loops.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs/benchmarks.md"
HEAD = """# Benchmarks

Measured figures, with the words of the machine they were measured on. `make bench` prints them anew.

## What sampling costs

CPU time per second of watching, in percent of one core, of the client and of libvirt's daemon; both sides in one
run, each for {seconds} s. `virsh` reads every group of every guest once a second over one connection that stays open.
kvmnb reads threads, taps, memory and the host once a second from /proc and /sys, and libvirt's groups of one guest
after the other, at the period in the last column.

Machine: {machine}. Guests: 2 vCPUs and a disk each, {busy} of them busy, the others halted. Of other programs on
the machine: {load}.

| guests | kvmnb | its daemon | virsh | its daemon | kvmnb of virsh | kvmnb's memory | libvirt's period |
|---|---|---|---|---|---|---|---|
"""


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
    parser.add_argument("--busy", type=int, default=0, help="how many guests run endless loops; they need 128 MiB each")
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
    load = f"load average {os.getloadavg()[0]:.1f} before the start"
    rows = []
    for count in options.guests:
        with Lab() as lab:
            _start(lab, count, options.busy)
            ours = _beside(lab.pid, _ours, lab.uri, options.seconds)
            theirs = _beside(lab.pid, _virsh, lab.uri, options.seconds)
        share = (ours.client + ours.daemon) / (theirs.client + theirs.daemon)
        cells = (
            str(count),
            *(f"{100 * one:.2f} %" for one in (ours.client, ours.daemon, theirs.client, theirs.daemon)),
            f"{share:.2f}",
            f"{ours.memory_mib:.0f} MiB",
            f"{ours.period:.0f} s" if ours.period else f"over {options.seconds / 2:.0f} s",
        )
        rows.append("| " + " | ".join(cells) + " |\n")
        print(rows[-1], end="", flush=True)
    machine = f"{os.cpu_count()} CPUs, Linux {platform.release()}, Python {platform.python_version()}, TCG"
    head = HEAD.format(seconds=options.seconds, machine=machine, busy=options.busy, load=load)
    if options.write:
        PAGE.write_text(head + "".join(rows), encoding="utf-8")
    return 0


def _start(lab: object, count: int, busy: int) -> None:
    from tests.lab.daemon import Lab
    from tests.lab.domain import disk_xml
    from tests.lab.guest import Guest

    assert isinstance(lab, Lab)
    for number in range(count):
        name = f"bench{number}-{lab.tag}"
        disk = disk_xml(lab.disk(name, 1))
        guest = Guest.start(lab, name, vcpus=2, busy=2, devices=(disk,)) if number < busy else None
        if guest is None:
            _halted(lab, name, disk)
    time.sleep(5)


def _halted(lab: object, name: str, disk: str) -> None:
    """A guest that finds nothing to boot, and halts."""
    import re

    from tests.lab.daemon import Lab
    from tests.lab.domain import domain_xml

    assert isinstance(lab, Lab)
    xml = domain_xml(name, lab.root, vcpus=2, memory_mib=16, devices=(disk,))
    xml = re.sub(r"\s*<(kernel|initrd|cmdline)>.*?</\1>", "", xml)
    connection = lab.connect()
    connection.createXML(xml)
    connection.close()


def _beside(daemon: int, run: Callable[[str, int], Cost], uri: str, seconds: int) -> Cost:
    before = _cpu_seconds(daemon)
    cost = run(uri, seconds)
    return Cost(cost.client, (_cpu_seconds(daemon) - before) / seconds, cost.memory_mib, cost.period)


def _cpu_seconds(pid: int) -> float:
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def _ours(uri: str, seconds: int) -> Cost:
    """A process of its own that samples; it prints what it took."""
    command = [sys.executable, "-m", "tools.bench.sampling", "--sample", uri, "--seconds", str(seconds)]
    told = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.split()
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
    began = time.process_time()
    with sampler.subscribe(take, name="the bench", period=1.0):
        time.sleep(seconds)
    spent = time.process_time() - began
    resident = Path("/proc/self/status").read_text().partition("VmRSS:")[2].split()[0]
    print(spent, int(resident) / 1024, sum(periods) / len(periods) if periods else 0)
    return 0


def _virsh(uri: str, seconds: int) -> Cost:
    """One virsh that is given the command once a second."""
    with subprocess.Popen(
        ["virsh", "-q", "-c", uri], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    ) as virsh:
        assert virsh.stdin
        for _ in range(seconds):
            virsh.stdin.write("domstats\n")
            virsh.stdin.flush()
            time.sleep(1)
        spent = _cpu_seconds(virsh.pid)
        virsh.stdin.write("quit\n")
    return Cost(spent / seconds, 0.0)


if __name__ == "__main__":
    sys.exit(main())
