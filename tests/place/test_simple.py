"""The placement of single guests and of guests together."""

from __future__ import annotations

from kvmnb.core.cpuset import CpuSet
from kvmnb.facts.domain import Domain
from kvmnb.facts.host import Host
from kvmnb.place.placement import GuestPlace, Placement
from kvmnb.place.simple import place
from tests.builders import a_domain, a_host, bound_to, cells, topology


def placed(host: Host, *domains: Domain, shared: tuple[str, ...] = ()) -> Placement:
    return place(host, domains, frozenset(one.uuid for one in domains if one.name not in shared))


def cpus(one: GuestPlace) -> list[int]:
    return [one.vcpus[vcpu] for vcpu in sorted(one.vcpus)]


def place_of(host: Host, domain: Domain, *others: Domain, shared: tuple[str, ...] = ()) -> GuestPlace:
    return placed(host, domain, *others, shared=shared).guests[domain.uuid]


def test_one_vcpu_on_a_host_of_two_cpus_gets_the_second_one() -> None:
    found = place_of(a_host(cores=2), a_domain(vcpus=1))
    assert found.vcpus == {0: 1}
    assert str(found.emulator) == "0"


def test_two_vcpus_on_a_host_of_two_cpus_are_not_pinned() -> None:
    result = placed(a_host(cores=2), a_domain(vcpus=2))
    assert not result.fits
    (found,) = result.guests.values()
    assert found.vcpus == {}
    assert "2 vCPUs of 1 dedicated guests need 2 physical cores, and 1 are there" in found.reason


def test_a_host_of_one_cpu_pins_nothing() -> None:
    assert place_of(a_host(cores=1), a_domain(vcpus=1)).vcpus == {}


def test_without_guest_threads_each_vcpu_has_a_core() -> None:
    assert cpus(place_of(a_host(cores=5, threads=2), a_domain(vcpus=4))) == [1, 2, 3, 4]


def test_with_guest_threads_vcpus_2k_and_2k_plus_1_are_siblings() -> None:
    found = place_of(a_host(cores=5, threads=2), a_domain(vcpus=4, cpu=topology(1, 2, 2)))
    assert cpus(found) == [1, 6, 2, 7]


def test_guest_threads_that_the_host_has_not_count_as_cores() -> None:
    assert cpus(place_of(a_host(cores=5), a_domain(vcpus=4, cpu=topology(1, 2, 2)))) == [1, 2, 3, 4]


def test_enough_threads_but_too_few_cores_pin_nobody() -> None:
    result = placed(a_host(cores=4, threads=2), a_domain(vcpus=4))
    assert not result.fits
    assert "need 4 physical cores, and 3 are there" in result.reason


def test_good_pins_stay() -> None:
    found = place_of(a_host(cores=8), a_domain(vcpus=2, pins={0: "6", 1: "3"}))
    assert found.vcpus == {0: 6, 1: 3}
    assert "good and stay" in found.reason


def test_a_pin_on_the_hosts_own_core_moves_and_the_other_stays() -> None:
    assert place_of(a_host(cores=8), a_domain(vcpus=2, pins={0: "0", 1: "5"})).vcpus == {0: 1, 1: 5}


def test_a_pin_on_an_offline_cpu_moves() -> None:
    assert place_of(a_host(cores=8, offline="3"), a_domain(vcpus=2, pins={0: "3", 1: "5"})).vcpus == {0: 1, 1: 5}


def test_of_two_guests_on_one_cpu_the_larger_one_stays() -> None:
    large = a_domain("large", vcpus=3, pins={0: "1", 1: "2", 2: "3"})
    small = a_domain("small", vcpus=2, pins={0: "3", 1: "4"})
    result = placed(a_host(cores=8), small, large)
    assert result.guests[large.uuid].vcpus == {0: 1, 1: 2, 2: 3}
    assert result.guests[small.uuid].vcpus == {0: 5, 1: 4}


def test_of_two_guests_on_one_core_the_running_one_stays() -> None:
    runs = a_domain("b", vcpus=1, pins={0: "2"})
    rests = a_domain("a", vcpus=1, pins={0: "10"}, running=False)
    result = placed(a_host(cores=8, threads=2), rests, runs)
    assert result.guests[runs.uuid].vcpus == {0: 2}
    assert result.guests[rests.uuid].vcpus == {0: 1}


def test_pins_on_both_threads_of_a_core_are_not_good_without_guest_threads() -> None:
    assert cpus(place_of(a_host(cores=4, threads=2), a_domain(vcpus=2, pins={0: "1", 1: "5"}))) == [1, 2]


