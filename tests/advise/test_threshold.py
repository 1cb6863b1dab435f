"""Thresholds: named, bounded, set by a person, and told."""

from __future__ import annotations

import pytest

from kvmnb.advise.folklore import myths
from kvmnb.advise.intent import Intent
from kvmnb.advise.intent_file import asked
from kvmnb.advise.registry import audit, rules, thresholds
from kvmnb.advise.threshold import HEURISTIC
from kvmnb.core.errors import KvmnbError
from tests.advise.disk.builders import a_disk
from tests.builders import a_domain, a_host, values

QUEUES = "disk.queues.max"
SIZE = thresholds()["mem.hugepages.static.large"]


def test_every_threshold_belongs_to_one_rule_and_takes_its_own_default() -> None:
    names = [one.name for rule in (*rules(), *myths()) for one in rule.thresholds]
    assert len(names) == len(set(names)) == len(thresholds()) > 30
    for one in thresholds().values():
        assert one.checked(one.default) == one.default
        assert one.checked(one.least) <= one.default <= one.checked(one.most)
        assert one.unit and one.meaning
        assert (one.basis == HEURISTIC) or not one.source.startswith("judgement"), one.name


def test_a_heuristic_rule_with_a_number_has_a_threshold() -> None:
    with_numbers = {name.rpartition(".")[0] for name in thresholds()}
    assert {"disk.queues", "mem.swap", "mem.overcommit", "net.conntrack", "net.queues", "kvm.halt_poll"} <= with_numbers


def test_a_threshold_that_a_person_set_is_judged_by_and_told() -> None:
    guest = a_domain(vcpus=6, devices=a_disk(), machine="pc-q35-5.0")
    usual, set_by = (
        audit(a_host(), [guest], asked(Intent(), "throughput", chosen), only=["disk.queues"]).findings[0]
        for chosen in (None, {QUEUES: 3})
    )
    assert list(values(usual).values()) == ["6"]
    assert usual.rests_on == ("goal throughput (asked for)",)
    assert list(values(set_by).values()) == ["3"]
    assert set_by.rests_on == (
        "goal throughput (asked for)",
        "threshold disk.queues.max is 3 (asked for; default 8)",
    )
    assert (set_by.note or "").endswith("rests on: " + ", ".join(set_by.rests_on))


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("disk.queue.max", 3, "there is no threshold 'disk.queue.max'; did you mean disk.queues.max"),
        (
            QUEUES,
            1,
            "threshold disk.queues.max is 1, and it takes a whole number of queues, from 2 to 1024 (default 8)",
        ),
        (QUEUES, 1025, "from 2 to 1024"),
        (QUEUES, 2.5, "threshold disk.queues.max is 2.5, and it takes a whole number"),
        (QUEUES, True, "takes a whole number"),
        ("mem.swap.part", "much", "threshold mem.swap.part is 'much', and it takes a number of %"),
        ("mem.swap.part", float("nan"), "threshold mem.swap.part is nan"),
        (SIZE.name, "4 GB", "or a size such as '4 GiB', from 0 bytes to 1024 TiB (default 4 GiB)"),
    ],
)
def test_what_a_threshold_cannot_take_is_refused(name: str, value: object, words: str) -> None:
    with pytest.raises(KvmnbError) as refusal:
        asked(Intent(), thresholds={name: value})
    assert words in str(refusal.value)


def test_bytes_may_be_written_as_a_size() -> None:
    assert [SIZE.checked("2 GiB"), SIZE.parsed("512MiB"), SIZE.parsed("7")] == [2 << 30, 512 << 20, 7]


def test_what_holds_this_one_time_stands_above_the_file() -> None:
    both = asked(Intent(threshold={QUEUES: 5, "disk.qcow2.chain.long": 3}), thresholds={QUEUES: 4})
    assert (dict(both.threshold), both.threshold_asked) == (
        {QUEUES: 4, "disk.qcow2.chain.long": 3},
        frozenset((QUEUES,)),
    )
