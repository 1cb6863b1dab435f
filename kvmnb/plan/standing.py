"""What stands around a guest that is to be changed: its owner, a job, saved states, where it may migrate to."""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.facts.domain import Configuration, Domain
from kvmnb.facts.gap import NotSeen
from kvmnb.plan.check import Check, Outcome
from kvmnb.plan.edited import EditedDomain
from kvmnb.tunable.spelling import shell_word


def standing(edited: EditedDomain) -> Iterator[Check]:
    """The checks ``owner``, ``job``, ``managed-save``, ``snapshots`` and ``migration`` of one guest."""
    for question, ask in (("owner", _owner), ("job", _state), ("migration", _migration)):
        try:
            yield from ask(edited)
        except NotSeen as unseen:
            yield Check(question, edited.domain.name, Outcome.UNKNOWN, f"This was not checked: {unseen}.")


def _owner(edited: EditedDomain) -> Iterator[Check]:
    domain = edited.domain
    owners = (*domain.owners, *((domain.cluster,) if domain.cluster is not None else ()))
    for owner in owners:
        said = (
            f"{domain.name} belongs to {owner.name}: {owner.evidence}. {owner.set_there} What is changed here may be "
            "overwritten; --override-owner changes it all the same."
        )
        yield Check("owner", domain.name, Outcome.STOPS, said)
    if not owners:
        yield Check("owner", domain.name, Outcome.PASSED, "No program was found that writes this guest's XML anew.")


def _state(edited: EditedDomain) -> Iterator[Check]:
    domain = edited.domain
    state = domain.state
    if state is None:
        yield Check("job", domain.name, Outcome.UNKNOWN, "libvirt keeps no state of this guest here.")
        return
    name = shell_word(domain.name)
    if state.job is not None:
        said = (
            f"libvirt is busy with it ({state.job}); wait until `virsh domjobinfo {name}` says that nothing is being "
            "done, and plan again."
        )
        yield Check("job", domain.name, Outcome.STOPS, said)
    else:
        yield Check("job", domain.name, Outcome.PASSED, "libvirt is doing nothing to it.")
    if state.managed_save:
        said = (
            "Its next start goes on from a saved image, which keeps the XML of then: what is changed now holds only "
            f"after a start from its disks. `virsh managedsave-remove {name}` drops the image and the guest's memory."
        )
        yield Check("managed-save", domain.name, Outcome.TOLD, said)
    if state.snapshots:
        said = (
            f"It has {state.snapshots} snapshot{'s' if state.snapshots > 1 else ''}; going back to one brings back the "
            "XML of then, and with it the untuned guest."
        )
        yield Check("snapshots", domain.name, Outcome.TOLD, said)


def _migration(edited: EditedDomain) -> Iterator[Check]:
    """What a host that the guest moves to must have, where this plan newly asks for it."""
    new = [what for what in _asked(edited.after) if what not in set(_asked(edited.before))]
    if new:
        said = f"A host that it migrates to must have too: {'; '.join(new)}."
        yield Check("migration", edited.domain.name, Outcome.TOLD, said)


def _asked(configuration: Configuration) -> Iterator[str]:
    if configuration.memory_backing.hugepages:
        yield "hugepages reserved for it"
    if configuration.vcpu_pins or configuration.emulator_pin is not None:
        yield "the CPUs that its threads are pinned to"
    if configuration.numatune is not None and configuration.numatune.nodes is not None:
        yield f"the NUMA nodes {configuration.numatune.nodes}"
    if configuration.cpu is not None and configuration.cpu.mode == "host-passthrough":
        yield "the same CPU model, microcode and kernel, since it sees the host's own CPU"
    if any(disk.cache not in (None, "none", "directsync") for disk in configuration.devices.disks):
        yield "image storage that keeps two hosts' caches as one, or a migration marked unsafe"


def owned(domain: Domain) -> bool:
    """Whether some program was found that writes this guest's XML; NotSeen where that was not read."""
    return bool(domain.owners) or domain.cluster is not None
