"""A device is served by another process, which cannot reach the guest's memory.

What is seen
    The guest has an interface or disk of type vhostuser, or a filesystem with virtiofs, and its memory is private:
    neither ``memoryBacking/access`` is shared, nor every cell's ``memAccess``. The configuration alone shows it.

Why it hurts
    The other process reads requests straight out of the guest's memory, so it has to map it. New libvirt refuses to
    start such a guest; older ones start it, and the device does nothing.

What to do
    ``access`` mode shared and ``source`` type memfd. Hugepages are not needed for it, and go with it. Cells that say
    private are made shared too.

Leave it when
    Never as it is: without shared memory take the device out.

Cost
    The guest has to be shut down and started. Huge pages for it then follow shmem_enabled (mem.thp), and its memory
    is no longer merged. Durability: none. Migration: none. Security: the process behind the device can read all of
    the guest's memory, as it has to.

Look by hand
    ``virsh dumpxml GUEST --xpath /domain/memoryBacking``

Measure it
    The guest starts, the device works, and ``/proc/PID/maps`` shows memfd.

Sources
    * libvirt, Domain XML format, Memory Backing (source, access)
    * libvirt, Sharing files with Virtiofs
    * libvirt release notes 11.2.0 (the check for network devices), 4.10.0 (memfd)
"""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.advise.aim import Overlay
from kvmnb.advise.cpu.pins import restart_cost, xml
from kvmnb.advise.finding import Effect, Safety, Seen, Severity
from kvmnb.advise.mem.backing import of_qemu, vhost_user
from kvmnb.advise.rule import ALL_GOALS, Rule
from kvmnb.advise.versions import at_least
from kvmnb.advise.view import View
from kvmnb.advise.voice import Tone, Voice
from kvmnb.facts.domain import Configuration, Domain
from kvmnb.tunable.spelling import shell_word
from kvmnb.tunable.tunable import Want

# Without it the device does nothing or the guest does not start, whatever the goal.
RULE = Rule(
    id="mem.shared_backing",
    severity=Severity.CRITICAL,
    goals=ALL_GOALS,
    basis="documented",
    effect=Effect.LARGE,
    effect_basis="documented: the device works at all",
    voices={
        Overlay.SECURITY: Voice(tone=Tone.BY_HAND, why="the other process can then read all of the guest's memory")
    },
)

MEMFD = "4.10.0"


@RULE.domain
def check(domain: Domain, view: View) -> Iterator[Seen]:
    """A finding where a process that serves a device cannot reach the memory."""
    wanted = domain.wanted
    served = vhost_user(wanted)
    if not of_qemu(wanted) or not served or _all_shared(wanted):
        return
    missing = _missing(domain, view)
    yield Seen(
        saw=f"the guest has {', '.join(dict.fromkeys(served))}, and its memory is "
        f"{wanted.tuning.memory.access or 'private by default'} (persistent XML: memoryBacking/access, cpu/numa)",
        wants=() if missing else tuple(_wants(domain, wanted)),
        safety=Safety.MANUAL if missing else Safety.DISRUPTIVE,
        costs=(*restart_cost(domain), "the process behind the device can read all of the guest's memory"),
        by_hand=(
            f"virsh edit {shell_word(domain.name)}  # in memoryBacking <source type='memfd'/>, <access mode='shared'/>",
        )
        if missing
        else (),
        note=missing,
    )


def _all_shared(wanted: Configuration) -> bool:
    general = wanted.tuning.memory.access
    cells = wanted.cpu.cells if wanted.cpu is not None else ()
    if not cells:
        return general == "shared"
    return all((cell.access or general) == "shared" for cell in cells)


def _missing(domain: Domain, view: View) -> str | None:
    if domain.inactive is None:
        return "a guest that exists only while it runs keeps its memory until it is made anew"
    found = view.host.hypervisor
    if found is not None and not at_least(found.libvirt, MEMFD):
        return f"libvirt {found.libvirt} is older than {MEMFD}, which brought memfd: use hugepages with shared access"
    return None


def _wants(domain: Domain, wanted: Configuration) -> Iterator[Want]:
    memory = wanted.tuning.memory
    if memory.access != "shared":
        yield Want(xml(domain, "memoryBacking/access/@mode"), "shared")
    if memory.source in (None, "anonymous"):
        yield Want(xml(domain, "memoryBacking/source/@type"), "memfd")
    for cell in wanted.cpu.cells if wanted.cpu is not None else ():
        if cell.access == "private":
            yield Want(xml(domain, f"cpu/numa/cell[{cell.id}]/@memAccess"), "shared")
