"""The CPU's second level of page tables is switched off.

What is seen
    The module parameter ``kvm_intel.ept`` or ``kvm_amd.npt`` reads N or 0. The setting alone shows it.

Why it hurts
    KVM then keeps shadow page tables: each change that a guest makes to its own page tables leaves the guest. Every
    load that starts processes or maps memory slows down many times over.

What to do
    Remove the option and load the module again with no guest running. To last: delete ``ept=0`` or ``npt=0`` from
    ``/etc/modprobe.d`` or from the kernel's command line. A host that is itself a virtual machine needs it from
    the hypervisor below.

Leave it when
    The CPU has no such tables, or a fault of KVM is being traced.

Cost
    All guests have to stop while the module is loaded again. Durability: none. Migration: guests can be moved away
    before. Security: none.

Look by hand
    ``cat /sys/module/kvm_intel/parameters/ept /sys/module/kvm_amd/parameters/npt``; ``grep -r ept= /etc/modprobe.d``.

Measure it
    ``perf kvm stat`` while a guest starts many processes: exits for page faults vanish.

Sources
    * Linux documentation, The kernel's command-line parameters (kvm-intel.ept, kvm-amd.npt)
"""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.advise.finding import Effect, Safety, Seen, Severity
from kvmnb.advise.rule import ALL_GOALS, Rule
from kvmnb.advise.view import View

RULE = Rule(
    id="kvm.ept_npt",
    severity=Severity.CRITICAL,
    goals=ALL_GOALS,
    basis="documented",
    effect=Effect.LARGE,
    effect_basis="documented: very much for any load that changes page tables",
)

PARAMETERS = (("kvm_intel", "ept"), ("kvm_amd", "npt"))


@RULE.host
def check(view: View) -> Iterator[Seen]:
    """A finding where the module in use has them off."""
    for module, name in PARAMETERS:
        value = view.host.kernel.parameter(module, name)
        if value not in ("N", "0"):
            continue
        option = f"{module.replace('_', '-')}.{name}"
        booted = [word for word in view.host.kernel.command_line if word.replace("_", "-").startswith(f"{option}=")]
        where = f"; the kernel was booted with {booted[0]}" if booted else ""
        yield Seen(
            saw=f"{name} is {value} (/sys/module/{module}/parameters/{name}){where}",
            safety=Safety.MANUAL,
            by_hand=(
                f"grep -rn {name}= /etc/modprobe.d /etc/default/grub  # remove the option where it is set",
                f"sudo modprobe -r {module} && sudo modprobe {module}  # with no guest running; or boot again",
                f"cat /sys/module/{module}/parameters/{name}  # Y",
            ),
            note="where the CPU or the hypervisor below does not offer it, it stays off",
            subject=name,
        )
