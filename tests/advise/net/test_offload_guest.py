"""net.offload.guest: offloads of a virtio NIC are switched off in the XML."""

from __future__ import annotations

import pytest

from kvmnb.advise.finding import Safety, Severity
from tests.advise.net.builders import AT, interface
from tests.builders import a_domain, a_host, found, silent, values

RULE = "net.offload.guest"
HOST = a_host()


def with_driver(inside: str, model: str = "virtio", type: str = "bridge") -> str:
    return interface(model, type=type, driver=f"name='vhost'>{inside}")


@pytest.mark.parametrize(
    "switch",
    [
        *(f"host {name}" for name in ("csum", "gso", "tso4", "tso6", "mrg_rxbuf")),
        *(f"guest {name}" for name in ("csum", "tso4", "tso6")),
    ],
)
def test_a_switch_that_is_off_is_taken_out(switch: str) -> None:
    side, name = switch.split()
    finding = found(RULE, HOST, a_domain(devices=with_driver(f"<{side} {name}='off'/>")), goal="throughput")
    assert values(finding) == {f"{AT}/driver/{side}": None}
    assert f"{side}/@{name} off" in finding.saw
    assert (finding.severity, finding.safety) == (Severity.HIGH, Safety.DISRUPTIVE)
    assert any("routes or inspects" in cost for cost in finding.costs)


def test_switches_that_are_on_stay() -> None:
    devices = with_driver("<host csum='on' gso='off' ecn='off'/><guest tso4='off' ufo='off'/>")
    finding = found(RULE, HOST, a_domain(devices=devices), goal="throughput")
    assert values(finding) == {
        f"{AT}/driver/host/@gso": None,
        f"{AT}/driver/host/@ecn": None,
        f"{AT}/driver/guest": None,
    }


@pytest.mark.parametrize(
    "inside", ["", "<host csum='on'/>", "<host ecn='off' ufo='off'/>", "<guest ecn='off' ufo='off'/>"]
)
def test_defaults_and_harmless_switches_are_left(inside: str) -> None:
    assert silent(RULE, HOST, a_domain(devices=with_driver(inside)), goal="throughput")


@pytest.mark.parametrize("goal", ["latency", "balanced", "density"])
def test_other_goals_hear_nothing(goal: str) -> None:
    assert silent(RULE, HOST, a_domain(devices=with_driver("<host gso='off'/>")), goal=goal)


def test_an_imitated_card_has_no_such_switches() -> None:
    assert silent(RULE, HOST, a_domain(devices=with_driver("<host gso='off'/>", "e1000")), goal="throughput")
