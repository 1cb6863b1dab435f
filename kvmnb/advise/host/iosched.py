"""A disk's I/O scheduler does not fit the device.

What is seen
    An NVMe disk, or another SSD with several hardware queues, has mq-deadline, bfq or kyber; or a spinning disk has
    none. An SSD with one queue fares well with none and with mq-deadline. Left alone: zoned devices, devices made of
    others (dm, md), paths of a multipath device, removable ones, what has no scheduler to choose, and virtio disks
    that claim to spin, as they do whatever lies below them.

Why it hurts
    A scheduler sorts requests at the price of CPU time and a lock. A fast device with many queues needs no order. The
    heads of a spinning disk do: without it they are sent to and fro.

What to do
    ``none`` for NVMe and SSDs with several queues, ``mq-deadline`` for spinning disks (``bfq`` where fairness among
    guests counts more). To last, a udev rule: ``ACTION=="add|change", KERNEL=="nvme*[0-9]n*[0-9]",
    ATTR{queue/scheduler}="none"``. The old names noop, deadline and cfq are gone since Linux 5.0, and so is
    ``elevator=`` on the command line. In guests virtio disks stay at none.

Leave it when
    bfq is there for the weights of ``blkiotune``, which work with bfq or iocost only.

Cost
    Works at once, needs no restart, lasts until the next boot. Durability, migration, security: none.

Look by hand
    ``grep . /sys/block/*/queue/scheduler``; the word in brackets is in use.

Measure it
    ``iostat -x 1`` while the guests work, or ``fio`` with 4 KiB reads on an idle device, before and after.

Sources
    * Linux documentation, block/switching-sched
    * Linux source, block/elevator.c (the default)
    * Tested with Linux 6.18: noop is refused as an invalid argument
"""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.advise.finding import Effect, Safety, Seen, Severity
from kvmnb.advise.intent import Goal
from kvmnb.advise.rule import Rule
from kvmnb.advise.view import View
from kvmnb.facts.storage import BlockDevice
from kvmnb.tunable.spelling import percent_encode
from kvmnb.tunable.sysfs import Sysfs
from kvmnb.tunable.tunable import Want

RULE = Rule(
    id="host.iosched",
    severity=Severity.MEDIUM,
    goals=(Goal.LATENCY, Goal.THROUGHPUT, Goal.BALANCED),
    basis="documented",
    effect=Effect.SMALL,
    effect_basis="documented: a few per cent, more above some 500,000 requests per second",
)

SORTING = ("mq-deadline", "bfq", "kyber")
# For spinning disks: the server's choice first.
FOR_SPINNING = ("mq-deadline", "bfq")
WITHOUT = "none"


@RULE.host
def check(view: View) -> Iterator[Seen]:
    """A finding for each disk with an unsuited scheduler."""
    multipath = {
        slave for block in view.host.blocks if block.slaves and block.type == "mpath" for slave in block.slaves
    }
    for block in view.host.blocks:
        if block.name not in multipath and _has_a_choice(block) and (found := _better(block)) is not None:
            values, saw = found
            yield _seen(block, values, saw, view)


def _has_a_choice(block: BlockDevice) -> bool:
    return (
        block.scheduler is not None
        and block.type == "disk"
        and not block.stacked
        and not block.removable
        and block.zoned in (None, "none")
    )


def _better(block: BlockDevice) -> tuple[tuple[str, ...], str] | None:
    """The schedulers that suit it, best first, and what it is; None where its own is fine."""
    nvme = block.transport is not None and block.transport.startswith("nvme")
    if not block.rotational or nvme:
        many = block.hardware_queues is not None and block.hardware_queues > 1
        if block.scheduler in SORTING and (nvme or many):
            return (WITHOUT,), "NVMe" if nvme else f"an SSD with {block.hardware_queues} hardware queues"
    elif block.scheduler == WITHOUT and block.transport != "virtio":
        return FOR_SPINNING, "a spinning disk"
    return None


def _seen(block: BlockDevice, values: tuple[str, ...], what: str, view: View) -> Seen:
    saw = f"{block.name}, {what}, has the scheduler {block.scheduler} (/sys/block/{block.name}/queue/scheduler)"
    subject = f"block/{percent_encode(block.name)}"
    value = next((one for one in values if one in block.schedulers), None)
    if value is None:
        return Seen(
            saw=saw,
            safety=Safety.MANUAL,
            by_hand=(
                "sudo modprobe bfq  # or boot a kernel with mq-deadline",
                f"echo {values[0]} | sudo tee /sys/block/{block.name}/queue/scheduler",
            ),
            note=f"the running kernel offers only {', '.join(block.schedulers)}",
            subject=subject,
        )
    if block.scheduler == "bfq" and (weighed := _weighed(view)):
        return Seen(
            saw=saw,
            safety=Safety.MANUAL,
            by_hand=(f"echo {value} | sudo tee /sys/block/{block.name}/queue/scheduler",),
            note=f"blkiotune of {', '.join(weighed)} sets weights, which bfq keeps and {value} does not",
            subject=subject,
        )
    return Seen(saw=saw, wants=(Want(Sysfs(f"block/{block.name}/queue/scheduler"), value),), subject=subject)


def _weighed(view: View) -> list[str]:
    """The guests that have weights for block devices."""
    return [
        domain.name
        for domain in view.domains
        if domain.wanted.tuning.blkio.weight is not None or domain.wanted.tuning.blkio.devices
    ]
