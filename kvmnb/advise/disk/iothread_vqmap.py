"""All queues of a disk are served by one iothread.

What is seen
    A guest with four vCPUs or more has a virtio disk with several queues whose one iothread serves them all, and
    libvirt and QEMU can map queues to several iothreads: libvirt 10.0 with QEMU 9.0 for virtio disks, libvirt 11.2
    with QEMU 10.0 for virtio-scsi. It hurts once that iothread is busy for 90 per cent of a CPU or more, time spent
    polling not counted: a window shows it. Without one the finding only says that there is more to be had.

Why it hurts
    virtio-blk has one queue for each vCPU, but one thread works them all off, and that thread ends at one CPU, at
    about 100,000 requests a second.

What to do
    Map the queues to two iothreads, then to four if both are busy. Four to eight saturate a fast NVMe device; more can
    make it slower. Mapping round robin, without naming queues, is enough. Older libvirt drops the element without a
    word unless it validates.

Leave it when
    The iothread has time left, or no CPU is spare for another.

Cost
    The guest has to be shut down and started, and each iothread wants a CPU. Durability: none. Migration: the other
    host needs the same versions. Security: none.

Look by hand
    ``top -H -p PID``: is ``IO iothread1`` near 100 per cent while the guest works?

Measure it
    Requests a second of all jobs together in ``fio`` with as many jobs as vCPUs, before and after.

Sources
    * libvirt, Domain XML format, disk driver iothreads
    * Red Hat Developer, Scaling virtio-blk disk I/O with IOThread Virtqueue Mapping (2024)
    * Tested with libvirt 9.0: the mapping is accepted and dropped without validation
"""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.advise.disk.change import bus_of, data_disks, subject
from kvmnb.advise.disk.scsi import controller_of
from kvmnb.advise.finding import Effect, Safety, Seen, Severity, Sure
from kvmnb.advise.intent import Goal
from kvmnb.advise.load import NOT_MEASURED, over, seen_guest
from kvmnb.advise.rule import Rule, SeenBy
from kvmnb.advise.threshold import Threshold
from kvmnb.advise.versions import at_least
from kvmnb.advise.view import View
from kvmnb.facts.device import Disk
from kvmnb.facts.domain import Configuration, Domain
from kvmnb.facts.gap import Gap, NotSeen
from kvmnb.tunable.spelling import shell_word

RULE = Rule(
    id="disk.iothread.vqmap",
    severity=Severity.HIGH,
    goals=(Goal.THROUGHPUT,),
    basis="documented",
    effect=Effect.LARGE,
    seen_by=SeenBy.SURER,
    effect_basis="documented: a single disk's ceiling rises to several times its requests",
)

FEWEST_VCPUS = Threshold(
    name="disk.iothread.vqmap.vcpus",
    default=4,
    unit="vCPUs",
    least=2,
    most=4096,
    meaning="fewer hardly fill one iothread",
)
BUSY_PERCENT = Threshold(
    name="disk.iothread.vqmap.busy",
    default=90,
    unit="%",
    least=1,
    most=100,
    meaning="an iothread that takes this much of a CPU has no time left",
)
FIRST_STEP = Threshold(
    name="disk.iothread.vqmap.first",
    default=2,
    unit="iothreads",
    least=2,
    most=64,
    meaning="so many to begin with",
)
LIBVIRT_BLK, QEMU_BLK = "10.0.0", "9.0.0"
LIBVIRT_SCSI, QEMU_SCSI = "11.2.0", "10.0.0"


@RULE.domain
def check(domain: Domain, view: View) -> Iterator[Seen]:
    """A finding for each disk whose queues one iothread serves: above info only where that is seen to be busy."""
    wanted = domain.wanted
    if wanted.vcpus < view.value(FEWEST_VCPUS):
        return
    step, busy = view.value(FIRST_STEP), view.value(BUSY_PERCENT)
    for disk in data_disks(wanted):
        served = _served_by_one(disk, wanted)
        if served is None or not _can_map(view, scsi=bus_of(disk) == "scsi"):
            continue
        share = _busy(domain, served, view)
        if share is not None and share * 100 < busy:
            continue
        rows = "".join(f"<iothread id='{number}'/>" for number in range(1, step + 1))
        place = "the scsi controller" if bus_of(disk) == "scsi" else f"disk {disk.target}"
        name = shell_word(domain.name)
        look = f"virsh iothreadinfo {name}  # does the thread of iothread {served} take {busy} % of a CPU?"
        without = f"driver of {place} without iothread, with <iothreads>{rows}</iothreads>"
        edit = f"virsh edit {name}  # iothreads {step}; {without}"
        yield Seen(
            saw=f"disk {disk.target}: iothread {served} alone serves all its queues, of a guest with {wanted.vcpus} "
            "vCPUs",
            severity=Severity.INFO if share is None else None,
            sure=Sure.POSSIBLE if share is None else Sure.LIKELY,
            safety=Safety.MANUAL,
            by_hand=(look, edit),
            note=f"{NOT_MEASURED}; it pays only where that iothread has no time left"
            if share is None
            else f"that iothread ran {share:.0%} of the time {over(view)}, time spent polling counted",
            subject=subject(disk),
        )


def _busy(domain: Domain, number: int, view: View) -> float | None:
    """The share of the time in which an iothread ran; None where it is not seen."""
    guest = seen_guest(view, domain)
    found = (
        [one for one in guest.threads if (one.kind, one.number) == ("iothread", number)] if guest is not None else []
    )
    return found[0].run_ratio if found else None


def _served_by_one(disk: Disk, config: Configuration) -> int | None:
    """The one iothread that serves several queues of this disk; None otherwise."""
    if bus_of(disk) == "virtio":
        return disk.iothread if disk.queues != 1 and not disk.iothreads_mapped else None
    controller = controller_of(disk, config)
    if controller is None or controller.queues == 1 or controller.iothreads_mapped:
        return None
    return controller.iothread


def _can_map(view: View, *, scsi: bool) -> bool:
    hypervisor = view.host.hypervisor
    if hypervisor is None:
        raise NotSeen(Gap("host.hypervisor", "this source has no libvirt, so its version is not known"))
    libvirt, qemu = (LIBVIRT_SCSI, QEMU_SCSI) if scsi else (LIBVIRT_BLK, QEMU_BLK)
    return at_least(hypervisor.libvirt, libvirt) and at_least(hypervisor.version, qemu)
