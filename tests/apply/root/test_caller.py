"""Who asks is told by sudo and pkexec, and only the applying user or root settles a plan."""

from __future__ import annotations

import pytest

from kvmnb.apply.root.caller import caller_uid, refuse_others
from kvmnb.core.errors import Refused


@pytest.mark.parametrize(
    ("environment", "uid"),
    [
        ({}, 0),
        ({"SUDO_UID": "1000"}, 1000),
        ({"PKEXEC_UID": "1000"}, 1000),
        # Under sudo a PKEXEC_UID may be the user's own word.
        ({"SUDO_UID": "1000", "PKEXEC_UID": "0"}, 1000),
        ({"SUDO_UID": "0"}, 0),
        ({"USER": "root", "LOGNAME": "root"}, 0),
    ],
)
def test_the_caller_is_the_user_whom_sudo_or_pkexec_let_through(environment: dict[str, str], uid: int) -> None:
    assert caller_uid(environment, 0) == uid


@pytest.mark.parametrize("word", ["", "-1", "root", "1000 ", "٣", "1" * 11])
def test_a_word_that_is_no_user_id_is_refused(word: str) -> None:
    with pytest.raises(Refused):
        caller_uid({"SUDO_UID": word}, 0)


def test_without_roots_rights_nothing_is_done() -> None:
    with pytest.raises(Refused, match="without root's rights"):
        caller_uid({"SUDO_UID": "0"}, 1000)


def test_only_the_applying_user_or_root_settles_a_plan() -> None:
    for owner, uid in ((1000, 1000), (1000, 0), (None, 0)):
        refuse_others(owner, uid, "a plan")
    for owner, uid in ((1000, 1001), (None, 1001), (0, 1001)):
        with pytest.raises(Refused, match="another user"):
            refuse_others(owner, uid, "a plan")
