"""A virtio disk is served by QEMU's main loop.

What is seen
    A virtio disk, or the virtio-scsi controller of a SCSI disk, names no iothread. For goal latency that is enough.
    For throughput it matters with more than about 10,000 requests a second, or with a main loop that is busy for more
    than half of a CPU: a window shows it, and without one the finding is likely and no more, and less grave.

Why it hurts
    The main loop shares QEMU's big lock with the vCPUs' exits, the console and management. A request waits for all of
    them, and the thread cannot be pinned apart from them.

What to do
    One iothread for all light disks, one of its own for a heavy one. For SCSI the attribute belongs on the controller;
    libvirt refuses it on the disk. Never more iothreads than spare CPUs.

Leave it when
    The guest does little I/O and CPUs are scarce.

Cost
    The guest has to be shut down and started. The iothread polls and so burns some CPU. Durability: none. Migration:
    none. Security: none.

Look by hand
    ``virsh iothreadinfo GUEST``; ``top -H -p PID``, where the thread is named ``IO iothread1``.

Measure it
    ``virsh domstats --block`` and the CPU time of the main thread and of ``IO iothread1``, before and after.

Sources
    * libvirt, Domain XML format, IOThreads Allocation
    * QEMU documentation, devel/multiple-iothreads
    * Tested with libvirt 9.0: iothread is refused for bus scsi
"""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.advise.cpu.pins import iothread_pin, restart_cost, xml
from kvmnb.advise.disk.change import at_next_start, bus_of, data_disks, subject
from kvmnb.advise.disk.scsi import controller_of, controller_path
from kvmnb.advise.finding import Effect, Safety, Seen, Severity, Sure
from kvmnb.advise.intent import Goal
from kvmnb.advise.load import NOT_MEASURED, over, seen_guest
from kvmnb.advise.rule import Rule, SeenBy
from kvmnb.advise.threshold import Threshold
from kvmnb.advise.view import View
from kvmnb.facts.device import Controller, Disk
from kvmnb.facts.domain import Configuration, Domain
from kvmnb.tunable.spelling import shell_word
from kvmnb.tunable.tunable import Want

RULE = Rule(
    id="disk.iothread",
    severity=Severity.HIGH,
    goals=(Goal.LATENCY, Goal.THROUGHPUT),
    basis="heuristic",
    effect=Effect.LARGE,
    seen_by=SeenBy.SURER,
    effect_basis="heuristic: contributors to Kata measured about twice the random requests",
)

BUSY_REQUESTS = Threshold(
    name="disk.iothread.requests",
    default=10_000,
    unit="requests/s",
    least=1,
    most=100_000_000,
    meaning="with more, contributors to Kata saw the main loop as the limit",
)
BUSY_MAIN_LOOP = Threshold(
    name="disk.iothread.main_loop",
    default=50.0,
    unit="%",
    least=0.0,
    most=100.0,
    meaning="a main loop that runs more of the time is about to be the limit",
)
POLLS = "the iothread polls, which takes some CPU time even at little load"


@RULE.domain
def check(domain: Domain, view: View) -> Iterator[Seen]:
    """A finding for each virtio disk and each virtio-scsi controller without an iothread."""
    wanted = domain.wanted
    by_goal = view.goal(domain) is Goal.LATENCY
    severity, sure, note = (None, Sure.CERTAIN, None) if by_goal else _loaded(domain, view)
    number = iothread_for(wanted)
    met: set[int | None] = set()
    for disk in data_disks(wanted):
        if bus_of(disk) == "virtio" and disk.type != "vhostuser":
            if disk.iothread is None and not disk.iothreads_mapped:
                yield _of_disk(domain, disk, number, allocated(domain, wanted, view), severity, sure, note)
        elif (controller := _unserved(disk, wanted)) is not None and controller.index not in met:
            met.add(controller.index)
            more = allocated(domain, wanted, view)
            yield _of_controller(domain, controller, number, more, severity, sure, note)


def _loaded(domain: Domain, view: View) -> tuple[Severity | None, Sure, str]:
    """How grave and how sure it is for throughput, by requests and by the main loop over the window."""
    guest = seen_guest(view, domain)
    if guest is None or guest.gap_of("disks") is not None:
        return Severity.MEDIUM, Sure.LIKELY, NOT_MEASURED
    requests = sum(one.requests_per_second for one in guest.disks)
    loop = max((one.run_ratio for one in guest.threads if one.kind == "emulator"), default=0.0)
    note = f"its disks had {requests:.0f} requests/s and its main loop ran {loop:.0%} of the time {over(view)}"
    if requests > view.value(BUSY_REQUESTS) or loop * 100 > view.value(BUSY_MAIN_LOOP):
        return None, Sure.CERTAIN, note
    return Severity.LOW, Sure.LIKELY, note


