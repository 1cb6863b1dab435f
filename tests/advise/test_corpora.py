"""Every rule over domain XML that others wrote, and beside plain facts of the same files."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from kvmnb.advise.intent import Goal, Intent
from kvmnb.advise.registry import audit
from kvmnb.core.errors import KvmnbError
from kvmnb.facts.domain import Domain
from kvmnb.facts.gap import changed
from kvmnb.facts.host import Host
from kvmnb.facts.hypervisor import CpuMode, GuestKind, Hypervisor
from kvmnb.probe.domain import domain_of_text
from tests.advise.test_contract import agreeing, well_formed
from tests.builders import a_fact, a_host

# XML files, and those of them that are no domain XML.
ARCHIVES = {
    "libvirt-qemuxmlconf": (1066, 0),
    "projects": (55, 0),
    "users-licensed": (8, 0),
    "virt-manager": (71, 0),
}
HOST = a_host(cores=128)


def texts(corpora: Path, name: str) -> Iterator[tuple[str, str]]:
    with tarfile.open(corpora / "domain-xml" / f"{name}.tar.xz") as archive:
        for member in archive:
            if member.isfile() and member.name.endswith(".xml"):
                stream = archive.extractfile(member)
                assert stream is not None
                yield member.name, stream.read().decode(errors="replace")


def host_for(domain: Domain, host: Host = HOST) -> Host:
    """The host, with libvirt asked about this kind of guest."""
    wanted = domain.inactive
    assert wanted is not None
    modes = tuple(a_fact(CpuMode, name=name, supported=True) for name in ("host-passthrough", "maximum"))
    kind = a_fact(GuestKind, virt_type=wanted.virt_type, arch=wanted.arch or "", machine=wanted.machine or "")
    assert isinstance(host.hypervisor, Hypervisor)
    return changed(host, hypervisor=changed(host.hypervisor, guest_kinds=(changed(kind, cpu_modes=modes),)))


BOTH = (Goal.LATENCY, Goal.BALANCED)


@pytest.mark.parametrize("turns", [True, pytest.param(False, marks=pytest.mark.soak)], ids=["by turns", "both goals"])
@pytest.mark.parametrize("name", ARCHIVES)
def test_no_rule_raises_on_xml_of_others(corpora: Path, name: str, turns: bool) -> None:
    """Every file, for the two goals under which most rules speak: by turns, or each for both."""
    host = a_host(nodes=2, cores=4, threads=2)
    read = refused = 0
    for path, text in texts(corpora, name):
        read += 1
        try:
            domain = domain_of_text(text, path)
        except KvmnbError:
            refused += 1
            continue
        for goal in (BOTH[read % len(BOTH)],) if turns else BOTH:
            result = audit(host_for(domain, host), [domain], Intent(goal=goal))
            agreeing(result)
            for finding in result.findings:
                well_formed(finding)
    assert (read, refused) == ARCHIVES[name]
