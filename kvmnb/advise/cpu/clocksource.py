"""The host does not take its time from the TSC.

What is seen
    On an x86 host ``current_clocksource`` is ``hpet``, ``acpi_pm`` or ``jiffies``. The setting alone shows it.

Why it hurts
    kvm-clock and the reference page of Windows need a stable TSC on the host. Without one each look at the clock
    leaves the guest or reads a slow device, and programs look at the clock all the time.

What to do
    Find out why the kernel gave the TSC up: its log says so. A ``clocksource=`` on the command line is removed;
    CPUs out of step are a matter for the firmware. ``tsc=reliable`` only on hardware that is known to be good.

Leave it when
    The TSC of this machine is really not stable, as on some old machines of several sockets.

Cost
    The host has to boot again, for the cause and for the guests to see a good clock. Durability: none. Migration:
    hosts whose TSC runs at another speed need TSC scaling. Security: none.

Look by hand
    ``cat /sys/devices/system/clocksource/clocksource0/{current,available}_clocksource``; ``dmesg | grep -i tsc``.

Measure it
    In a guest: how many looks at the clock a second a small loop makes, before and after.

Sources
    * Linux documentation, Timekeeping Virtualization for X86-Based Architectures
    * Linux documentation, The kernel's command-line parameters (tsc, clocksource)
    * QEMU, Hyper-V Enlightenments (hv-time)
"""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.advise.finding import Effect, Safety, Seen, Severity
from kvmnb.advise.intent import Goal
from kvmnb.advise.rule import Rule
from kvmnb.advise.view import View

RULE = Rule(
    id="cpu.clocksource",
    severity=Severity.HIGH,
    goals=(Goal.LATENCY, Goal.THROUGHPUT, Goal.BALANCED),
    basis="documented",
    effect=Effect.MODERATE,
    effect_basis="documented: each reading of the time leaves user space, which loads that read it often feel",
)

SLOW = ("hpet", "acpi_pm", "jiffies")
_X86 = ("x86_64", "i686")


@RULE.host
def check(view: View) -> Iterator[Seen]:
    """A finding where an x86 host reads a slow clock."""
    kernel = view.host.kernel
    if view.host.arch not in _X86 or kernel.clocksource not in SLOW:
        return
    forced = [word for word in kernel.command_line if word.startswith(("clocksource=", "tsc="))]
    yield Seen(
        saw=f"the clock is {kernel.clocksource}, of {', '.join(kernel.clocksources) or 'no others'} "
        "(/sys/devices/system/clocksource/clocksource0)"
        + (f"; the kernel was booted with {' '.join(forced)} (/proc/cmdline)" if forced else ""),
        safety=Safety.MANUAL,
        by_hand=(
            "sudo dmesg | grep -iE 'tsc|clocksource'  # why the kernel gave the TSC up",
            f"Remove {' '.join(forced)} from the kernel's command line (/etc/default/grub), and boot again."
            if forced
            else "Update the firmware, and boot again.",
        ),
        note=None if "tsc" in kernel.clocksources else "the kernel does not offer the TSC at all",
        subject="clocksource",
    )
