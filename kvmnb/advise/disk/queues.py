"""A disk has one queue for several vCPUs.

What is seen
    A guest with several vCPUs has a virtio disk, or a virtio-scsi controller, with ``queues='1'``, or with no number
    and a machine type older than 5.2, where one queue is what QEMU gives. Newer machine types give one queue for each
    vCPU by themselves. The configuration alone shows it.

Why it hurts
    All vCPUs take turns at one queue and one interrupt. It costs a few per cent, and it keeps the disk from being
    spread over several iothreads.

What to do
    A newer machine type, or ``queues`` as many as vCPUs, up to eight. A live change reports success and does nothing.

Leave it when
    The guest does little I/O, or must migrate to hosts whose XML is as it was.

Cost
    The guest has to be shut down and started; each queue takes memory and an interrupt. Durability: none. Migration:
    the guest sees another device, so both ends need the same XML. Security: none.

Look by hand
    In the guest ``ls /sys/block/vda/mq``: one folder for each queue.

Measure it
    ``fio`` with as many jobs as vCPUs, before and after.

Sources
    * QEMU source, hw/core/machine.c (hw_compat_5_1) and hw/virtio/virtio-pci.c
    * Tested with QEMU 7.2 and 4 vCPUs: 1 queue with pc-q35-5.1, 4 with pc-q35-5.2
    * libvirt source, src/qemu/qemu_domain.c (what of a disk changes live)
"""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.advise.cpu.pins import restart_cost
from kvmnb.advise.disk.change import at_next_start, bus_of, data_disks
from kvmnb.advise.disk.machine_type import defaults_of
from kvmnb.advise.disk.scsi import controller_of, controller_path
from kvmnb.advise.finding import Effect, Safety, Seen, Severity
from kvmnb.advise.intent import Goal
from kvmnb.advise.rule import Rule
from kvmnb.advise.threshold import Threshold
from kvmnb.advise.versions import at_least
from kvmnb.advise.view import View
from kvmnb.facts.device import Controller
from kvmnb.facts.domain import Domain
from kvmnb.tunable.domain_xml import DomainXml
from kvmnb.tunable.spelling import shell_word
from kvmnb.tunable.tunable import Want

RULE = Rule(
    id="disk.queues",
    severity=Severity.MEDIUM,
    goals=(Goal.THROUGHPUT,),
    basis="tested",
    effect=Effect.SMALL,
    effect_basis="tested by QEMU's developers: 1 to 4 % with 4 vCPUs, more with several iothreads",
)

# hw_compat_5_1 in QEMU's hw/core/machine.c: older machine types have one queue.
MACHINE_SINCE = "5.2"
MOST_QUEUES = Threshold(
    name="disk.queues.max",
    default=8,
    unit="queues",
    least=2,
    most=1024,
    meaning="beyond that queues cost interrupts and memory and bring little",
)
COSTS = (
    "each queue takes memory and an interrupt",
    "a host that it migrates to needs the same XML, since the guest sees another device",
)


@RULE.domain
def check(domain: Domain, view: View) -> Iterator[Seen]:
    """A finding for each virtio disk and virtio-scsi controller with one queue."""
    wanted = domain.wanted
    if wanted.vcpus_current < 2:
        return
    queues = min(wanted.vcpus_current, view.value(MOST_QUEUES))
    met: set[int | None] = set()
    for disk in data_disks(wanted):
        if bus_of(disk) == "virtio" and disk.type != "vhostuser":
            if (saw := _one(disk.queues, domain, view)) is not None:
                saw = f"{saw}, for {wanted.vcpus_current} vCPUs"
                yield at_next_start(domain, disk, saw, {"driver/@queues": str(queues)}, costs=COSTS)
            continue
        controller = controller_of(disk, wanted)
        if controller is None or controller.index in met or not (controller.model or "").startswith("virtio"):
            continue
        met.add(controller.index)
        if (saw := _one(controller.queues, domain, view)) is not None:
            yield _of_controller(domain, controller, f"{saw}, for {wanted.vcpus_current} vCPUs", queues)


def _one(queues: int | None, domain: Domain, view: View) -> str | None:
    """What shows that there is one queue; None where there are more."""
    if queues is not None:
        return "driver/@queues is 1" if queues == 1 else None
    hypervisor = view.host.hypervisor
    machine = domain.wanted.machine
    kept = defaults_of(machine, hypervisor.version if hypervisor is not None else None)
    if at_least(kept, MACHINE_SINCE):
        return None
    return f"there is no driver/@queues, and the machine type {machine} (older than {MACHINE_SINCE}) gives one queue"


def _of_controller(domain: Domain, controller: Controller, saw: str, queues: int) -> Seen:
    index = controller.index or 0
    if domain.inactive is None:
        return Seen(
            saw=f"virtio-scsi controller {index}: {saw}",
            safety=Safety.MANUAL,
            by_hand=(f"virsh dumpxml {shell_word(domain.name)}  # make it anew with queues='{queues}' there",),
            note="a guest that exists only while it runs keeps its controllers until it is made anew",
            subject=f"controller/scsi{index}",
        )
    tunable = DomainXml(domain.name, domain.uuid, f"{controller_path(controller)}/driver/@queues")
    return Seen(
        saw=f"virtio-scsi controller {index}: {saw}",
        wants=(Want(tunable, str(queues)),),
        safety=Safety.DISRUPTIVE,
        costs=(*restart_cost(domain), *COSTS),
        subject=f"controller/scsi{index}",
    )
