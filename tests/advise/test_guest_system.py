"""What somebody wrote down of a guest's system is proof of virtio drivers only for a Linux that has them."""

from __future__ import annotations

import pytest

from kvmnb.advise.guest_system import virtio_proof
from kvmnb.advise.intent import GuestIntent, Intent, Overlay
from kvmnb.advise.view import View
from tests.advise.disk.builders import DEBIAN, WINDOWS, says_os
from tests.builders import a_domain, a_host


def proof(said: str | None, os_id: str | None, windows: bool) -> str | None:
    """The proof, by what ``kvmnb.toml`` and libosinfo say; ``windows`` is the guest's overlay."""
    domain = says_os(a_domain("web"), os_id)
    overlays = frozenset([Overlay.WINDOWS] if windows else [])
    intent = Intent(guest={"web": GuestIntent(os=said, overlays=overlays)})
    return virtio_proof(domain, View(a_host(), [domain], intent))


@pytest.mark.parametrize(
    ("said", "os_id", "windows", "told"),
    [
        (None, None, False, None),
        (None, DEBIAN, False, f"libosinfo metadata says {DEBIAN}"),
        ("debian12", None, False, "os in kvmnb.toml says debian12"),
        ("debian12", WINDOWS, True, "os in kvmnb.toml says debian12"),
        ("debian4", DEBIAN, False, None),
        ("plan9", DEBIAN, False, None),
        ("Linux on Windows", None, False, None),
        (None, WINDOWS, False, None),
        (None, DEBIAN, True, None),
        ("debian" + "x" * 80, None, False, f"os in kvmnb.toml says debian{'x' * 74}"),
    ],
)
def test_a_persons_word_is_heard_before_the_metadata(
    said: str | None, os_id: str | None, windows: bool, told: str | None
) -> None:
    assert proof(said, os_id, windows) == told
