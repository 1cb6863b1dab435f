"""The network path shows each hop that the host has, and marks the one to look at first."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from kvmnb.facts.domain import Domain
from kvmnb.show.charts.hops import BRIDGE, GUEST, NIC, TAP, Path, paths
from kvmnb.show.charts.network_path import MOST_PATHS, NetworkPaths
from kvmnb.show.colours import colours
from kvmnb.verbs import Here
from tests.show.conftest import HOSTILE


@pytest.fixture(scope="module")
def found(pictured: Here) -> dict[str, list[Path]]:
    by_guest: dict[str, list[Path]] = {}
    findings = pictured.audit(rules=pictured.rules("net")).findings
    for path in paths(pictured.host, pictured.domains, findings):
        by_guest.setdefault(path.guest, []).append(path)
    return by_guest


def test_every_hop_of_a_running_guests_interface_is_there(found: dict[str, list[Path]]) -> None:
    (path,) = found["build01"]
    told = [(hop.kind, hop.name, hop.mtu, hop.queues, hop.lost, hop.odd_mtu) for hop in path.hops]
    assert told == [
        (GUEST, "vnet8", None, "1 for 40 vCPUs", None, False),
        (TAP, "vnet8", 1500, "1", 22118, False),
        (BRIDGE, "br0", 1500, "–", 0, False),
        (NIC, "ens1f0np0", 9000, "16 of 16", 88204, True),
    ]
    assert path.hops[1].does == "QEMU moves its packets"
    assert "receive ring 512 of 8192" in path.hops[3].does and "25 Gbit/s, on node 0" in path.hops[3].does


def test_the_hop_of_the_gravest_finding_is_marked_else_another_mtu_else_what_lost_most(
    found: dict[str, list[Path]],
) -> None:
    marked = {guest: [path.narrowest and path.narrowest.kind for path in each] for guest, each in found.items()}
    assert marked == {
        "build01": [TAP],
        "cache01": [NIC],
        "db01": [NIC],
        "dwh01": [None],
        "mail01": [GUEST],
        "router01": [GUEST, None],
        "web01": [NIC],
        "win10": [GUEST],
    }
    even = tuple(replace(hop, odd_mtu=False, findings=()) for hop in found["web01"][0].hops)
    lost = replace(found["web01"][0], hops=even).narrowest
    assert lost is not None and (lost.kind, lost.lost) == (NIC, 88204)


def test_a_guest_that_is_off_has_no_tap_and_one_behind_qemu_no_bridge(pictured: Here) -> None:
    off = pictured.facts().domain("dwh01")
    (path,) = paths(pictured.host, [off], ())
    assert [hop.kind for hop in path.hops] == [GUEST, BRIDGE, NIC]
    (user,) = paths(pictured.host, [_with(off, type="user", bridge=None)], ())
    assert [hop.kind for hop in user.hops] == [GUEST] and user.gap and "QEMU" in user.gap


def test_a_macvtap_goes_to_the_nic_below_it_and_not_through_a_bridge(pictured: Here) -> None:
    off = pictured.facts().domain("dwh01")
    (path,) = paths(pictured.host, [_with(off, type="direct", bridge=None, lower="ens1f1np1", mode="bridge")], ())
    assert [(hop.kind, hop.name) for hop in path.hops[1:]] == [(NIC, "ens1f1np1")]


def test_the_figure_has_a_box_for_each_hop_in_the_guests_colour(pictured: Here) -> None:
    names = [one.name for one in pictured.domains]
    chart = NetworkPaths(pictured.host, pictured.domains, (), names)
    figure = chart.figure()
    boxes = [trace for trace in figure["data"] if trace["type"] == "bar"]
    assert sum(len(trace["x"]) for trace in boxes) == sum(len(path.hops) for path in chart.paths) == 35
    fills = {fill for trace in boxes if trace["name"] == GUEST for fill in trace["marker"]["color"]}
    assert fills == {f"{colour}33" for colour in colours(names).values()}
    assert figure["layout"]["title"]["text"].endswith("?")
    assert len(chart.drawn) <= MOST_PATHS


def test_the_table_and_the_sentence_say_what_the_figure_says(pictured: Here) -> None:
    chart = pictured.paths("router01")
    assert isinstance(chart, NetworkPaths)
    assert chart.sentence() == (
        "2 interfaces: look first at router01 at the guest's NIC vnet2: The guest's NIC imitates a real card."
    )
    table = chart.table()
    assert table.count("<caption>") == 2 and table.count("▲ look here first") == 1
    assert "812402" in table and "e1000" in table


def test_hostile_names_are_text_in_figure_and_table(pictured: Here) -> None:
    guest = replace(pictured.facts().domain("dwh01"), name=HOSTILE)
    chart = NetworkPaths(pictured.host, [guest], (), [HOSTILE])
    assert "<img" not in chart.table()
    assert "<img" not in json.dumps(chart.figure())


def test_a_host_without_guests_says_so(pictured: Here) -> None:
    chart = NetworkPaths(pictured.host, (), (), ())
    assert chart.sentence() == "There is no interface to draw: no guest of this choice has one."


def _with(domain: Domain, **fields: object) -> Domain:
    """The guest with its one interface changed."""
    assert domain.inactive is not None
    devices = domain.inactive.devices
    (interface,) = devices.interfaces
    changed = replace(devices, interfaces=(replace(interface, **fields),))  # type: ignore[arg-type]
    return replace(domain, inactive=replace(domain.inactive, devices=changed))
