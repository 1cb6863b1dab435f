"""What the rules about memory share: names in short, and who is in charge of a setting."""

from __future__ import annotations

import pytest

from kvmnb.advise.intent import Intent
from kvmnb.advise.mem.backing import has_vfio, names_of, owner_note, running
from kvmnb.advise.view import View
from kvmnb.facts.kernel import Owner
from tests.advise.disk.builders import a_disk
from tests.advise.mem.builders import a_memory_guest, a_memory_host
from tests.builders import a_fact

NVME = "<source type='pci' managed='yes' namespace='1'><address domain='0' bus='1' slot='0' function='0'/></source>"


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (1, "'a0'"),
        (8, "'a0', 'a1', 'a2', 'a3', 'a4', 'a5', 'a6', 'a7'"),
        (9, "'a0', 'a1', 'a2', 'a3', 'a4', 'a5', 'a6', 'a7' and 1 more"),
        (10, "'a0', 'a1', 'a2', 'a3', 'a4', 'a5', 'a6', 'a7' and 2 more"),
    ],
)
def test_eight_guests_are_named_and_the_rest_is_counted(count: int, said: str) -> None:
    assert names_of(a_memory_guest(f"a{number}").domain for number in reversed(range(count))) == said


@pytest.mark.parametrize(
    ("name", "running", "profile", "said"),
    [
        ("tuned", True, None, "tuned is in charge here and may set x back: change it there"),
        ("tuned", True, "p", "tuned (profile p) is in charge here and may set x back: change it there"),
        ("tuned", False, "p", "tuned (profile p) is in charge here and may set x back: change it there"),
        ("tuned", False, None, None),
        ("ksmtuned", True, "p", None),
        ("zswap", True, "p", None),
    ],
)
def test_a_service_that_runs_or_has_a_profile_is_in_charge(
    name: str, running: bool, profile: str | None, said: str | None
) -> None:
    owner = a_fact(Owner, name=name, installed=True, running=running, profile=profile)
    assert owner_note(View(a_memory_host(owners=(owner,)), (), Intent(), None), "tuned", "x") == said


def test_a_running_guest_is_judged_by_what_runs() -> None:
    guest = a_memory_guest(memory_gib=4, live={"memory_gib": 2}).domain
    off, other = a_memory_guest("off", running=False).domain, a_memory_guest("other", virt_type="xen").domain
    view = View(a_memory_host(), (guest, off, other), Intent(), None)
    assert [(domain.name, layer.memory_bytes >> 30) for domain, layer in running(view)] == [("guest", 2)]


def test_an_nvme_disk_that_is_handed_over_reads_memory_by_itself() -> None:
    assert has_vfio(a_memory_guest(devices=a_disk(kind="nvme", source=NVME)).domain.wanted)
    assert not has_vfio(a_memory_guest(devices=a_disk()).domain.wanted)
