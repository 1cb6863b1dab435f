"""Versions, compared by their numbers."""

from __future__ import annotations

import pytest

from kvmnb.advise.versions import at_least


@pytest.mark.parametrize(
    ("found", "needed", "enough"),
    [
        ("9.0.0", "9", True),
        ("9", "9.0.0", True),
        ("9.0.0", "9.0.1", False),
        ("10.0", "9.9", True),
        ("6.1.0-9-amd64", "6.1", True),
        ("7.2.22", "10.0", False),
        ("unknown", "1", False),
        (None, "0", False),
    ],
)
def test_numbers_decide_and_what_is_not_known_is_not_enough(found: str | None, needed: str, enough: bool) -> None:
    assert at_least(found, needed) is enough
