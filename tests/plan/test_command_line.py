"""QEMU's command line is shown one option a line, without the secrets that it holds, and waited for in bounded time."""

from __future__ import annotations

import threading
import time

import pytest

from kvmnb.core.errors import KvmnbError, NotAnswered
from kvmnb.machine.deadline import within
from kvmnb.plan.command_line import masked_option, option_lines


def test_each_option_stands_on_a_line_with_its_value() -> None:
    words = "-name 'guest=a b,debug-threads=on' -S -object '{\"qom-type\":\"iothread\"}'"
    command = f"LC_ALL=C HOME=/var/lib/x /usr/bin/qemu {words}"
    assert option_lines(command).splitlines() == [
        "LC_ALL=C",
        "HOME=/var/lib/x",
        "/usr/bin/qemu",
        "-name guest=a b,debug-threads=on",
        "-S",
        '-object {"qom-type":"iothread"}',
    ]


@pytest.mark.parametrize(
    ("word", "shown"),
    [
        ('{"qom-type":"secret","id":"s0","data":"c2VzYW1l"}', '{"qom-type": "secret", "id": "s0", "data": "***"}'),
        ("secret,id=s0,data=c2VzYW1l,format=base64", "secret,id=s0,data=***,format=base64"),
        ("memory-backend-memfd,id=ram", "memory-backend-memfd,id=ram"),
        ('{"secret', "***"),
    ],
)
def test_a_secret_object_is_masked(word: str, shown: str) -> None:
    assert masked_option(word) == shown


def test_a_late_answer_is_not_waited_for() -> None:
    release = threading.Event()
    began = time.monotonic()
    with pytest.raises(NotAnswered, match=r"asking: no answer within 0\.05 s"):
        within(0.05, release.wait, "asking")
    release.set()
    assert time.monotonic() - began < 5


def test_an_answer_and_a_refusal_come_through() -> None:
    def refuse() -> None:
        raise KvmnbError("no")

    assert within(5, lambda: 7, "asking") == 7
    with pytest.raises(KvmnbError, match="no"):
        within(5, refuse, "asking")
