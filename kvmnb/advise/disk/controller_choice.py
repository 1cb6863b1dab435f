"""The kind of paravirtual disk controller does not fit what hangs on it.

What is seen
    Three patterns. SCSI disks on virtio-scsi, 24 at most, without pass-through, reservations or a CD-ROM on the same
    bus: virtio-blk would do for new disks. More than 28 virtio-blk disks, or one that passes SCSI commands or
    reservations through. A SCSI controller that is emulated (lsilogic, lsisas, buslogic) or, on x86, without a model.

Why it hurts
    virtio-scsi puts another layer between guest and disk. It is not needed for discard, which virtio-blk has since
    QEMU 4.0, nor for several queues. virtio-blk takes one PCI function for each disk and knows no SCSI commands. An
    emulated SCSI adapter is slow, as an emulated IDE one is.

What to do
    virtio-blk for new disks where speed counts; working guests need not be converted for that. virtio-scsi for many
    disks or SCSI commands. An emulated adapter becomes ``virtio-scsi``; the guest needs ``virtio_scsi`` in its
    initial ramdisk. If it does not boot, taking the change back lets it boot again.

Leave it when
    The guest works and nobody waits for its disks.

Cost
    The guest has to be shut down and started, and sees another adapter. Durability: none. Migration: both ends need
    the same XML. Security: SCSI pass-through shows the device more of the guest's commands.

Look by hand
    ``virsh dumpxml GUEST --xpath //controller[@type=\\'scsi\\']``; in the guest ``lsblk -o NAME,TRAN``.

Measure it
    ``fio`` with random reads at depth 1 in the guest, before and after.

Sources
    * QEMU project, Configuring virtio-blk and virtio-scsi Devices (2021)
    * QEMU source, hw/core/machine.c (hw_compat_3_1)
    * QEMU project, release notes 9.0 and 10.0 (iothreads for each queue)
"""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.advise.cpu.pins import restart_cost, xml
from kvmnb.advise.disk.change import bus_of, data_disks
from kvmnb.advise.disk.iothread import allocated, iothread_for
from kvmnb.advise.disk.scsi import controller_of, controller_path
from kvmnb.advise.finding import Effect, Safety, Seen, Severity, Sure
from kvmnb.advise.guest_os import linux_by
from kvmnb.advise.intent import Goal
from kvmnb.advise.rule import Rule
from kvmnb.advise.threshold import Threshold
from kvmnb.advise.view import View
from kvmnb.facts.device import Controller, Disk
from kvmnb.facts.domain import Configuration, Domain
from kvmnb.tunable.spelling import shell_word
from kvmnb.tunable.tunable import Want

RULE = Rule(
    id="disk.controller.choice",
    severity=Severity.INFO,
    goals=(Goal.LATENCY, Goal.THROUGHPUT),
    basis="documented and heuristic",
    effect=Effect.SMALL,
    effect_basis="documented: virtio-blk leads at small queue depths",
)

FEW_DISKS = Threshold(
    name="disk.controller.choice.few",
    default=24,
    unit="disks",
    least=0,
    most=10000,
    meaning="up to so many fit as PCI devices of their own, since a bus holds 32 and others need some",
)
MANY_DISKS = Threshold(
    name="disk.controller.choice.many",
    default=28,
    unit="disks",
    least=1,
    most=10000,
    meaning="more virtio-blk disks than this want one SCSI controller",
)
EMULATED = ("lsilogic", "lsisas1068", "lsisas1078", "buslogic", "am53c974", "dc390")
X86 = ("x86_64", "i686")