def test_pins_of_a_guest_core_on_two_cores_are_not_good() -> None:
    guest = a_domain(vcpus=4, pins={0: "1", 1: "2", 2: "5", 3: "6"}, cpu=topology(1, 2, 2))
    assert cpus(place_of(a_host(cores=4, threads=2), guest)) == [1, 5, 2, 6]


def test_sibling_pins_in_any_order_are_good() -> None:
    guest = a_domain(vcpus=2, pins={0: "5", 1: "1"}, cpu=topology(1, 1, 2))
    assert place_of(a_host(cores=4, threads=2), guest).vcpus == {0: 5, 1: 1}


def test_pins_over_two_nodes_move_to_one() -> None:
    found = place_of(a_host(nodes=2, cores=4), a_domain(vcpus=2, pins={0: "1", 1: "5"}))
    assert str(found.nodes) in {"0", "1"}


def test_isolated_cpus_are_left_alone() -> None:
    assert cpus(place_of(a_host(cores=6, isolated="1-3"), a_domain(vcpus=2))) == [4, 5]


def test_a_guest_that_is_pinned_to_isolated_cpus_stays_there() -> None:
    found = place_of(a_host(cores=6, isolated="1-3"), a_domain(vcpus=2, pins={0: "2", 1: "3"}))
    assert cpus(found) == [2, 3]


def test_isolated_cpus_are_named_where_the_others_do_not_suffice() -> None:
    assert "3 of them are isolated" in placed(a_host(cores=6, isolated="1-3"), a_domain(vcpus=4)).reason


def test_performance_cores_come_first_and_types_are_not_mixed() -> None:
    host = a_host(cores=10, efficiency="4-9")
    first, second = a_domain("first", vcpus=3), a_domain("second", vcpus=4)
    result = placed(host, first, second)
    assert cpus(result.guests[second.uuid]) == [4, 5, 6, 7]
    assert cpus(result.guests[first.uuid]) == [1, 2, 3]


def test_types_are_mixed_where_no_one_type_has_enough() -> None:
    assert cpus(place_of(a_host(cores=8, efficiency="5-7"), a_domain(vcpus=6))) == [1, 2, 3, 4, 5, 6]


def test_a_guest_stays_within_one_last_level_cache() -> None:
    assert cpus(place_of(a_host(cores=12, cache_cores=4), a_domain(vcpus=4))) == [4, 5, 6, 7]


def test_the_cache_with_the_least_left_over_is_taken() -> None:
    assert cpus(place_of(a_host(cores=12, cache_cores=4), a_domain(vcpus=2))) == [1, 2]


def test_a_guest_goes_to_the_node_of_its_memory() -> None:
    found = place_of(a_host(nodes=2, cores=4), a_domain(vcpus=2, numatune=bound_to("1")))
    assert str(found.nodes) == "1"


def test_a_guest_goes_where_its_memory_fits() -> None:
    host = a_host(nodes=2, cores=8, memory_gib=32)
    large, small = a_domain("large", vcpus=3, memory_gib=24), a_domain("small", vcpus=2, memory_gib=16)
    result = placed(host, large, small)
    assert [str(result.guests[one.uuid].nodes) for one in (large, small)] == ["0", "1"]


def test_a_guest_larger_than_a_node_is_spread_evenly() -> None:
    found = place_of(a_host(nodes=2, cores=4), a_domain(vcpus=6))
    assert cpus(found) == [1, 2, 3, 5, 6, 7]
    assert str(found.nodes) == "0-1"


def test_memory_larger_than_a_node_spreads_the_guest() -> None:
    assert str(place_of(a_host(nodes=2, cores=8, memory_gib=16), a_domain(vcpus=4, memory_gib=20)).nodes) == "0-1"


