"""dom.pending_config: what runs is not what is stored."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from kvmnb.advise.finding import Safety, Severity
from kvmnb.facts.domain import State
from kvmnb.facts.gap import changed
from tests.advise.parts import a_domain_with
from tests.builders import a_domain, a_fact, a_host, found, silent, topology

RULE = "dom.pending_config"
HOST = a_host()
DISK = (
    "<disk type='file' device='disk'><driver name='qemu' type='raw'{}/><source file='/a'{}/>"
    "<target dev='vda' bus='virtio'/>{}</disk>"
)
NIC = (
    "<interface type='network'><mac address='52:54:00:00:00:01'/><source network='default'{}/>{}"
    "<model type='virtio'/></interface>"
)


@pytest.mark.parametrize(
    ("stored", "runs", "words"),
    [
        ({"memory_gib": 8}, {"memory_gib": 4}, "memory: 8 GiB stored, 4 GiB runs"),
        ({"vcpus": 4}, {"vcpus": 2}, "vcpus: 4 stored, 2 runs"),
        ({"pins": {0: "1"}}, {"pins": {0: "2"}}, "vcpu_pin 0 cpus: 1 stored, 2 runs"),
        ({"pins": {0: "1"}}, {"pins": {}}, "vcpu_pin 0: there stored, absent runs"),
        ({"emulator": None}, {"emulator": "1"}, "emulator_pin: nothing stored, 1 runs"),
        ({"machine": "pc-q35-7.2"}, {"machine": "pc-q35-5.0"}, "machine: pc-q35-7.2 stored, pc-q35-5.0 runs"),
        ({"cpu": topology(1, 2, 1)}, {"cpu": topology(2, 1, 1)}, "cpu topology sockets: 1 stored, 2 runs"),
        (
            {"devices": DISK.format(" cache='none'", "", "")},
            {"devices": DISK.format("", "", "")},
            "disk vda cache: none",
        ),
        ({"devices": DISK.format("", "", "")}, {"devices": ""}, "disk vda: there stored, absent runs"),
        ({"devices": ""}, {"devices": NIC.format("", "")}, "interface 52:54:00:00:00:01: absent stored, there runs"),
    ],
)
@pytest.mark.parametrize("goal", ["latency", "throughput", "balanced", "density"])
def test_a_difference_is_told(stored: dict[str, Any], runs: dict[str, Any], words: str, goal: str) -> None:
    finding = found(RULE, HOST, a_domain(live=runs, **stored), goal=goal)
    assert words in finding.saw
    assert (finding.severity, finding.safety) == (Severity.MEDIUM, Safety.MANUAL)
    assert finding.by_hand[1] == "virsh start guest"


EXPANDED = (
    "<cpu mode='custom' match='exact' check='full'><model fallback='forbid'>Icelake-Server</model>"
    "<feature policy='require' name='ss'/></cpu>"
)
LIVE_NIC = NIC.format(" portid='a' bridge='virbr0'", "<target dev='vnet0'/>")
CHANNEL = "<channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'{}/></channel>"


@pytest.mark.parametrize(
    ("stored", "runs"),
    [
        ({}, {}),
        ({"cpu": "<cpu mode='host-model' check='partial'/>"}, {"cpu": EXPANDED}),
        ({"cpu": ""}, {"cpu": EXPANDED}),
        (
            {"devices": DISK.format("", "", "")},
            {
                "devices": DISK.format(
                    "", " index='1'", "<backingStore type='file'><format type='raw'/><source file='/b'/></backingStore>"
                )
            },
        ),
        ({"devices": NIC.format("", "")}, {"devices": LIVE_NIC}),
        ({"devices": CHANNEL.format("")}, {"devices": CHANNEL.format(" state='connected'")}),
        ({"vcpu_placement": "auto"}, {"vcpu_placement": "auto", "vcpu_cpuset": "0-1"}),
    ],
)
def test_what_libvirt_adds_is_no_difference(stored: dict[str, Any], runs: dict[str, Any]) -> None:
    assert silent(RULE, HOST, a_domain(live=runs, **stored))


def test_labels_partitions_and_the_balloon_are_no_difference() -> None:
    live = (
        "<resource><partition>/machine</partition></resource><currentMemory unit='KiB'>1024</currentMemory>"
        "<seclabel type='dynamic' model='dac'/>"
    )
    assert silent(RULE, HOST, a_domain_with(live=live))


def test_an_empty_drive_is_no_difference() -> None:
    drive = "<disk type='file' device='cdrom'><driver name='qemu'{}/>{}<target dev='sda' bus='sata'/></disk>"
    stored = drive.format(" type='raw'", "")
    assert silent(RULE, HOST, a_domain(devices=stored, live={"devices": drive.format("", "")}))


def test_a_shut_off_guest_has_one_configuration() -> None:
    assert silent(RULE, HOST, a_domain(running=False))


def test_many_differences_are_counted() -> None:
    guest = a_domain(vcpus=12, pins=dict.fromkeys(range(12), "1"), live={"pins": dict.fromkeys(range(12), "2")})
    assert "; and 4 more (persistent XML beside live XML)" in found(RULE, HOST, guest).saw


def test_a_saved_image_is_told() -> None:
    guest = changed(a_domain(vcpus=4, live={"vcpus": 2}), state=a_fact(State, managed_save=True))
    assert "saved image" in (found(RULE, HOST, guest).note or "")


def test_eight_differences_are_told_and_the_rest_is_counted() -> None:
    said = []
    for count in (8, 9, 10):
        stored, runs = ({number: str(cpu) for number in range(count)} for cpu in (1, 2))
        guest = a_domain(vcpus=12, pins=stored, live={"pins": runs})
        said.append(found(RULE, HOST, guest).saw)
    first = "; ".join(f"vcpu_pin {number} cpus: 1 stored, 2 runs" for number in range(8))
    where = " (persistent XML beside live XML)"
    assert said == [f"{first}{where}", f"{first}; and 1 more{where}", f"{first}; and 2 more{where}"]


def test_namesakes_are_told_apart_by_their_place() -> None:
    card = "<interface type='network'><source network='{}'/></interface>"
    stored = card.format("a") + card.format("a") + card.format("b")
    finding = found(RULE, HOST, a_domain(live={"devices": card.format("a")}, devices=stored))
    assert "(2): there stored, absent runs" in finding.saw
    assert "(3): there stored, absent runs" in finding.saw


@pytest.mark.parametrize("gone", [{"inactive": None, "persistent": False}, {"live": None}])
def test_a_guest_with_one_configuration_has_nothing_to_compare(gone: dict[str, Any]) -> None:
    assert silent(RULE, HOST, replace(a_domain(vcpus=4, live={"vcpus": 2}), **gone))
