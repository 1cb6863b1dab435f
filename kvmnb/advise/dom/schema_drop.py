"""libvirt will leave out a part of this XML without a word.

What is seen
    The XML has settings that libvirt drops when it stores them: queues on a network card that is not virtio, pins of
    vCPUs that the guest does not have, hugepages for cells of a guest without cells. The configuration alone shows
    it. What libvirt has stored already lacks them, so this speaks mostly of an XML that is still to be defined.

Why it hurts
    The define succeeds, nothing is said, and the setting is not there. People believe that it works.

What to do
    Define with ``virsh define --validate``, and look at what libvirt gives back. Take out or put right what it
    cannot use. kvmnb itself validates, and compares what it reads back.

Leave it when
    The XML is for another libvirt that knows these.

Cost
    Nothing changes by taking out what is dropped anyway. Durability: none. Migration: none. Security: a label that is
    dropped protects nobody.

Look by hand
    ``virt-xml-validate GUEST.xml domain``; ``diff <(cat GUEST.xml) <(virsh dumpxml --inactive GUEST)``.

Measure it
    The difference is empty.

Sources
    * libvirt API, virDomainDefineXMLFlags (VIR_DOMAIN_DEFINE_VALIDATE)
    * libvirt source, src/qemu/qemu_domain.c
"""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.advise.finding import Effect, Safety, Seen, Severity
from kvmnb.advise.rule import ALL_GOALS, Rule
from kvmnb.advise.view import View
from kvmnb.core.cpuset import CpuSet
from kvmnb.facts.domain import Configuration, Domain
from kvmnb.tunable.spelling import shell_word

RULE = Rule(
    id="dom.schema_drop",
    severity=Severity.HIGH,
    goals=ALL_GOALS,
    basis="tested",
    effect=Effect.INDIRECT,
    effect_basis="tested: what is written is what is stored",
)


@RULE.domain
def check(domain: Domain, view: View) -> Iterator[Seen]:
    """One finding for all that is dropped."""
    wanted = domain.wanted
    if wanted.virt_type not in ("kvm", "qemu"):
        return
    dropped = list(_dropped(wanted))
    if dropped:
        yield Seen(
            saw=f"{'; '.join(dropped)} (persistent XML)",
            safety=Safety.MANUAL,
            by_hand=(
                f"virsh dumpxml --inactive {shell_word(domain.name)}  # what libvirt kept of it",
                "virsh define --validate GUEST.xml",
            ),
        )


def _dropped(wanted: Configuration) -> Iterator[str]:
    for one in wanted.devices.interfaces:
        if one.queues is not None and one.model is not None and not one.model.startswith("virtio"):
            yield f"queues of the network card {one.mac or one.target or ''} mean nothing to a {one.model}"
    absent = CpuSet(pin.vcpu for pin in wanted.vcpu_pins if pin.vcpu >= wanted.vcpus)
    if absent:
        yield f"vcpupin names vCPUs {absent}, and the guest has {wanted.vcpus}"
    cells = wanted.cpu.cells if wanted.cpu is not None else ()
    if wanted.memory_backing.page_cells and not cells:
        yield "memoryBacking/hugepages/page names guest cells, and the guest has none"
