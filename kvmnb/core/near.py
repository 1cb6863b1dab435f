"""Words that are near to one that is not known."""

from __future__ import annotations

from collections.abc import Iterable


def near(word: str, known: Iterable[str], otherwise: str) -> str:
    """A question that names what may have been meant; ``otherwise`` where nothing is near.

    >>> near("disk.cahce", ["disk.cache", "net.mtu"], "`kvmnb rules` lists them")
    'did you mean disk.cache?'
    """
    import difflib

    found = difflib.get_close_matches(word, list(known), n=3)
    return f"did you mean {' or '.join(found)}?" if found else otherwise
