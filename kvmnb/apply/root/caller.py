"""Who asks kvmnb-root: the user whom sudo or pkexec let through."""

from __future__ import annotations

import re
from collections.abc import Mapping

from kvmnb.core.errors import Refused

_UID = re.compile(r"[0-9]{1,10}")


def caller_uid(environment: Mapping[str, str], uid: int) -> int:
    """The asking user's id, from the environment that this process was started with.

    sudo sets SUDO_UID itself whatever its user had set, and pkexec empties the environment and sets
    PKEXEC_UID. So SUDO_UID is believed before PKEXEC_UID: under pkexec there is none, and under sudo a
    PKEXEC_UID could be the user's own. Without both, root runs the program directly.
    Raises Refused where the process is not root's, or the variable holds no number.
    """
    if uid != 0:
        raise Refused("kvmnb-root was started without root's rights; it is run by pkexec or `sudo -n`")
    told = environment.get("SUDO_UID", environment.get("PKEXEC_UID"))
    if told is None:
        return 0
    if not _UID.fullmatch(told):
        raise Refused("SUDO_UID or PKEXEC_UID holds no user id")
    return int(told)


def refuse_others(owner: int | None, uid: int, journal_id: str) -> None:
    """Raise Refused unless this user applied the plan, or is root."""
    if uid != 0 and uid != owner:
        raise Refused(f"plan {journal_id} was applied by another user (id {owner}); that user or root settles it")
