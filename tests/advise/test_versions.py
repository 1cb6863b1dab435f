"""Versions by their numbers."""

from __future__ import annotations

import pytest

from kvmnb.advise.versions import at_least


@pytest.mark.parametrize(
    ("found", "needed", "is_so"),
    [
        ("9.0.0", "6.3", True),
        ("6.2.9", "6.3", False),
        ("10.0", "9.10.0", True),
        ("5.2", "5.2.0", True),
        (None, "0", False),
    ],
)
def test_versions_compare_by_number(found: str | None, needed: str, is_so: bool) -> None:
    assert at_least(found, needed) is is_so
