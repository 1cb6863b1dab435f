"""The guest's CPU is an old model that hides what the host's CPU can do.

What is seen
    The configuration names one of the old generic models (qemu64, kvm64, Conroe, Penryn, Opteron and the like), or
    names none, which gives the guest qemu64; and this host offers more for this kind of guest. Judged on x86
    only: elsewhere the default is the host's CPU or another story. A newer named model is left alone: it is often
    the smallest common CPU of a cluster, chosen with care.

Why it hurts
    The guest does without AES, AVX and newer instructions, so that encryption, checksums and number work take
    many times as long; it also lacks the bits that tell its kernel which mitigations are needed and which are cheap.

What to do
    On one host, or among hosts that are alike, give the guest the host's own CPU (host-passthrough, migratable).
    Among unlike hosts use host-model, or a model that all of them have. Under emulation (TCG) the most that can be
    had is ``maximum``.

Leave it when
    The guest migrates to older hosts, its licence hangs on the CPU, or a cluster manager sets the model.

Cost
    The guest has to be shut down and started; it then sees another CPU. Durability: none. Migration: with
    host-passthrough only between hosts with the same CPU, microcode and QEMU. Security: better, as the mitigation
    bits become visible. Windows and licensed software may ask for activation again.

Look by hand
    ``virsh dumpxml GUEST --xpath /domain/cpu`` and ``virsh domcapabilities``; in the guest ``lscpu``.

Measure it
    In the guest, ``openssl speed -evp aes-256-gcm`` or the load that matters, before and after.

Sources
    * libvirt, Domain XML format, CPU model and topology
    * QEMU documentation, CPU models for x86
    * Tested with libvirt 9.0 and QEMU 7.2: a guest without a cpu element gets qemu64
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from kvmnb.advise.cpu.pins import restart_cost, xml
from kvmnb.advise.finding import Effect, Safety, Seen, Severity
from kvmnb.advise.intent import Goal
from kvmnb.advise.rule import Rule
from kvmnb.advise.view import View
from kvmnb.facts.domain import Configuration, Domain
from kvmnb.facts.gap import Gap, NotSeen
from kvmnb.facts.hypervisor import GuestKind, Hypervisor
from kvmnb.tunable.tunable import Want

RULE = Rule(
    id="cpu.mode",
    severity=Severity.HIGH,
    goals=(Goal.LATENCY, Goal.THROUGHPUT, Goal.BALANCED),
    basis="documented",
    effect=Effect.MODERATE,
    effect_basis="documented: depends on the work; much where it uses AES or vectors, little elsewhere",
)

_X86 = ("x86_64", "i686")
_OLD = re.compile(
    r"(?:qemu64|qemu32|kvm64|kvm32|486|pentium\w*|coreduo|core2duo|Conroe|Penryn|Opteron_G\d)(?:-v\d+)?", re.IGNORECASE
)
# libvirt 6.5.0 knows cpu/@migratable.
_MIGRATABLE_SINCE = (6, 5, 0)


@RULE.domain
def check(domain: Domain, view: View) -> Iterator[Seen]:
    """A finding where the CPU is an old model, or QEMU's default."""
    wanted = domain.wanted
    if wanted.virt_type not in ("kvm", "qemu") or not _is_x86(wanted, view):
        return
    saw = _old_model(wanted)
    if saw is None:
        return
    hypervisor = view.host.hypervisor
    if hypervisor is None:
        raise NotSeen(Gap("host.hypervisor", "this source has no libvirt, so what CPUs guests may have is not known"))
    kind = _kind(wanted, hypervisor)
    offered = [mode.name for mode in kind.cpu_modes if mode.supported]
    choice = next((name for name in ("host-passthrough", "maximum") if name in offered), None)
    costs = (
        *restart_cost(domain),
        "the guest sees another CPU: Windows and licensed software may ask for activation again",
        "it then migrates only to hosts with the same CPU, microcode and QEMU",
    )
    text = (
        f"{saw}; for {kind.virt_type} guests on {kind.machine} this host offers {', '.join(offered) or 'no other mode'}"
    )
    emulated = wanted.virt_type == "qemu"
    if choice is None or domain.inactive is None:
        yield Seen(
            saw=text,
            severity=Severity.LOW if emulated else None,
            safety=Safety.MANUAL,
            by_hand=(
                "Choose a newer model that all hosts of this guest have: virsh domcapabilities, then virsh edit.",
            ),
            note="neither host-passthrough nor maximum is offered for this kind of guest here"
            if choice is None
            else "a guest that exists only while it runs keeps its CPU until it is made anew",
        )
        return
    yield Seen(
        saw=text,
        wants=_wants(domain, wanted, choice, hypervisor),
        severity=Severity.LOW if emulated else None,
        safety=Safety.DISRUPTIVE,
        costs=costs,
        note="the guest is emulated (TCG): newer instructions become available, but emulation stays slow"
        if emulated
        else None,
    )


def _is_x86(wanted: Configuration, view: View) -> bool:
    arch = wanted.arch if wanted.arch is not None else view.host.arch
    return arch in _X86


def _old_model(wanted: Configuration) -> str | None:
    """What shows the old model; None where there is none."""
    cpu = wanted.cpu
    if cpu is None:
        return "there is no cpu element (persistent XML), so the guest gets QEMU's default qemu64"
    if cpu.mode in (None, "custom") and cpu.model is None:
        return "cpu names neither a mode nor a model (persistent XML), so the guest gets QEMU's default qemu64"
    if cpu.mode == "custom" and cpu.model is not None and _OLD.fullmatch(cpu.model):
        return f"cpu is the model {cpu.model} (persistent XML, cpu/model)"
    return None


def _kind(wanted: Configuration, hypervisor: Hypervisor) -> GuestKind:
    for kind in hypervisor.guest_kinds:
        if (kind.virt_type, kind.arch, kind.machine) == (wanted.virt_type, wanted.arch, wanted.machine):
            return kind
    what = f"{wanted.virt_type} {wanted.arch or 'no architecture'} {wanted.machine or 'no machine type'}"
    raise NotSeen(Gap("host.hypervisor.guest_kinds", f"libvirt was not asked about guests of this kind ({what})"))


def _wants(domain: Domain, wanted: Configuration, mode: str, hypervisor: Hypervisor) -> tuple[Want, ...]:
    wants = [Want(xml(domain, "cpu/@mode"), mode)]
    has_migratable = wanted.cpu is not None and wanted.cpu.migratable == "on"
    if not has_migratable and _version(hypervisor.libvirt) >= _MIGRATABLE_SINCE:
        wants.append(Want(xml(domain, "cpu/@migratable"), "on"))
    if wanted.cpu is not None and wanted.cpu.model is not None:
        # Beside a mode that takes the host's libvirt refuses a model or a vendor, and drops match without a word.
        wants += [Want(xml(domain, path), None) for path in ("cpu/@match", "cpu/model", "cpu/vendor")]
    return tuple(wants)


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", text)[:3])