def test_each_guest_cell_stays_on_one_node() -> None:
    guest = a_domain(vcpus=6, cpu=cells(("0,2,4", 4), ("1,3,5", 4)), memory_gib=8)
    found = place_of(a_host(nodes=2, cores=4), guest)
    node = {vcpu: cpu // 4 for vcpu, cpu in found.vcpus.items()}
    assert node == {0: 0, 2: 0, 4: 0, 1: 1, 3: 1, 5: 1}


def test_cells_that_are_bound_to_nodes_decide() -> None:
    bound = "".join(f"<memnode cellid='{cell}' mode='strict' nodeset='{1 - cell}'/>" for cell in (0, 1))
    tune = f"<numatune>{bound}</numatune>"
    guest = a_domain(vcpus=2, cpu=cells(("0", 2), ("1", 2)), numatune=tune)
    found = place_of(a_host(nodes=2, cores=4), guest)
    assert {vcpu: cpu // 4 for vcpu, cpu in found.vcpus.items()} == {0: 1, 1: 0}


def test_of_more_guests_than_there_is_room_for_the_running_ones_are_pinned() -> None:
    runs, rests = a_domain("runs", vcpus=2), a_domain("rests", vcpus=3, running=False)
    result = placed(a_host(cores=5), runs, rests)
    assert not result.fits
    assert result.guests[rests.uuid].vcpus == {}
    assert cpus(result.guests[runs.uuid]) == [1, 2]


def test_of_more_running_guests_than_there_is_room_for_only_pinned_ones_are_pinned() -> None:
    pinned = a_domain("pinned", vcpus=2, pins={0: "0", 1: "1"})
    result = placed(a_host(cores=4), pinned, a_domain("other", vcpus=3))
    assert cpus(result.guests[pinned.uuid]) == [2, 1]


def test_no_cpu_of_a_guest_that_stays_out_is_given_away() -> None:
    partly = a_domain("partly", vcpus=2, pins={0: "1"})
    guest = a_domain("guest", vcpus=2)
    assert cpus(place_of(a_host(cores=4), guest, partly, shared=("partly",))) == [2, 3]


def test_a_cpu_that_another_guest_has_still_to_leave_is_taken_last() -> None:
    leaving = a_domain("a", vcpus=1, pins={0: "0"})
    staying = a_domain("b", vcpus=3, pins={0: "0", 1: "1", 2: "2"})
    result = placed(a_host(cores=8), leaving, staying)
    assert cpus(result.guests[staying.uuid]) == [3, 1, 2]


def test_an_emulator_pin_that_is_good_stays() -> None:
    guest = a_domain(vcpus=1, pins={0: "3"}, emulator="5")
    assert str(place_of(a_host(cores=8), guest).emulator) == "5"


def test_an_emulator_pin_on_a_dedicated_cpu_goes_to_the_hosts_own() -> None:
    guest = a_domain(vcpus=1, pins={0: "3"}, emulator="3-4")
    assert str(place_of(a_host(cores=8, threads=2), guest).emulator) == "0,8"


def test_the_emulator_reaches_every_node_of_the_guest() -> None:
    guest = a_domain(vcpus=6, emulator="0", pins={0: "1"})
    assert str(place_of(a_host(nodes=2, cores=4), guest).emulator) == "0,4"


def test_each_iothread_gets_a_cpu_of_the_hosts_own() -> None:
    found = place_of(a_host(nodes=2, cores=4, threads=2), a_domain(vcpus=2, iothreads=3))
    assert {number: str(one) for number, one in found.iothreads.items()} == {1: "8", 2: "0", 3: "8"}


def test_an_iothread_pin_that_is_good_stays() -> None:
    guest = a_domain(vcpus=1, pins={0: "3"}, iothreads=1, iothread_pins={1: "5-6"})
    assert str(place_of(a_host(cores=8), guest).iothreads[1]) == "5-6"


def test_an_iothread_pin_on_another_node_moves() -> None:
    guest = a_domain(vcpus=1, pins={0: "2"}, iothreads=1, iothread_pins={1: "6"})
    assert str(place_of(a_host(nodes=2, cores=4), guest).iothreads[1]) == "0"


def test_guests_that_share_are_spread_by_their_vcpus() -> None:
    guests = [a_domain(name, vcpus=2) for name in "abcd"]
    result = placed(a_host(nodes=2, cores=8), *guests, shared=tuple("abcd"))
    assert [str(result.guests[one.uuid].nodes) for one in guests] == ["0", "1", "0", "1"]


def test_a_guest_that_shares_stays_on_its_node() -> None:
    guest = a_domain(vcpus=2, vcpu_cpuset="8-15")
    assert str(place_of(a_host(nodes=2, cores=8), guest, shared=("guest",)).nodes) == "1"


def test_a_guest_that_shares_and_fits_no_node_spans_all() -> None:
    assert str(place_of(a_host(nodes=2, cores=4), a_domain(vcpus=5), shared=("guest",)).nodes) == ""


def test_guests_that_share_are_kept_off_dedicated_cores_while_there_is_room() -> None:
    own, rest = a_domain("own", vcpus=2), a_domain("rest", vcpus=2)
    found = placed(a_host(cores=8, threads=2), own, rest, shared=("rest",))
    assert found.guests[own.uuid].vcpus == {0: 1, 1: 2}
    assert str(found.guests[rest.uuid].cpus) == "3-7,11-15"


def test_guests_that_share_use_idle_siblings_before_they_are_crowded() -> None:
    own, rest = a_domain("own", vcpus=5), a_domain("rest", vcpus=4)
    found = placed(a_host(cores=8, threads=2), own, rest, shared=("rest",))
    assert str(found.guests[rest.uuid].cpus) == str(CpuSet(range(16)) - CpuSet(range(1, 6)))
