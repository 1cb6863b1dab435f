"""What libvirt changes in a definition without a word is foretold: the preflight and libvirt get the same edits."""

from __future__ import annotations

import pytest

from kvmnb.apply import landing
from kvmnb.core.xml import Path, edit
from kvmnb.machine.domain_shape import DOMAIN
from kvmnb.plan.check import Outcome
from kvmnb.plan.definition import definition, rewritten
from tests.apply.embedded import Embedded, as_planned, changed_places, foretold

GUEST = """\
<domain type='qemu'>
  <name>kept</name>
  <memory unit='KiB'>1048576</memory>
  <currentMemory unit='KiB'>1048576</currentMemory>
  <vcpu placement='{placement}'>4</vcpu>
  {tune}
  <os><type arch='x86_64' machine='pc'>hvm</type></os>
  {cpu}
  <devices>
    <emulator>/usr/bin/qemu-system-x86_64</emulator>
    <interface type='user'><target dev='t0'/><model type='{nic}'/></interface>
  </devices>
</domain>
"""
CELLS = (
    "<cpu><numa><cell id='0' cpus='0-1' memory='524288' unit='KiB'/>"
    "<cell id='1' cpus='2-3' memory='524288' unit='KiB'/></numa></cpu>"
)
PINNED = "<cputune><vcpupin vcpu='0' cpuset='0'/></cputune>"
QUEUES = "devices/interface[t0]/driver/@queues"


def guest(*, placement: str = "static", tune: str = "", cpu: str = "", nic: str = "virtio") -> str:
    return GUEST.format(placement=placement, tune=tune, cpu=cpu, nic=nic)


@pytest.mark.parametrize(
    ("before", "asked", "word"),
    [
        (guest(cpu=CELLS), ("cpu/numa/cell[1]/@memory", "1048576"), "memory becomes 1.5 GiB, the sum of"),
        (guest(cpu=CELLS), ("memory/text()", "2097152"), "memory becomes 1 GiB, the sum of"),
        (guest(), ("memory/text()", "524288"), "currentMemory becomes 512 MiB"),
        (guest(cpu=CELLS), ("cpu/numa/cell[1]/@cpus", "2"), "vCPUs 3, which no NUMA cell of the guest names"),
        (
            guest(placement="auto", tune="<numatune><memory mode='strict' placement='auto'/></numatune>"),
            ("vcpu/@cpuset", "0-1"),
            "numad is asked for them",
        ),
        (guest(tune=PINNED), ("cputune/vcpupin[7]/@cpuset", "0"), "the pin of vCPU 7 is dropped"),
        (guest(), (QUEUES, "1"), "one queue is the default"),
        (guest(nic="e1000"), (QUEUES, "4"), "only a virtio NIC has queues"),
        (guest(), (QUEUES, "4"), ""),
        (guest(cpu=CELLS), ("cputune/vcpupin[3]/@cpuset", "0"), ""),
        (guest(), ("vcpu/@cpuset", "0-1"), ""),
    ],
)
def test_the_preflight_names_the_places_that_libvirt_changes_and_no_other(
    libvirt: Embedded, before: str, asked: tuple[str, str], word: str
) -> None:
    settled = libvirt.defined(before)
    assert settled is not None, libvirt.said
    edited = edit(settled, [(Path.parse(asked[0]), asked[1])], DOMAIN)
    after = libvirt.defined(edited.text)
    assert after is not None, libvirt.said
    places = changed_places(edited, after, landing.beside(settled, edited.reversal, after))
    planned = as_planned(settled, edited.text)
    check = definition(planned)
    assert foretold({one.path for one in rewritten(planned.after)}, places)
    assert (check.outcome, bool(places)) == ((Outcome.STOPS, True) if word else (Outcome.PASSED, False))
    assert word in check.said


def test_what_the_present_xml_meets_too_is_told_and_stops_nothing() -> None:
    # libvirt's test: driver keeps what its QEMU driver would not.
    before = guest(cpu=CELLS.replace("524288", "262144"))
    assert definition(as_planned(before, before)).outcome is Outcome.TOLD
