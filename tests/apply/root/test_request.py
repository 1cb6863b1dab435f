"""kvmnb-root takes plain requests for settings that it knows, and refuses everything else."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as some

from kvmnb.apply.root.request import MAX_BYTES, SCHEMA, Apply, Asked, Undo, Verify, parse
from kvmnb.apply.root.request import settings as settings_of
from kvmnb.core.errors import Refused
from kvmnb.tunable.sysctl import Sysctl
from kvmnb.tunable.sysfs import Sysfs

ID = "20260131T235959-4f1c"
KSM = "sysfs:host:kernel/mm/ksm/run"
SWAP = "sysctl:host:vm.swappiness"
SHORT, LONG = 200, 100_000


def a_change(**parts: Any) -> dict[str, Any]:
    return {"tunable": KSM, "before": "0", "after": "1"} | parts


def a_request(**parts: Any) -> dict[str, Any]:
    return {"schema": SCHEMA, "verb": "apply", "id": ID, "changes": [a_change()]} | parts


def raw(document: Any) -> bytes:
    return json.dumps(document).encode()


def take(request: bytes) -> tuple[Any, ...]:
    """What kvmnb-root reads of a request before it looks at the host."""
    read = parse(request)
    return settings_of(read.changes) if isinstance(read, Apply | Verify) else ()


def test_a_plain_request_is_read_and_its_settings_are_found() -> None:
    request = a_request(changes=[a_change(), a_change(tunable=SWAP, before="60", after="10")], confirm_within=60)
    assert parse(raw(request)) == Apply(SCHEMA, ID, (Asked(KSM, "0", "1"), Asked(SWAP, "60", "10")), 60)
    assert take(raw(request)) == (Sysfs("kernel/mm/ksm/run"), Sysctl("vm.swappiness"))
    assert parse(raw({"schema": SCHEMA, "verb": "undo", "id": ID, "only": [KSM]})) == Undo(SCHEMA, ID, (KSM,))


NESTED = b'{"schema":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
HUGE_NUMBER = b'{"schema":"kvmnb.root/1","verb":"apply","id":"x","confirm_within":' + b"9" * 5000 + b"}"
TWICE = raw(a_request()).replace(b'"id"', b'"id": "x", "id"', 1)
TWICE_INSIDE = raw(a_request()).replace(b'"after": "1"', b'"after": "0", "after": "1"', 1)

NO_REQUESTS = {
    "nothing": b"",
    "no JSON": b"apply",
    "two documents": raw(a_request()) * 2,
    "a list": raw([a_request()]),
    "UTF-16": json.dumps(a_request()).encode("utf-16"),
    "UTF-16 without a mark": json.dumps(a_request()).encode("utf-16-le"),
    "UTF-32": json.dumps(a_request()).encode("utf-32"),
    "a byte order mark": b"\xef\xbb\xbf" + raw(a_request()),
    "no UTF-8": raw(a_request())[:-1] + b'\xff"}',
    "an overlong slash": raw(a_request()).replace(b"ksm/run", b"ksm\xc0\xafrun"),
    "a NUL": raw(a_request()).replace(b"ksm", b"ks\0m"),
    "deep nesting": NESTED,
    "a huge number": HUGE_NUMBER,
    "a key twice": TWICE,
    "a key twice inside": TWICE_INSIDE,
    "too large": b" " * MAX_BYTES + raw(a_request()),
    "NaN": raw(a_request()).replace(b'"0"', b"NaN"),
}


@pytest.mark.parametrize("case", NO_REQUESTS)
def test_what_is_no_plain_json_is_refused(case: str) -> None:
    with pytest.raises(Refused):
        take(NO_REQUESTS[case])


BAD_DOCUMENTS: dict[str, dict[str, Any]] = {
    "another form": {"schema": "kvmnb.root/2"},
    "no such verb": {"verb": "run"},
    "an unknown key": {"command": "id"},
    "a diff": {"xml_diffs": {}},
    "an id that climbs": {"id": "../../etc/passwd"},
    "an id with digits of another script": {"id": "٢٠260131T235959-4f1c"},
    "an id and a line end": {"id": f"{ID}\n"},
    "a guard of no time": {"confirm_within": 0},
    "a guard of a year": {"confirm_within": 31_536_000},
    "a guard of a text": {"confirm_within": "60"},
    "an infinite guard": {"confirm_within": 1e400},
    "no change": {"changes": []},
    "too many changes": {"changes": [a_change(tunable=f"sysctl:host:vm.n{one}") for one in range(501)]},
    "changes that are a text": {"changes": "all"},
    "a change twice": {"changes": [a_change(), a_change(after="2")]},
    "a text for a file": {"changes": [a_change(text="vm.swappiness = 1\n")]},
    "a value that is a number": {"changes": [a_change(after=1)]},
    "an oversized value": {"changes": [a_change(after="1" * 100_000)]},
    "a value with a line end": {"changes": [a_change(after="1\n")]},
    "a value with a NUL": {"changes": [a_change(after="1\0")]},
    "a value in digits of another script": {"changes": [a_change(tunable=SWAP, after="٣")]},
    "a value out of range": {"changes": [a_change(tunable=SWAP, after="201")]},
    "a value of no form": {"changes": [a_change(after="1; reboot")]},
    "a lone surrogate": {"changes": [a_change(after="\ud800")]},
    "a tunable with a lone surrogate": {"changes": [a_change(tunable="sysfs:host:kernel/\udcff")]},
    "an oversized tunable": {"changes": [a_change(tunable=KSM + "/x" * 5000)]},
}
BAD_TUNABLES = (
    "sysfs:host:../etc/passwd",
    "sysfs:host:/etc/passwd",
    "sysfs:host:kernel/mm/ksm/../../../etc/shadow",
    "sysfs:host:kernel/mm/ksm/run/..",
    "sysfs:host:kernel//mm/ksm/run",
    "sysfs:host:block/../../etc/queue/scheduler",
    "sysfs:host:block/%2e%2e/queue/scheduler",
    "sysfs:host:class/net/../bridge/stp_state",
    "sysfs:host:class/net/./bridge/stp_state",
    "sysfs:host:kernel/uevent_helper",
    "sysfs:host:module/kvm/parameters/anything",
    "sysfs:guest:kernel/mm/ksm/run",
    "sysctl:host:kernel.core_pattern",
    "sysctl:host:kernel.modprobe",
    "sysctl:host:vm/swappiness",
    "sysctl:host:vm.swappiness ",
    "sysctl:host:VM.SWAPPINESS",
    "sysctl:host:",
    "domain_xml:web:vcpu/text()",
    "domain_xml:host:vcpu/text()",
    "domain_live:host:emulatorpin",
    "file:host:etc/passwd",
    "kind",
    "",
    ":::",
)


@pytest.mark.parametrize("case", BAD_DOCUMENTS)
def test_a_request_that_asks_for_anything_else_is_refused(case: str) -> None:
    document = raw(a_request(**BAD_DOCUMENTS[case])).replace(b"Infinity", b"1e400")
    with pytest.raises(Refused):
        take(document)


@pytest.mark.parametrize("tunable", BAD_TUNABLES)
def test_what_is_in_no_allow_list_is_refused(tunable: str) -> None:
    for after in ("1", "", None):
        with pytest.raises(Refused):
            take(raw(a_request(changes=[a_change(tunable=tunable, after=after)])))


@pytest.mark.parametrize("only", ["all", ["x" * 5000], ["a\n"], ["٣"], [1], ["x"] * 501])
def test_only_short_plain_names_are_taken_back(only: object) -> None:
    with pytest.raises(Refused):
        take(raw({"schema": SCHEMA, "verb": "undo", "id": ID, "only": only}))


@pytest.mark.parametrize("guests", [["not-a-uuid"], ["../1"], ["0" * 36], ["c47a0de1-29b8-4f63-a5c0-1e8b7d3f9613"] * 2])
def test_only_uuids_of_guests_are_asked_for(guests: list[str]) -> None:
    with pytest.raises(Refused):
        take(raw({"schema": SCHEMA, "verb": "verify", "guests": guests}))


TEXTS = some.text(max_size=40) | some.sampled_from([KSM, SWAP, ID, SCHEMA, "1", "../x", "\0", "\ufeff", *BAD_TUNABLES])
LEAVES = some.none() | some.booleans() | some.integers() | some.floats() | TEXTS
ANYTHING = some.recursive(LEAVES, lambda one: some.lists(one, max_size=4) | some.dictionaries(TEXTS, one, max_size=4))
KEYS = some.sampled_from(["schema", "verb", "id", "changes", "confirm_within", "guests", "take_drifted"]) | TEXTS
CHANGES = some.fixed_dictionaries(
    {"tunable": TEXTS, "before": TEXTS | some.none(), "after": TEXTS | some.none()}, optional={"text": TEXTS}
)
DOCUMENTS = (
    ANYTHING
    | some.dictionaries(KEYS, ANYTHING, max_size=7)
    | some.builds(lambda more: a_request() | more, some.dictionaries(KEYS, ANYTHING, min_size=1, max_size=3))
    | some.builds(lambda changes: a_request(changes=changes), some.lists(CHANGES, max_size=4))
)
CUT = some.builds(lambda at, byte: (at, byte), some.integers(0, 200), some.binary(min_size=1, max_size=3))
RAW = (
    some.binary(max_size=300)
    | DOCUMENTS.map(lambda one: json.dumps(one).encode())
    | CUT.map(lambda cut: raw(a_request())[: cut[0]] + cut[1] + raw(a_request())[cut[0] :])
)


def refused_or_known(request: bytes) -> None:
    """The one property: a refusal, or settings of the host that their own lists allow, spelled as they are spelled."""
    try:
        found = take(request)
    except Refused:
        return
    read = parse(request)
    for tunable, asked in zip(found, getattr(read, "changes", ()), strict=True):
        assert (str(tunable), tunable.target) == (asked.tunable, "host")
        tunable.check(asked.after)
        assert asked.tunable.isascii() and ".." not in asked.tunable


@seed(20260131)
@settings(max_examples=SHORT, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(RAW)
def test_arbitrary_input_is_refused_or_names_known_settings(request: bytes) -> None:
    refused_or_known(request)


@pytest.mark.soak
@seed(20260131)
@settings(max_examples=LONG, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(RAW)
def test_a_hundred_thousand_inputs_are_refused_or_name_known_settings(request: bytes) -> None:
    refused_or_known(request)
