"""What the system in a guest says of itself, and what it was not asked.

Asked are libvirt's typed questions to the agent alone (``virDomainGetGuestInfo``, ``virDomainGetGuestVcpus``): they run
no program and do not taint the guest. The rest would need a program in the guest, or a raw command to its agent; kvmnb
sends none, and says what to type there instead.
"""

from __future__ import annotations

from dataclasses import dataclass

from kvmnb.core.errors import NotAnswered
from kvmnb.facts.domain import Domain
from kvmnb.facts.gap import Gap, NotSeen
from kvmnb.facts.running import GuestSystem
from kvmnb.machine.machine import Machine
from kvmnb.probe.running import guest_system

CHANNEL = "org.qemu.guest_agent.0"
WINDOWS = "mswindows"


@dataclass(frozen=True, slots=True)
class NotAsked:
    """Something that only a program in the guest can tell."""

    what: str
    why: str
    """What it is good for."""
    command: str
    """What to run in the guest, as its administrator."""


@dataclass(frozen=True, slots=True)
class Inside:
    """What is known of the system in one guest."""

    domain: str
    system: GuestSystem | Gap
    """What its agent tells; a gap where none answers."""
    not_asked: tuple[NotAsked, ...]


# What, what it is good for, what to run in Linux, what to run in Windows (PowerShell).
QUESTIONS = (
    ("steal", "whether run delay of its vCPUs is felt inside", "vmstat 1 5   # column st", ""),
    (
        "disk scheduler and queues",
        "one queue a vCPU lets disks scale, and a scheduler in the guest orders requests twice",
        "grep . /sys/block/*/queue/scheduler; ls -d /sys/block/*/mq/*",
        "",
    ),
    (
        "network queues",
        "queues that the host offers are used only where the guest switches them on",
        "for nic in /sys/class/net/*; do ethtool -l ${nic##*/}; done",
        "Get-NetAdapterRss",
    ),
    (
        "network offloads",
        "without them the guest cuts and sums each packet itself",
        "for nic in /sys/class/net/*; do ethtool -k ${nic##*/}; done",
        "Get-NetAdapterAdvancedProperty",
    ),
    (
        "clock source",
        "another one than kvm-clock, tsc or Hyper-V's costs an exit each time the clock is read",
        "cat /sys/devices/system/clocksource/clocksource0/current_clocksource",
        "bcdedit /enum '{current}'",
    ),
    ("memory pressure", "whether the balloon took too much", "cat /proc/pressure/memory", ""),
    ("interrupts", "whether one vCPU takes them all", "cat /proc/interrupts", ""),
)


def inside(machine: Machine, domain: Domain) -> Inside:
    """Ask the agent in a guest where one listens; it takes a few seconds where that one does not answer."""
    return beside(domain.name, _system(machine, domain))


def beside(name: str, system: GuestSystem | Gap) -> Inside:
    """What a guest's agent told, and beside it what was not asked, in the words of its system."""
    windows = isinstance(system, GuestSystem) and system.os_id == WINDOWS
    commands = ((what, why, on_windows if windows else on_linux) for what, why, on_linux, on_windows in QUESTIONS)
    return Inside(name, system, tuple(NotAsked(*one) for one in commands if one[2]))


def _system(machine: Machine, domain: Domain) -> GuestSystem | Gap:
    if not domain.running or domain.live is None:
        return _gap("the guest does not run")
    try:
        states = [one.state for one in domain.live.devices.channels if one.name == CHANNEL]
    except NotSeen as unseen:
        return unseen.gap
    if not states:
        return _gap(f"it has no channel {CHANNEL}, so there is no agent to ask (rule dev.agent)")
    if "connected" not in states:
        return _gap(
            f"nothing in the guest listens on the channel {CHANNEL}: is qemu-guest-agent installed and started?"
        )
    try:
        return guest_system(machine.libvirt, domain.uuid, domain.name)
    except NotAnswered as problem:
        return _gap(str(problem))


def _gap(reason: str) -> Gap:
    return Gap("the system in the guest", reason)
