"""The host's CPU has weaknesses that nothing mitigates, or nobody weighed their price.

What is seen
    A file below ``/sys/devices/system/cpu/vulnerabilities`` says ``Vulnerable``, or says ``SMT vulnerable`` while
    guests run, or the kernel was booted with ``mitigations=off``. What the kernel tells is enough.

Why it hurts
    A guest may then read what belongs to the host or to another guest. Mitigations have their price too: flushes at
    each entry into a guest are a large part of what an exit costs on some CPUs. That is a reason to know them, not
    to switch them off.

What to do
    Install the newest microcode and kernel. Where guests of different people share the host, remove
    ``mitigations=off``, and for ``SMT vulnerable`` keep the two threads of a core to one guest (pins, or core
    scheduling) or boot with ``nosmt``. Nothing is changed from here.

Leave it when
    All guests and all their users trust each other, and somebody decided so.

Cost
    The host has to boot again; exits get slower on old CPUs; without SMT half the CPUs are gone. Durability: none.
    Migration: guests can be moved away before. Security: this is what it is about.

Look by hand
    ``grep . /sys/devices/system/cpu/vulnerabilities/*``; ``cat /proc/cmdline``;
    ``cat /sys/devices/system/cpu/smt/active``.

Measure it
    The same files after the next boot; what it costs, by the guest's own load and ``perf kvm stat``.

Sources
    * Linux documentation, Hardware vulnerabilities (l1tf, mds, srso, vmscape)
    * Linux documentation, Attack Vector Controls
    * Linux documentation, The kernel's command-line parameters (mitigations)
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from kvmnb.advise.aim import Overlay
from kvmnb.advise.finding import Effect, Safety, Seen, Severity, Sure
from kvmnb.advise.rule import ALL_GOALS, Rule
from kvmnb.advise.view import View
from kvmnb.advise.voice import Voice

RULE = Rule(
    id="cpu.mitigation.host",
    severity=Severity.HIGH,
    goals=ALL_GOALS,
    basis="documented",
    effect=Effect.INDIRECT,
    effect_basis="documented: it informs a decision about safety; there is no gain that holds everywhere",
    voices={
        Overlay.SECURITY: Voice(
            why="guests do not trust each other: open between threads of a core is high, mitigations=off critical"
        )
    },
)

# The kernel's own words: "Vulnerable", also within a line that begins with "Mitigation:".
_OPEN = re.compile(r"\bVulnerable\b")
_ONLY_SMT = re.compile(r"\bSMT vulnerable\b")
# From two guests on they may belong to different people.
SEVERAL_GUESTS = 2


@RULE.host
def check(view: View) -> Iterator[Seen]:
    """At most three findings: switched off, open, and open between threads of a core."""
    kernel = view.host.kernel
    off = [word for word in kernel.command_line if word == "mitigations=off"]
    if off:
        several, known = len(view.domains) >= SEVERAL_GUESTS, view.secure()
        yield Seen(
            saw=f"the kernel was booted with {off[0]} (/proc/cmdline), and libvirt knows {len(view.domains)} guests",
            severity=Severity.CRITICAL if several or known else None,
            sure=Sure.POSSIBLE if several and not known else Sure.CERTAIN,
            safety=Safety.MANUAL,
            by_hand=("Remove mitigations=off from the kernel's command line (/etc/default/grub), and boot again.",),
            note=None
            if known
            else "rests on: whether its guests belong to different people, which only a person knows",
            subject="mitigations",
        )
    states = [(one.name, one.state) for one in kernel.vulnerabilities]
    open_ones = [(name, state) for name, state in states if _OPEN.search(state)]
    if open_ones:
        yield Seen(
            saw=_words(open_ones),
            safety=Safety.MANUAL,
            by_hand=(
                "sudo apt install intel-microcode  # or amd64-microcode; with dnf: microcode_ctl, linux-firmware",
                "Boot the newest kernel, and look at the files again.",
            ),
            subject="vulnerabilities",
        )
    between = [(name, state) for name, state in states if _ONLY_SMT.search(state) and not _OPEN.search(state)]
    if between and any(domain.running for domain in view.domains):
        known = view.secure()
        yield Seen(
            saw=_words(between),
            severity=None if known else Severity.MEDIUM,
            sure=Sure.CERTAIN if known else Sure.POSSIBLE,
            safety=Safety.MANUAL,
            by_hand=(
                "Where guests do not trust each other: keep both threads of a core to one guest, or boot with nosmt.",
            ),
            note=None if known else "rests on: whether its guests trust each other, which only a person knows",
            subject="smt",
        )


def _words(states: list[tuple[str, str]]) -> str:
    listed = "; ".join(f"{name}: {state}" for name, state in states)
    return f"{listed} (/sys/devices/system/cpu/vulnerabilities)"