@RULE.domain
def check(domain: Domain, view: View) -> Iterator[Seen]:
    """Findings about the guest's SCSI adapters and about virtio disks that want SCSI."""
    wanted = domain.wanted
    disks = tuple(data_disks(wanted))
    blk = [disk for disk in disks if bus_of(disk) == "virtio"]
    yield from _too_many(domain, blk, view)
    scsi = [disk for disk in disks if bus_of(disk) == "scsi"]
    slow: dict[int, Controller] = {}
    fast = []
    for disk in scsi:
        controller = controller_of(disk, wanted)
        if controller is None:
            continue
        if controller.model in EMULATED or (controller.model is None and _is_x86(wanted, view)):
            slow.setdefault(controller.index or 0, controller)
        elif (controller.model or "").startswith("virtio"):
            fast.append(disk)
    for controller in slow.values():
        yield _emulated(domain, controller, view)
    needs = any(disk.device == "lun" or disk.reservations for disk in scsi)
    cdrom = any(disk.device == "cdrom" and bus_of(disk) == "scsi" for disk in wanted.devices.disks)
    if fast and len(disks) <= view.value(FEW_DISKS) and not needs and not cdrom:
        names = ", ".join(disk.target for disk in fast)
        yield Seen(
            saw=f"disks {names} hang on virtio-scsi, and none of them needs SCSI",
            safety=Safety.MANUAL,
            by_hand=("Give new disks the bus virtio; leave these as they are while they work.",),
            subject="controller/scsi",
        )


def _too_many(domain: Domain, blk: list[Disk], view: View) -> Iterator[Seen]:
    through = [disk.target for disk in blk if disk.device == "lun" or disk.reservations]
    if len(blk) <= view.value(MANY_DISKS) and not through:
        return
    saw = f"{len(blk)} virtio-blk disks, each a PCI function of its own"
    if through:
        saw = f"virtio-blk disks {', '.join(through)} should pass SCSI commands or reservations through"
    yield Seen(
        saw=saw,
        safety=Safety.MANUAL,
        by_hand=(
            f"virsh edit {shell_word(domain.name)}  # a controller of type scsi and model virtio-scsi; bus scsi there",
        ),
        subject="controller/virtio",
    )


def _is_x86(wanted: Configuration, view: View) -> bool:
    return (wanted.arch if wanted.arch is not None else view.host.arch) in X86


def _emulated(domain: Domain, controller: Controller, view: View) -> Seen:
    index = controller.index or 0
    model = f"of model {controller.model}" if controller.model is not None else "without a model, which gives lsilogic"
    saw = f"SCSI controller {index} is {model}, an emulated adapter"
    subject = f"controller/scsi{index}"
    proof = linux_by(domain, view)
    if proof is None or domain.inactive is None:
        return Seen(
            saw=saw,
            severity=Severity.HIGH,
            sure=Sure.POSSIBLE if proof is None else Sure.CERTAIN,
            safety=Safety.MANUAL,
            by_hand=(
                "Find out whether the guest has virtio_scsi (Windows: vioscsi) and loads it at boot.",
                f"virsh edit {shell_word(domain.name)}  # controller scsi {index}: model='virtio-scsi'",
            ),
            note="nothing says that the guest has virtio drivers: no Linux in libosinfo's id or in kvmnb.toml"
            if proof is None
            else "a guest that exists only while it runs keeps its controllers until it is made anew",
            subject=subject,
        )
    tunable = xml(domain, f"{controller_path(controller)}/@model")
    return Seen(
        saw=saw,
        wants=(Want(tunable, "virtio-scsi"), *_iothread(domain, controller, view)),
        severity=Severity.HIGH,
        safety=Safety.DISRUPTIVE,
        costs=(
            *restart_cost(domain),
            "a guest whose initial ramdisk lacks virtio_scsi does not boot; taking this back lets it boot again",
            "a host that it migrates to needs the same XML, since the guest sees another adapter",
        ),
        note=f"{proof}; look first that its initial ramdisk holds virtio_scsi",
        subject=subject,
    )


def _iothread(domain: Domain, controller: Controller, view: View) -> tuple[Want, ...]:
    """For goal latency the new adapter has an iothread at once, so that one restart does."""
    if view.goal(domain) is not Goal.LATENCY or controller.iothread is not None or controller.iothreads_mapped:
        return ()
    wanted = domain.wanted
    more = allocated(domain, wanted, view)
    if more is None:
        return ()
    tunable = xml(domain, f"{controller_path(controller)}/driver/@iothread")
    return (*more, Want(tunable, str(iothread_for(wanted))))
