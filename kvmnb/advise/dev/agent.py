"""Nobody in the guest answers the host: there is no guest agent.

What is seen
    There is no channel ``org.qemu.guest_agent.0`` in the persistent configuration; or there is one, and in the
    running guest nothing listens on it. The configuration shows the first, libvirt's state of the channel the second;
    for how long it has been so is not known.

Why it hurts
    Without an agent nobody knows what system runs in the guest, disks are not trimmed from the host, a backup cannot
    freeze the file systems, and new vCPUs are not switched on.

What to do
    Add the channel and install ``qemu-guest-agent`` in the guest. A running guest takes the channel live:
    ``virsh attach-device GUEST channel.xml --live --config``. What an agent answers is the guest's word, not a fact.

Leave it when
    The guest's owner does not want the host to act in the guest.

Cost
    Through the configuration it takes effect at the next start. Durability: none. Migration: none. Security: the
    host can run commands in the guest as far as the agent lets it.

Look by hand
    ``virsh dumpxml GUEST | grep -A2 guest_agent``; ``virsh qemu-agent-command GUEST '{"execute":"guest-ping"}'``.

Measure it
    The channel's target reads ``state='connected'`` in the live XML.

Sources
    * libvirt, Domain XML format, Channel
    * QEMU, QEMU Guest Agent
"""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.advise.aim import Overlay
from kvmnb.advise.cpu.pins import restart_cost, xml
from kvmnb.advise.finding import Effect, Safety, Seen, Severity, Sure
from kvmnb.advise.rule import ALL_GOALS, Rule
from kvmnb.advise.view import View
from kvmnb.advise.voice import Tone, Voice
from kvmnb.facts.domain import Configuration, Domain
from kvmnb.tunable.spelling import shell_word
from kvmnb.tunable.tunable import Want

RULE = Rule(
    id="dev.agent",
    severity=Severity.MEDIUM,
    goals=ALL_GOALS,
    basis="documented",
    effect=Effect.INDIRECT,
    effect_basis="documented: nothing gets faster; backups, trims and readings become possible",
    voices={Overlay.SECURITY: Voice(tone=Tone.BY_HAND, why="the host can then act in the guest")},
)

NAME = "org.qemu.guest_agent.0"
CHANNEL = f"<channel type='unix'><target type='virtio' name='{NAME}'/></channel>"


@RULE.domain
def check(domain: Domain, view: View) -> Iterator[Seen]:
    """A finding where the channel is missing, or nothing listens on it."""
    wanted = domain.wanted
    if wanted.virt_type not in ("kvm", "qemu"):
        return
    if not _has(wanted):
        yield _missing(domain)
        return
    live = domain.live if domain.running else None
    if live is None:
        return
    states = [one.state for one in live.devices.channels if one.name == NAME]
    if "disconnected" in states:
        yield Seen(
            saw=f"nothing in the guest listens on the channel {NAME} (live XML: state disconnected)",
            severity=Severity.LOW,
            sure=Sure.LIKELY,
            safety=Safety.MANUAL,
            by_hand=("In the guest: install qemu-guest-agent and start its service.",),
            note="for how long is not known; a guest that has just started may still be booting",
        )


def _has(config: Configuration) -> bool:
    return any(one.name == NAME for one in config.devices.channels)


def _missing(domain: Domain) -> Seen:
    saw = f"there is no channel {NAME} (persistent XML, devices/channel)"
    if domain.inactive is None:
        return Seen(
            saw=saw,
            safety=Safety.MANUAL,
            by_hand=(
                f'echo "{CHANNEL}" > channel.xml && virsh attach-device {shell_word(domain.name)} channel.xml --live',
            ),
            note="a guest that exists only while it runs has the channel until it stops",
        )
    return Seen(
        saw=saw,
        wants=(Want(xml(domain, f"devices/channel[{NAME}]"), CHANNEL),),
        safety=Safety.DISRUPTIVE,
        costs=(*restart_cost(domain), "the host can then act in the guest, as far as the agent lets it"),
        note="the agent has to be installed in the guest too",
    )
