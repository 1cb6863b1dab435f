"""A disk hangs on an emulated controller.

What is seen
    A disk that is no CD-ROM and no floppy has the bus ``ide``, ``sata``, ``usb``, ``fdc`` or ``sd``. The
    configuration alone shows it. Whether the guest has virtio drivers is taken from libosinfo's id or from
    ``kvmnb.toml``; where neither says Linux the finding is possible and no more, and a person decides.

Why it hurts
    An emulated controller is driven by register accesses, each of which leaves the guest and is worked off in
    QEMU's main loop. It has one short queue and cannot use an iothread.

What to do
    Bus ``virtio``. The address is renewed with it; the target's name stays, the boot order too. Before that, in the
    guest: name file systems by UUID or label in fstab and on the kernel's command line, and see that the initial
    ramdisk holds ``virtio_blk`` (``lsinitrd`` or ``lsinitramfs``). Windows: install the driver, attach a small second
    virtio disk, let Windows find it, then change the boot disk. If the guest does not boot, undo gives the old bus
    back; its data is untouched.

Leave it when
    The guest's system has no virtio driver, or the disk is attached for a moment only.

Cost
    The guest has to be shut down and started; its disks are then named ``vdX``, and one without the driver does not
    boot. Durability: none, but take a snapshot or a backup first. Migration: the guest sees another device, so both
    ends need the same XML. Security: none.

Look by hand
    ``virsh domblklist GUEST --details``; in the guest ``lsblk -o NAME,TRAN`` and
    ``ls -l /sys/block/vda/device/driver``.

Measure it
    ``fio`` with random reads of 4 KiB at depth 1 and 32 in the guest, before and after.

Sources
    * libvirt, Domain XML format, Hard drives, floppy disks, CDROMs
    * QEMU project, Configuring virtio-blk and virtio-scsi Devices (2021)
"""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.advise.disk.change import at_next_start, bus_of, data_disks, subject
from kvmnb.advise.finding import Effect, Safety, Seen, Severity, Sure
from kvmnb.advise.guest_os import linux_by
from kvmnb.advise.rule import ALL_GOALS, Rule
from kvmnb.advise.view import View
from kvmnb.facts.device import Disk
from kvmnb.facts.domain import Domain
from kvmnb.tunable.spelling import shell_word

RULE = Rule(
    id="disk.bus",
    severity=Severity.CRITICAL,
    goals=ALL_GOALS,
    basis="documented",
    effect=Effect.LARGE,
    effect_basis="documented: multiples of the requests per second",
)

EMULATED = ("ide", "sata", "usb", "fdc", "sd")
# libvirt fills it in. It is asked for and not just left out, since libvirt would put one in the place of none.
ANY_SLOT = "<address type='pci'/>"


@RULE.domain
def check(domain: Domain, view: View) -> Iterator[Seen]:
    """A finding for each disk with an emulated bus."""
    for disk in data_disks(domain.wanted):
        bus = bus_of(disk)
        if bus not in EMULATED:
            continue
        saw = f"its bus is {bus}, an emulated controller"
        proof = linux_by(domain, view)
        if proof is None:
            yield _for_a_person(domain, disk, saw, view)
            continue
        yield at_next_start(
            domain,
            disk,
            saw,
            {"target/@bus": "virtio", "address": ANY_SLOT},
            costs=(
                "inside the guest the disk is then named vdX; file systems must be named by UUID or label",
                "a guest whose initial ramdisk lacks virtio_blk does not boot; taking this back lets it boot again",
                "a host that it migrates to needs the same XML, since the guest sees another device",
            ),
            note=f"{proof}; look first that its initial ramdisk holds virtio_blk",
        )


def _for_a_person(domain: Domain, disk: Disk, saw: str, view: View) -> Seen:
    name = shell_word(domain.name)
    windows = view.windows(domain)
    how = (
        "Install the virtio driver in Windows, attach a small second disk with bus virtio and let Windows find it."
        if windows
        else "Find out whether the guest's system has virtio drivers, and name its file systems by UUID or label."
    )
    return Seen(
        saw=f"disk {disk.target}: {saw}",
        safety=Safety.MANUAL,
        sure=Sure.POSSIBLE,
        by_hand=(
            how,
            f"virsh edit {name}  # disk {disk.target}: target bus='virtio', and remove its address element",
        ),
        note="the guest is Windows, whose drivers have to be installed first"
        if windows
        else "nothing says that the guest has virtio drivers: no Linux in libosinfo's id or in kvmnb.toml",
        subject=subject(disk),
    )
