"""What a cell shows of a value."""

from __future__ import annotations

from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell

from kvmnb.core.cpuset import CpuSet
from kvmnb.core.errors import KvmnbError
from kvmnb.show.display import register
from kvmnb.verbs import Here


@pytest.fixture
def shell() -> Any:
    made = InteractiveShell()
    register(made)
    register(made)
    return made


def shown(shell: Any, value: object) -> dict[str, str]:
    data, _ = shell.display_formatter.format(value)
    return {kind: data[kind] for kind in data if kind in ("text/plain", "text/html")}


def test_every_value_of_the_verbs_is_a_card(shell: Any, shipped: Here) -> None:
    audit = shipped.audit()
    plan = shipped.plan([one for one in audit.findings if one.id == "cpu.pin.emulator"])
    journal = shipped.apply(plan)
    values = (
        shipped, shipped.facts(), shipped.host, shipped.domains[0], shipped.domains, audit, audit.findings[0],
        audit.findings[:3], plan, journal, shipped.verify(plan), shipped.journals(),
    )  # fmt: skip
    for value in values:
        found = shown(shell, value)
        assert found["text/html"].startswith('<div class="kvmnb">'), type(value)
        assert "object at 0x" not in found["text/plain"]
        assert len(found["text/plain"]) < 9000


def test_text_of_a_value_holds_no_id_and_no_time(shell: Any, shipped: Here) -> None:
    plan = shipped.plan([one for one in shipped.audit().findings if one.id == "cpu.pin.emulator"])
    journal = shipped.apply(plan)
    for value in (plan, journal, (journal,)):
        text = shown(shell, value)["text/plain"]
        assert plan.id not in text
        assert plan.made_at not in text


def test_another_tuple_looks_as_ever(shell: Any) -> None:
    assert shown(shell, (1, "a")) == {"text/plain": "(1, 'a')"}
    assert shown(shell, ()) == {"text/plain": "()"}
    assert shown(shell, (CpuSet.of(1),)) == {"text/plain": "(CpuSet.parse('1'),)"}


def test_an_error_in_a_cell_is_its_sentence_alone(shell: Any, capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        raise KvmnbError("reading it: not there; look elsewhere")

    shell.user_ns["fail"] = fail
    shell.run_cell("fail()")
    said = capsys.readouterr().out
    assert said.strip() == "KvmnbError: reading it: not there; look elsewhere"


def test_a_machine_that_cannot_be_read_says_so_in_the_place_of_its_card(shell: Any, small: Here) -> None:
    def lost(*, fresh: bool = False) -> None:
        raise KvmnbError("the connection is gone")

    small.facts = lost  # type: ignore[method-assign, assignment]
    assert "the connection is gone" in shown(shell, small)["text/html"]


def test_registering_without_a_shell_does_nothing() -> None:
    register()