def _of_disk(
    domain: Domain,
    disk: Disk,
    number: int,
    more: tuple[Want, ...] | None,
    severity: Severity | None,
    sure: Sure,
    note: str | None,
) -> Seen:
    saw = "driver/@iothread is absent, so that QEMU's main loop serves it"
    if more is None:
        return _crowded(domain, f"disk {disk.target}: {saw}", severity, sure, subject(disk))
    return at_next_start(
        domain,
        disk,
        saw,
        {"driver/@iothread": str(number)},
        more=more,
        costs=(POLLS,),
        severity=severity,
        sure=sure,
        note=note,
    )


def _crowded(domain: Domain, saw: str, severity: Severity | None, sure: Sure, about: str) -> Seen:
    """A finding of a guest whose pinned vCPUs are where an iothread should be."""
    return Seen(
        saw=saw,
        safety=Safety.MANUAL,
        by_hand=(
            "Free a CPU that no vCPU is pinned to, then:",
            f"virsh iothreadadd {shell_word(domain.name)} 1 --config",
            f"virsh iothreadpin {shell_word(domain.name)} 1 CPU --config",
        ),
        severity=severity,
        sure=sure,
        note="vCPUs are pinned where the iothread should be: put their pins right first, then ask again",
        subject=about,
    )


def iothread_for(config: Configuration) -> int:
    """The iothread to give to a disk: the one with the fewest disks; 1 where there is none yet."""
    known = [one.id for one in config.tuning.iothreads] or list(range(1, config.iothreads + 1)) or [1]
    used = [disk.iothread for disk in config.devices.disks]
    used += [controller.iothread for controller in config.devices.controllers]
    # One that is pinned already needs no further care.
    return min(known, key=lambda number: (used.count(number), iothread_pin(config, number) is None, number))


def allocated(domain: Domain, config: Configuration, view: View) -> tuple[Want, ...] | None:
    """A first iothread, where there is none yet, kept away from pinned vCPUs; None where they are in its place."""
    if config.iothreads or config.tuning.iothreads:
        return ()
    first = Want(xml(domain, "iothreads/text()"), "1")
    if not config.vcpu_pins:
        return (first,)
    cpus = config.emulator_pin
    if not cpus or not cpus.isdisjoint(config.pinned):
        cpus = view.placement.guests[domain.uuid].emulator
    if not cpus or not cpus.isdisjoint(config.pinned):
        return None
    return (first, Want(xml(domain, "cputune/iothreadpin[1]/@cpuset"), str(cpus)))


def _unserved(disk: Disk, config: Configuration) -> Controller | None:
    """The virtio-scsi controller of the disk where no iothread serves it."""
    controller = controller_of(disk, config)
    if controller is None or controller.model is None or not controller.model.startswith("virtio"):
        return None
    return controller if controller.iothread is None and not controller.iothreads_mapped else None


def _of_controller(
    domain: Domain,
    controller: Controller,
    number: int,
    more: tuple[Want, ...] | None,
    severity: Severity | None,
    sure: Sure,
    note: str | None,
) -> Seen:
    index = controller.index or 0
    saw = f"virtio-scsi controller {index}: driver/@iothread is absent, so that QEMU's main loop serves its disks"
    if more is None:
        return _crowded(domain, saw, severity, sure, f"controller/scsi{index}")
    if domain.inactive is None:
        return Seen(
            saw=saw,
            safety=Safety.MANUAL,
            by_hand=(f"virsh dumpxml {shell_word(domain.name)}  # make it anew with iothread='{number}' there",),
            severity=severity,
            sure=sure,
            note="a guest that exists only while it runs keeps its controllers until it is made anew",
            subject=f"controller/scsi{index}",
        )
    tunable = xml(domain, f"{controller_path(controller)}/driver/@iothread")
    return Seen(
        saw=saw,
        wants=(*more, Want(tunable, str(number))),
        safety=Safety.DISRUPTIVE,
        costs=(*restart_cost(domain), POLLS),
        severity=severity,
        sure=sure,
        note=note,
        subject=f"controller/scsi{index}",
    )
