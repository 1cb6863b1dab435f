"""What the system in a guest says of itself, and what it was not asked.

Asked are libvirt's typed questions to the agent alone (``virDomainGetGuestInfo``, ``virDomainGetGuestVcpus``): they run
no program and do not taint the guest. The rest needs a program in the guest, which the agent runs on a raw command;
kvmnb sends one only where a person asked for that guest (``run_inside``), and else says what to type there.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from kvmnb.core.errors import NotAnswered
from kvmnb.facts.domain import Domain
from kvmnb.facts.gap import Gap, NotSeen
from kvmnb.facts.running import GuestSystem
from kvmnb.machine.machine import Machine
from kvmnb.probe.running import guest_system

CHANNEL = "org.qemu.guest_agent.0"
WINDOWS = "mswindows"
RUN_SECONDS = 15.0
"""How long one program in a guest may take."""


@dataclass(frozen=True, slots=True)
class NotAsked:
    """Something that only a program in the guest can tell."""

    what: str
    why: str
    """What it is good for."""
    command: str
    """What to run in the guest, as its administrator."""


@dataclass(frozen=True, slots=True)
class Ran:
    """What a program in the guest told: the guest's word."""

    what: str
    command: str
    code: int
    """Its exit code."""
    text: str
    """What it wrote: hostile text."""


@dataclass(frozen=True, slots=True)
class Inside:
    """What is known of the system in one guest."""

    domain: str
    system: GuestSystem | Gap
    """What its agent tells; a gap where none answers."""
    not_asked: tuple[NotAsked, ...]
    ran: tuple[Ran, ...] = ()
    """What programs told that a person had run; after that libvirt counts the guest as tainted till it is stopped."""
    problem: str | None = None
    """Why no program, or not every one, was run, where one was asked for."""


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


def run_inside(machine: Machine, domain: Domain) -> Inside:
    """Ask the agent, and have it run the programs that tell the rest: some ten seconds.

    Only for a person who said so of this guest: the programs run there with its administrator's rights, and libvirt
    counts the guest as tainted till it is stopped. They are the fixed commands of ``QUESTIONS``, which only read. The
    first one that does not run ends it.
    """
    known = inside(machine, domain)
    if isinstance(known.system, Gap):
        return replace(known, problem=known.system.reason)
    ran: list[Ran] = []
    problem = None
    for one in known.not_asked:
        try:
            ended = machine.libvirt.run_inside(domain.uuid, *_shell(known.system, one.command), RUN_SECONDS)
        except NotAnswered as why:
            problem = str(why)
            break
        ran.append(Ran(one.what, one.command, ended.code, ended.text))
    return replace(known, not_asked=known.not_asked[len(ran) :], ran=tuple(ran), problem=problem)


def _shell(system: GuestSystem, command: str) -> tuple[str, tuple[str, ...]]:
    """The program that runs a command, and its arguments."""
    if system.os_id == WINDOWS:
        return "powershell.exe", ("-NoProfile", "-NonInteractive", "-Command", command)
    return "/bin/sh", ("-c", command)


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
