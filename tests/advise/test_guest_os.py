"""A guest's word that it runs Linux is proof of virtio drivers only where that Linux has them."""

from __future__ import annotations

import pytest

from kvmnb.advise.guest_os import linux_by
from kvmnb.advise.guest_system import virtio_proof
from kvmnb.advise.intent import GuestIntent, Intent
from kvmnb.advise.view import View
from tests.builders import a_domain, a_host


@pytest.mark.parametrize(
    ("said", "proved"), [("rhel4", False), ("debian5", False), ("debian12", True), ("ubuntu24.04", True)]
)
def test_both_proofs_agree_on_systems_from_before_virtio(said: str, proved: bool) -> None:
    domain = a_domain("web")
    view = View(a_host(), [domain], Intent(guest={"web": GuestIntent(os=said)}))
    assert (linux_by(domain, view) is not None, virtio_proof(domain, view) is not None) == (proved, proved)
