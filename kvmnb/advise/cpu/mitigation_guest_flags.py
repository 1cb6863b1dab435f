"""A named CPU model hides what guests need against the CPU's weaknesses.

What is seen
    The CPU is a named model (mode custom) of the generations up to Skylake or the first EPYC, which QEMU's own
    documentation says lacks some of pcid, spec-ctrl, stibp, ssbd, md-clear, ibpb and virt-ssbd; the host's CPU has
    them, and the XML does not name them. The configuration and ``/proc/cpuinfo`` show it. What newer models hold is
    not known here; for them the rule says "not checked".

Why it hurts
    A guest's kernel can only use a mitigation that its CPU shows. It then stays open, or, without pcid, pays much
    more for the one against Meltdown.

What to do
    Add each feature with policy require, or use host-model, which has them all. The host needs current microcode.

Leave it when
    The guest has to migrate to hosts that lack the feature, or it runs nothing that others send it.

Cost
    The guest has to stop and start. Durability: none. Migration: every host has to offer the feature. Security: this
    is what it is about; it gets better.

Look by hand
    ``virsh dumpxml GUEST | grep -A9 '<cpu'``; ``virsh domcapabilities | grep -A40 host-model``.

Measure it
    In the guest, ``grep . /sys/devices/system/cpu/vulnerabilities/*`` says Mitigation and no longer Vulnerable.

Sources
    * QEMU, Recommendations for KVM CPU model configuration on x86 hosts (important CPU features)
    * Linux documentation, Hardware vulnerabilities
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from kvmnb.advise.cpu.mode import _OLD as JUDGED_BY_CPU_MODE
from kvmnb.advise.cpu.pins import restart_cost, xml
from kvmnb.advise.finding import Effect, Safety, Seen, Severity, Sure
from kvmnb.advise.rule import ALL_GOALS, Rule
from kvmnb.advise.view import View
from kvmnb.facts.domain import Domain
from kvmnb.facts.gap import Gap, NotSeen
from kvmnb.tunable.tunable import Want

RULE = Rule(
    id="cpu.mitigation.guest_flags",
    severity=Severity.HIGH,
    goals=ALL_GOALS,
    basis="documented",
    effect=Effect.INDIRECT,
    effect_basis="documented: it closes weaknesses; with pcid it also costs less to do so",
)

# QEMU, important CPU features: which models lack a feature. A name that ends in a version is not among them.
_INTEL = re.compile(
    r"(Nehalem|Westmere|SandyBridge|IvyBridge|Haswell(?:-noTSX)?|Broadwell(?:-noTSX)?|Skylake-(?:Client|Server))"
    r"(?:-noTSX)?(-IBRS|-noTSX-IBRS)?"
)
_AMD = re.compile(r"(EPYC)(-IBPB)?")
_WITHOUT_PCID = ("Nehalem", "Westmere", "SandyBridge", "IvyBridge")
# libvirt's name of a feature, and the flag of /proc/cpuinfo that shows it on the host.
_INTEL_ALWAYS = (("stibp", "stibp"), ("ssbd", "ssbd"), ("md-clear", "md_clear"))
_AMD_ALWAYS = (("stibp", "stibp"), ("virt-ssbd", "virt_ssbd"))


@RULE.domain
def check(domain: Domain, view: View) -> Iterator[Seen]:
    """One finding for all features that a named model lacks and the host has."""
    wanted = domain.wanted
    cpu = wanted.cpu
    if wanted.virt_type != "kvm" or wanted.arch != "x86_64" or cpu is None or cpu.mode != "custom" or not cpu.model:
        return
    if JUDGED_BY_CPU_MODE.fullmatch(cpu.model):
        return
    flags = view.host.kernel.cpu_flags
    missing = [name for name, flag in _lacks(cpu.model) if flag in flags and cpu.feature(name) is None]
    if not missing:
        return
    alone = domain.inactive is None
    yield Seen(
        saw=f"the model {cpu.model} lacks {', '.join(missing)} (persistent XML, cpu), which this host's CPU has "
        "(/proc/cpuinfo)",
        wants=() if alone else tuple(Want(xml(domain, f"cpu/feature[{name}]/@policy"), "require") for name in missing),
        sure=Sure.LIKELY,
        safety=Safety.MANUAL if alone else Safety.DISRUPTIVE,
        costs=() if alone else (*restart_cost(domain), "it migrates only to hosts that offer these features"),
        by_hand=("Make the guest anew with these features.",) if alone else (),
        note="what the model lacks is QEMU's documentation; libvirt was not asked to list what it holds",
    )


def _lacks(model: str) -> Iterator[tuple[str, str]]:
    """What QEMU's documentation says that a model lacks: libvirt's name, and the host's flag."""
    if (named := _INTEL.fullmatch(model)) is not None:
        if named[1] in _WITHOUT_PCID:
            yield "pcid", "pcid"
        if named[2] is None:
            yield "spec-ctrl", "ibrs"
        yield from _INTEL_ALWAYS
    elif (named := _AMD.fullmatch(model)) is not None:
        if named[2] is None:
            yield "ibpb", "ibpb"
        yield from _AMD_ALWAYS
    else:
        raise NotSeen(Gap("host.hypervisor.guest_kinds", f"libvirt was not asked what the model {model[:60]} holds"))
