"""QEMU moves the packets of a virtio NIC itself, although the kernel could.

What is seen
    A virtio NIC on a tap or macvtap whose driver is ``qemu`` (the configuration shows it), or a running KVM guest
    with such NICs whose QEMU holds no ``/dev/vhost-net`` open. The latter needs root, as the files of another's
    process are private. Emulated guests (TCG) are left out: libvirt never gives them vhost.

Why it hurts
    Each packet then wakes QEMU's main loop and is copied in its process, beside all else that this thread does.
    With vhost a kernel thread for each queue does it. libvirt falls back without a word where the device is missing.

What to do
    Driver name ``vhost``: the default, but named it makes a missing device an error at start instead of a slow NIC.
    On the host ``modprobe vhost_net``, for every boot ``vhost_net`` in ``/etc/modules-load.d/vhost_net.conf``.

Leave it when
    A bug or a policy keeps the kernel's network path from the guest, or the backend is being debugged.

Cost
    The guest has to be shut down and started. Durability: none. Migration: none, as the guest sees no change; the
    other host needs vhost-net too where it is named. Security: the kernel, not a confined process, reads what
    the guest puts in its rings.

Look by hand
    ``ls -l /proc/QEMU-PID/fd | grep -c vhost-net``; ``ps -eLo comm | grep vhost-``; ``ls -l /dev/vhost-net``.

Measure it
    ``iperf3`` between guest and a neighbour, and the CPU time of QEMU's main thread against that of ``vhost-PID``.

Sources
    * libvirt, Domain XML format, Setting NIC driver-specific options (name)
    * libvirt source, src/qemu/qemu_interface.c (no vhost-net without KVM)
"""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.advise.aim import Goal, Overlay
from kvmnb.advise.finding import Effect, Safety, Seen, Severity
from kvmnb.advise.net.wires import changing, wires, wires_of
from kvmnb.advise.rule import Rule
from kvmnb.advise.view import View
from kvmnb.advise.voice import Tone, Voice
from kvmnb.facts.domain import Domain
from kvmnb.facts.gap import Gap, NotSeen
from kvmnb.tunable.spelling import shell_word

RULE = Rule(
    id="net.vhost",
    severity=Severity.HIGH,
    goals=(Goal.LATENCY, Goal.THROUGHPUT, Goal.BALANCED),
    basis="documented",
    effect=Effect.LARGE,
    effect_basis="documented: much for any traffic",
    voices={
        Overlay.SECURITY: Voice(tone=Tone.BY_HAND, why="the packets of the guest then reach code in the host's kernel")
    },
)


@RULE.domain
def check(domain: Domain, view: View) -> Iterator[Seen]:
    """A finding for each NIC that asks for QEMU's backend, and one for a guest that got no other."""
    if domain.wanted.virt_type != "kvm":
        return
    asked = [wire for wire in wires(domain) if wire.tap and wire.interface.driver == "qemu"]
    for wire in asked:
        yield changing(
            domain,
            wire,
            f"{wire.key} names the driver qemu (persistent XML, interface/driver/@name)",
            {"driver/@name": "vhost"},
            costs=(
                "security: the kernel reads the guest's rings instead of a confined process",
                "the guest does not start on a host without /dev/vhost-net",
            ),
            by_hand=f"<driver name='vhost'/> for {wire.key!r}",
        )
    if not asked:
        yield from _fallen_back(domain)


def _fallen_back(domain: Domain) -> Iterator[Seen]:
    live = domain.live if domain.running else None
    served = (
        [wire for wire in wires_of(live) if wire.tap and wire.interface.driver != "qemu"] if live is not None else []
    )
    if not served:
        return
    running = domain.running_state
    if running is None:
        raise NotSeen(Gap("domain.running_state", "the processes of this host are not seen"))
    if running.vhost_net == 0:
        name = shell_word(domain.name)
        yield Seen(
            saw=f"QEMU (process {running.pid}) holds no /dev/vhost-net open (/proc/{running.pid}/fd), and the guest "
            f"has virtio NICs on taps: {', '.join(wire.key for wire in served)} (live XML)",
            safety=Safety.MANUAL,
            by_hand=(
                "modprobe vhost_net",
                "echo vhost_net > /etc/modules-load.d/vhost_net.conf  # for every boot",
                f"virsh shutdown {name}; virsh start {name}  # a reboot inside the guest is not enough",
            ),
        )
