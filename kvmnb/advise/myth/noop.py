"""The I/O schedulers noop, deadline and cfq are gone, and elevator= with them.

What is said
    Set the scheduler to noop for SSDs and guests, best for all disks with ``elevator=noop`` on the kernel's
    command line.

What is true
    Linux 5.0 dropped the old request path with its schedulers. Today there are none, mq-deadline, kyber and bfq;
    writing noop is refused as an invalid argument, and ``elevator=`` is read and ignored. The kernel picks none
    for devices with many queues and mq-deadline for those with one, which fits most hosts.

Where it comes from
    Guides from the time of Linux 2.6 to 4.x, when noop spared a guest from sorting what the host sorts again.
    They were right then.

When it holds
    On kernels before 5.0. Its sense lives on as ``none``, set for single devices by a udev rule.

Look by hand
    ``grep . /sys/block/*/queue/scheduler``; ``cat /proc/cmdline``.

Sources
    * Linux documentation, block/switching-sched
    * Linux source, block/elevator.c
    * Tested with Linux 6.18: writing noop fails as an invalid argument
"""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.advise.finding import Seen
from kvmnb.advise.folklore import Myth
from kvmnb.advise.view import View

MYTH = Myth("myth.noop")

# The word on the command line; the kernel ignores it since 5.0.
_WORD = "elevator="


@MYTH.host
def check(view: View) -> Iterator[Seen]:
    """A finding where the kernel was started with the old word."""
    words = [word for word in view.host.kernel.command_line if word.startswith(_WORD)]
    if words:
        yield MYTH.sign(
            f"the kernel was started with {', '.join(words)} (/proc/cmdline), which Linux ignores since 5.0",
            "Take it out of the kernel's command line when you change that; host.iosched says what fits each disk.",
            subject="cmdline/elevator",
        )
