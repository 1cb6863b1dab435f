"""Thin pools as dmsetup tells of them."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from kvmnb.core.errors import NotAnswered
from kvmnb.facts.gap import Gap
from kvmnb.facts.storage import ThinPool
from kvmnb.machine.commands import Answer
from kvmnb.probe.thin_pools import QUESTION, parse_status, probe_thin_pools
from tests.advise.disk.builders import a_block, storage_host

HOST = storage_host(a_block("dm-1", type="lvm", dm_name="vg-p-tpool"))
LINE = "vg-p-tpool: 0 16384 thin-pool 1 10/40 90/100 - rw discard_passdown queue_if_no_space - 1024\n"


class Told:
    def __init__(self, answer: Answer | NotAnswered) -> None:
        self.answer = answer
        self.asked: list[tuple[str, ...]] = []

    def run(self, argv: Sequence[str], timeout: float) -> Answer:
        self.asked.append(tuple(argv))
        if isinstance(self.answer, NotAnswered):
            raise self.answer
        return self.answer


def test_a_pool_is_told_by_its_blocks() -> None:
    source = Told(Answer(0, LINE, ""))
    assert probe_thin_pools(HOST, source) == (ThinPool(name="vg-p-tpool", used_ratio=0.9, metadata_used_ratio=0.25),)
    assert source.asked == [QUESTION]


def test_a_host_without_a_pool_is_not_asked() -> None:
    source = Told(Answer(0, LINE, ""))
    assert probe_thin_pools(storage_host(), source) == ()
    assert source.asked == []


@pytest.mark.parametrize(
    "text", ["", "vg-p-tpool: 0 8 thin-pool Fail\n", "No devices found\n", "x: 0 8 thin-pool 1 1/0 1/0 - rw\n"]
)
def test_an_answer_without_numbers_tells_no_pool(text: str) -> None:
    assert parse_status(text) == ()


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Answer(1, "", "Permission denied"), "needs root: dmsetup failed with code 1"),
        (NotAnswered("dmsetup is not installed"), "dmsetup is not installed"),
    ],
)
def test_no_answer_is_a_gap(answer: Answer | NotAnswered, reason: str) -> None:
    found: object = probe_thin_pools(HOST, Told(answer))
    assert found == Gap("host.thin_pools", reason)
    unasked: object = probe_thin_pools(HOST, None)
    assert unasked == Gap("host.thin_pools", "programs are asked on this system alone")
