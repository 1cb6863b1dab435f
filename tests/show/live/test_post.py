from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest

from kvmnb.machine.sources import recorded
from kvmnb.show.live import live_chart
from kvmnb.show.live.post import POST, Message, Post

DEMO = Path(__file__).resolve().parents[3] / "kvmnb/demo/host"


def test_what_was_put_goes_in_one_message_and_in_its_order() -> None:
    sent: list[Message] = []
    post = Post(sent.append)
    post.put("a", {"rows": 1})
    post.put("b", {"rows": 2})
    post.put("a", {"rows": 3})
    post.flush()
    post.flush()
    assert sent == [{"post": [("a", {"rows": 1}), ("b", {"rows": 2}), ("a", {"rows": 3})]}]


def test_nothing_overtakes_a_message_that_is_being_sent() -> None:
    sent: list[str] = []
    begun, go_on = threading.Event(), threading.Event()

    def carry(message: Message) -> None:
        begun.set()
        go_on.wait(10)
        sent.extend(address for address, _ in message["post"])

    post = Post(carry)
    post.put("first", {})
    slow = threading.Thread(target=post.flush)
    slow.start()
    begun.wait(10)
    post.put("second", {})
    after = threading.Thread(target=post.flush)
    after.start()
    go_on.set()
    slow.join()
    after.join()
    assert sent == ["first", "second"]


def test_the_charts_of_a_sampler_send_one_message_a_tick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KVMNB_TICK", "0.05")
    sent: list[Message] = []
    monkeypatch.setattr(POST, "_carry", sent.append)
    machine = recorded(DEMO)
    charts = [live_chart(machine, name) for name in ("db01", "web01", "mail01")]
    for chart in charts:
        chart.shown()
    sent.clear()
    ticks = charts[0].n
    asyncio.run(charts[0].wait(ticks + 6))
    told = list(sent)
    for chart in charts:
        chart.close()
    letters: list[list[Any]] = [[address for address, _ in message["post"]] for message in told]
    assert len(told) >= 5
    assert letters == [[chart._address for chart in charts]] * len(told)
