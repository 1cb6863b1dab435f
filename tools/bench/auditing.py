"""How long an audit of 1,000 guests takes, beside a yardstick that was measured in the same run.

``python -m tools.bench.auditing``; the guests are those of the corpora, repeated under other names on one host of 512
CPUs. The yardstick is the time to parse as many of their texts with a bare XML parser: a slow or busy machine slows
both. ``--profile GOAL`` shows where the time goes.
"""

from __future__ import annotations

import argparse
import cProfile
import os
import pstats
import shutil
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

from lxml import etree

from kvmnb import demo
from kvmnb.advise.intent import Goal, Intent
from kvmnb.advise.registry import audit, rules
from kvmnb.core.errors import KvmnbError
from kvmnb.facts.domain import Domain
from kvmnb.facts.gap import changed
from kvmnb.facts.host import Host
from kvmnb.machine import sources
from kvmnb.probe.domain import domain_of_text
from kvmnb.probe.survey import probe
from tools.bench.probing import wide_host

GUESTS = 1000
BOUND_SECONDS = 2.0
REPEATS = 3


def main() -> None:
    """Print the time of each goal, with all guests shut off and with all of them running."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--profile", metavar="GOAL", choices=[goal.value for goal in Goal])
    chosen = parser.parse_args()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    rules()
    texts = list(islice(_texts(_archives()), GUESTS))
    off = [_domain(number, text) for number, text in enumerate(texts)]
    host = _wide(off)
    running = [_started(one) for one in off]
    if chosen.profile:
        _profile(host, running, Goal(chosen.profile))
        return
    yardstick = _seconds(lambda: [etree.fromstring(text.encode()) for text in texts])
    print(f"audit of {len(off)} guests on a host of {len(host.cpus)} CPUs, {len(rules())} rules, one core")
    print(f"yardstick: parse their XML with lxml   {yardstick:6.3f} s")
    print("goal         guests          seconds  bound  x yardstick  findings  unchecked")
    for goal in Goal:
        _row(host, goal, "shut off", off, BOUND_SECONDS, yardstick)
        _row(host, goal, "running", running, BOUND_SECONDS, yardstick)
    # Nobody's bound, but what comparing pins in pairs would take minutes for.
    alike = [_domain(number, text) for number, text in enumerate(islice(_texts(_archives("users")), GUESTS))]
    _row(_wide(alike), Goal.THROUGHPUT, "pinned alike", alike, None, yardstick)


def _row(host: Host, goal: Goal, name: str, domains: list[Domain], bound: float | None, yardstick: float) -> None:
    intent = Intent(goal=goal)
    took = _seconds(lambda: audit(host, domains, intent))
    result = audit(host, domains, intent)
    print(
        f"{goal.value:<12} {name:<14} {took:>8.3f} {bound or '':>6} {took / yardstick:>12.1f} "
        f"{len(result.findings):>9} {len(result.not_checked):>10}"
    )


def _archives(of: str = "") -> list[Path]:
    chosen = os.environ.get("KVMNB_CORPORA")
    folder = Path(chosen) if chosen else Path(__file__).resolve().parents[3] / "shared" / "corpora"
    found = sorted((folder / "domain-xml").glob(f"{of}*.tar.xz"))
    if not found:
        sys.exit("no domain XML to audit: set KVMNB_CORPORA to the folder of the corpora")
    return found


def _texts(archives: list[Path]) -> Iterator[str]:
    """Each domain XML that kvmnb reads, over and over."""
    texts = []
    for path in archives:
        with tarfile.open(path) as archive:
            for member in archive:
                stream = archive.extractfile(member) if member.name.endswith(".xml") else None
                text = stream.read().decode(errors="replace") if stream is not None else ""
                try:
                    whole = not domain_of_text(text, member.name).wanted.gaps()
                    etree.fromstring(text.encode())
                except (KvmnbError, etree.XMLSyntaxError):
                    continue
                # A guest without a size would keep the placement of all others from being asked.
                if whole:
                    texts.append(text)
    while texts:
        yield from texts


def _wide(guests: Sequence[Domain]) -> Host:
    """The wide host with a libvirt that was asked about each kind of these guests."""
    folder = Path(tempfile.mkdtemp(prefix="kvmnb-bench-"))
    try:
        host = probe(sources.tree(wide_host(folder / "wide"))).host
    finally:
        shutil.rmtree(folder)
    hypervisor = probe(sources.recorded(demo.path())).host.hypervisor
    assert hypervisor is not None
    known = {(one.virt_type, one.arch, one.machine): one for one in hypervisor.guest_kinds}
    (like, *_) = hypervisor.guest_kinds
    for guest in guests:
        kind = (guest.wanted.virt_type, guest.wanted.arch or "", guest.wanted.machine or "")
        known.setdefault(kind, replace(like, virt_type=kind[0], arch=kind[1], machine=kind[2]))
    hypervisor = replace(hypervisor, guest_kinds=tuple(known.values()))
    return changed(host, hypervisor=hypervisor, arch="x86_64")


def _domain(number: int, text: str) -> Domain:
    """The guest under a name and UUID of its own."""
    found = domain_of_text(text, f"guest {number}")
    return Domain(
        uuid=f"00000000-0000-4000-8000-{number:012d}",
        name=f"guest{number}",
        running=False,
        persistent=True,
        inactive=found.inactive,
        live=None,
    )


def _started(domain: Domain) -> Domain:
    return Domain(
        uuid=domain.uuid,
        name=domain.name,
        running=True,
        persistent=True,
        inactive=domain.inactive,
        live=domain.inactive,
    )


def _seconds(call: Callable[[], object]) -> float:
    """The shortest of several runs: what else the machine does only adds."""
    times = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        call()
        times.append(time.perf_counter() - began)
    return min(times)


def _profile(host: Host, domains: list[Domain], goal: Goal) -> None:
    profile = cProfile.Profile()
    profile.enable()
    audit(host, domains, Intent(goal=goal))
    profile.disable()
    pstats.Stats(profile).sort_stats("cumulative").print_stats(90)


if __name__ == "__main__":
    main()
