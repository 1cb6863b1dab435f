"""The guest's machine type is old and keeps old defaults.

What is seen
    The machine type is ``pc-q35-X.Y`` or ``pc-i440fx-X.Y`` with a version before 5.2, or it is an i440fx (``pc``)
    that has a PCI device of the host or an IOMMU. The configuration alone shows it. Machine types that distributions
    name in their own way (``rhel``, ``ubuntu`` names) are not judged.

Why it hurts
    A machine type freezes the defaults of its version, so that a guest sees the same machine for years. Before 4.0
    virtio disks know no discard, before 5.0 their rings have 128 entries, before 5.2 they have one queue whatever
    the number of vCPUs. i440fx has no PCI Express.

What to do
    The newest version of the same family (q35 stays q35) that this QEMU has, at the next planned stop. From i440fx
    to q35 is another machine: make a copy first, or install anew.

Leave it when
    The guest migrates to hosts with an older QEMU, or it may not see a change.

Cost
    The guest has to stop and start and sees newer devices; Windows may ask for activation. Durability: a change of
    family may keep the guest from booting. Migration: every host has to know the version. Security: newer defaults.

Look by hand
    ``virsh dumpxml GUEST | grep machine=``; ``virsh capabilities | grep canonical``;
    ``qemu-system-x86_64 -machine help``.

Measure it
    In the guest, ``ls /sys/block/vda/mq`` counts the disk's queues, ``lsblk -D`` shows discard.

Sources
    * QEMU source, hw/core/machine.c (hw_compat lists)
    * QEMU, Deprecated features
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from kvmnb.advise.aim import Goal, Overlay
from kvmnb.advise.finding import Effect, Safety, Seen, Severity
from kvmnb.advise.rule import Rule
from kvmnb.advise.versions import at_least
from kvmnb.advise.view import View
from kvmnb.advise.voice import Voice
from kvmnb.facts.domain import Configuration, Domain
from kvmnb.tunable.spelling import shell_word

RULE = Rule(
    id="dev.machine_type",
    severity=Severity.MEDIUM,
    goals=(Goal.THROUGHPUT, Goal.BALANCED),
    basis="source+tested",
    effect=Effect.SMALL,
    effect_basis="tested: newer defaults, such as discard and a queue for each vCPU, come without further work",
    voices={Overlay.SECURITY: Voice(why="newer machine types bring fixes")},
)

_VERSIONED = re.compile(r"pc(-q35|-i440fx)?-(\d{1,2}\.\d{1,2}(?:\.\d)?)")
# QEMU's hw_compat lists: what a machine of an earlier version does not have.
LACKS = (
    ("4.0", "virtio disks know no discard and no write-zeroes"),
    ("5.0", "rings of virtio disks have 128 entries"),
    ("5.2", "virtio disks have one queue unless the XML says more"),
)


@RULE.domain
def check(domain: Domain, view: View) -> Iterator[Seen]:
    """A finding for an old version, one for a family that lacks PCI Express."""
    wanted = domain.wanted
    machine = wanted.machine
    if machine is None or wanted.virt_type not in ("kvm", "qemu"):
        return
    named = _VERSIONED.fullmatch(machine)
    lacks = [what for since, what in LACKS if named is not None and not at_least(named[2], since)]
    name = shell_word(domain.name)
    if named is not None and lacks:
        family = named[1] or "-i440fx"
        yield Seen(
            saw=f"the machine type is {machine} (persistent XML, os/type): {'; '.join(lacks)}",
            safety=Safety.MANUAL,
            by_hand=(
                f"virsh capabilities | grep -o 'pc{family}-[0-9.]*' | sort -uV | tail -1  # the newest of this family",
                f"virsh edit {name}  # write it to os/type/@machine; then shut the guest down and start it",
            ),
            note=_has(view),
        )
    if (machine == "pc" or (named is not None and named[1] != "-q35")) and (why := _needs_express(wanted)):
        yield Seen(
            saw=f"the machine type is {machine}, which has no PCI Express, and the guest has {why} (persistent XML)",
            safety=Safety.MANUAL,
            by_hand=(f"Copy {name}, change the copy's os/type/@machine to q35, and see whether it boots.",),
            note="another family is another machine: Windows finds all its devices anew",
            subject="family",
        )


def _needs_express(wanted: Configuration) -> str | None:
    devices = wanted.devices
    if any(one.type == "pci" for one in devices.hostdevs) or any(one.type == "hostdev" for one in devices.interfaces):
        return "a PCI device of the host"
    return "an IOMMU" if devices.iommu is not None else None


def _has(view: View) -> str:
    hypervisor = view.host.hypervisor
    version = hypervisor.version if hypervisor is not None else None
    here = f"this host has QEMU {version}" if version else "which QEMU this host has is not known"
    return f"{here}; every host that it migrates to has to know the new version"
