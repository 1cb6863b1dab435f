"""What holds for every placement, over hosts and guests at random."""

from __future__ import annotations

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from kvmnb.core.cpuset import CpuSet
from kvmnb.facts.domain import Domain
from kvmnb.facts.host import Host
from kvmnb.place.asks import narrow_pins
from kvmnb.place.layout import lay_out
from kvmnb.place.simple import place
from tests.builders import a_domain, a_host, topology

Scene = tuple[Host, list[Domain], frozenset[str]]


@st.composite
def hosts(draw: st.DrawFn) -> Host:
    nodes, cores, threads = draw(st.integers(1, 3)), draw(st.integers(1, 6)), draw(st.integers(1, 2))
    count = nodes * cores * threads
    some = st.sets(st.integers(0, count - 1), max_size=count // 3)
    offline = draw(some) - {0}
    return a_host(
        nodes=nodes,
        cores=cores,
        threads=threads,
        memory_gib=draw(st.sampled_from([8, 64])),
        cache_cores=draw(st.sampled_from([None, 2])),
        isolated=str(CpuSet(draw(some) - offline)),
        offline=str(CpuSet(offline)),
    )


@st.composite
def guests(draw: st.DrawFn, host: Host, name: str) -> Domain:
    threads = draw(st.integers(1, 2))
    vcpus = draw(st.integers(1, 6)) * threads
    cpu = st.integers(0, len(host.cpus)).map(str)
    pinned = draw(st.sampled_from(["none", "some", "all"]))
    pins = {vcpu: draw(cpu) for vcpu in range(vcpus) if pinned == "all" or (pinned == "some" and draw(st.booleans()))}
    return a_domain(
        name,
        vcpus=vcpus,
        pins=pins,
        memory_gib=draw(st.sampled_from([1, 6])),
        running=draw(st.booleans()),
        iothreads=draw(st.integers(0, 2)),
        emulator=draw(st.one_of(st.none(), cpu)),
        cpu=topology(1, vcpus // threads, threads),
    )


@st.composite
def scenes(draw: st.DrawFn) -> Scene:
    host = draw(hosts())
    domains = [draw(guests(host, name)) for name in draw(st.sampled_from(["", "a", "ab", "abcd"]))]
    return host, domains, frozenset(one.uuid for one in domains if draw(st.booleans()))


@given(scenes())
@settings(max_examples=150, deadline=None)
def test_what_every_placement_keeps(scene: Scene) -> None:
    host, domains, dedicated = scene
    result = place(host, domains, dedicated)
    layout = lay_out(host)
    assert set(result.guests) == {one.uuid for one in domains}
    taken: list[int] = []
    cores: list[CpuSet] = []
    for domain in domains:
        found = result.guests[domain.uuid]
        assert set(found.vcpus) in (set(), set(range(domain.wanted.vcpus))), "a guest is pinned wholly or not at all"
        assert not found.vcpus or domain.uuid in dedicated
        used = CpuSet(found.vcpus.values())
        assert used.issubset(host.online)
        assert used.isdisjoint(result.housekeeping)
        assert (used & host.isolated).issubset(
            CpuSet(cpu for pin in narrow_pins(domain.wanted).values() for cpu in layout.core_of[pin].cpus)
            if all(pin in layout.core_of for pin in narrow_pins(domain.wanted).values())
            else host.isolated
        )
        taken += found.vcpus.values()
        cores += {layout.core_of[cpu].cpus for cpu in used}
        if found.vcpus:
            assert found.nodes == layout.nodes_of(used)
    assert len(taken) == len(set(taken)), "no CPU goes to two dedicated vCPUs"
    assert len(cores) == len(set(cores)), "no core goes to two guests"
    for found in result.guests.values():
        assert found.emulator.isdisjoint(CpuSet(taken))
        assert all(cpus.isdisjoint(CpuSet(taken)) for cpus in found.iothreads.values())
    if result.fits:
        assert all(result.guests[uuid].vcpus for uuid in dedicated)


@given(scenes(), st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_the_order_of_the_guests_changes_nothing(scene: Scene, dice: Random) -> None:
    host, domains, dedicated = scene
    first = place(host, domains, dedicated)
    shuffled = list(domains)
    dice.shuffle(shuffled)
    second = place(host, shuffled, dedicated)
    assert first.guests == second.guests
    assert (first.fits, first.reason) == (second.fits, second.reason)


@given(scenes())
@settings(max_examples=60, deadline=None)
def test_a_placement_that_was_followed_stays(scene: Scene) -> None:
    host, domains, dedicated = scene
    result = place(host, domains, dedicated)
    followed = [
        a_domain(
            one.name,
            vcpus=one.wanted.vcpus,
            running=one.running,
            iothreads=one.wanted.iothreads,
            memory_gib=one.wanted.memory_bytes / 1024**3,
            pins={vcpu: str(cpu) for vcpu, cpu in result.guests[one.uuid].vcpus.items()}
            or {pin.vcpu: str(pin.cpus) for pin in one.wanted.vcpu_pins},
            cpu=topology(1, one.wanted.vcpus // _threads(one), _threads(one)),
        )
        for one in domains
    ]
    again = place(host, followed, dedicated)
    for uuid, found in result.guests.items():
        if found.vcpus:
            assert again.guests[uuid].vcpus == found.vcpus


def _threads(domain: Domain) -> int:
    assert domain.wanted.cpu is not None
    assert domain.wanted.cpu.topology is not None
    return domain.wanted.cpu.topology.threads
