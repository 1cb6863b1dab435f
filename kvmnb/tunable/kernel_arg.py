"""An argument of the kernel's command line, kept by a drop-in that Debian's ``update-grub`` reads.

Only the drop-in is written: the boot menu changes when a person runs ``update-grub``, or a new kernel comes.
It goes into GRUB_CMDLINE_LINUX_DEFAULT, which the menu's recovery entries leave out: they stay bootable as
they are. Where that is not so (no Debian-like GRUB, recovery entries switched off), the kind refuses, and its
command tells the way by hand. Nothing here boots the host again.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

from kvmnb.core.errors import KvmnbError, Refused
from kvmnb.machine.machine import Machine
from kvmnb.tunable.lasting import Lasting
from kvmnb.tunable.own_file import OwnFile
from kvmnb.tunable.tunable import State, Verdict

_CPUS = re.compile(r"[0-9]{1,5}(?:-[0-9]{1,5})?(?:,[0-9]{1,5}(?:-[0-9]{1,5})?){0,200}")
_COUNT = re.compile(r"[0-9]{1,7}")
# Only what a rule may want.
_ALLOWED = {
    "default_hugepagesz": re.compile(r"2M|1G"),
    "elevator": re.compile(r"none|mq-deadline"),
    "intel_iommu": re.compile(r"on"),
    "iommu": re.compile(r"pt"),
    "kvm.halt_poll_ns": _COUNT,
    "nohz_full": _CPUS,
    "isolcpus": _CPUS,
    "rcu_nocbs": _CPUS,
    "transparent_hugepage": re.compile(r"always|madvise|never"),
    # A size and a count are one pair of words on the line.
    "hugepages[2M]": _COUNT,
    "hugepages[1G]": _COUNT,
}
_UPDATE = ("usr/sbin/update-grub", "sbin/update-grub")
_LINE = re.compile(
    r'GRUB_CMDLINE_LINUX_DEFAULT="\$GRUB_CMDLINE_LINUX_DEFAULT (?:hugepagesz=(2M|1G) )?([a-z_.]+)=([^" ]+)"'
)


def _words(path: str, value: str) -> str:
    name, bracket, size = path.rstrip("]").partition("[")
    return f"hugepagesz={size} {name}={value}" if bracket else f"{name}={value}"


def _line(path: str, value: str) -> str:
    return f'GRUB_CMDLINE_LINUX_DEFAULT="$GRUB_CMDLINE_LINUX_DEFAULT {_words(path, value)}"'


def _setting(line: str) -> tuple[str, str] | None:
    match = _LINE.fullmatch(line)
    return (f"{match[2]}[{match[1]}]" if match[1] else match[2], match[3]) if match else None


@dataclass(frozen=True, slots=True)
class KernelArg(Lasting):
    """One argument by its name, ``transparent_hugepage``; a pool's pages as ``hugepages[1G]``."""

    kind: ClassVar[str] = "kernel_arg"
    file: ClassVar[OwnFile] = OwnFile("etc/default/grub.d/zz-kvmnb.cfg", _line, _setting)
    taken: ClassVar[str] = "which update-grub puts into the boot menu"

    def __post_init__(self) -> None:
        if self.path not in _ALLOWED:
            raise Refused(f"the kernel argument {self.path[:80]!r} is not a setting that kvmnb turns")

    def check(self, value: str | None) -> None:
        if value is not None and not _ALLOWED[self.path].fullmatch(value):
            raise Refused(f"the kernel argument {self.path} cannot be set to {value!r}")

    def read(self, machine: Machine) -> str | None:
        """The value in the drop-in; KvmnbError where a drop-in would not be sure to work."""
        found = super(KernelArg, self).read(machine)
        problem = None if found is not None else _unsure(machine)
        if problem is not None:
            raise KvmnbError(f"the kernel argument {self.path} is set by hand here, since {problem}")
        return found

    def verify(self, machine: Machine, value: str | None) -> Verdict:
        """By the line that this kernel was booted with: the drop-in alone changes nothing yet."""
        try:
            found = super(KernelArg, self).read(machine)
            line = machine.tree.read("proc/cmdline").split()
        except (KvmnbError, OSError, ValueError) as problem:
            return Verdict(State.NOT_APPLICABLE, None, value, str(problem))
        if found != value:
            return Verdict(State.DIFFERS, found, value, f"read from /{self.file.path}")
        if value is None or set(_words(self.path, value).split()) <= set(line):
            return Verdict(State.HOLDS, found, value, f"read from /{self.file.path} and /proc/cmdline")
        return Verdict(State.HOLDS, found, value, f"/{self.file.path} has it; run update-grub, and boot when it suits")

    def command(self, value: str | None) -> str:
        """By hand on any distribution."""
        if value is None:
            return f"sudo rm /{self.file.path} && sudo update-grub  # or: sudo grubby --update-kernel=ALL --remove-args"
        words = _words(self.path, value)
        return (
            f"sudo grubby --update-kernel=ALL --args='{words}'  # Debian: add it to GRUB_CMDLINE_LINUX_DEFAULT in "
            "/etc/default/grub and run update-grub; systemd-boot: /etc/kernel/cmdline and kernel-install"
        )

    def full_line(self, machine: Machine, value: str) -> str:
        """The command line of the next boot as it would stand: the present one, with the argument at its end."""
        return f"{machine.tree.read('proc/cmdline')} {_words(self.path, value)}"


def _unsure(machine: Machine) -> str | None:
    """Why a drop-in would not be sure to work, or would leave no entry as it was; None where it is sure."""
    tree = machine.tree
    if not any(tree.exists(path) for path in _UPDATE) or not tree.exists("etc/default/grub"):
        return "this host has no update-grub that reads /etc/default/grub.d"
    if not tree.exists("etc/debian_version"):
        return "only Debian's and Ubuntu's update-grub are known to read /etc/default/grub.d"
    try:
        text = tree.read("etc/default/grub")
    except (OSError, ValueError) as problem:
        return f"/etc/default/grub cannot be read ({problem})"
    if re.search(r"^\s*GRUB_DISABLE_RECOVERY=[\"']?true", text, re.MULTILINE):
        return "recovery entries are switched off in /etc/default/grub, so no entry would stay as it is"
    return None
