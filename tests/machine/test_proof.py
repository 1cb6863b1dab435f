"""A connection and this system's files are one host only where that is proved."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from kvmnb.machine.proof import why_not_this_host


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("qemu+ssh://host/system", "remote"),
        ("qemu+tls://host/system", "remote"),
        ("qemu://host/system", "remote"),
        ("test:///default", "does not run guests of this system"),
        ("xen:///system", "does not run guests of this system"),
        ("qemu+unix:///system?socket=/does/not/exist", "was not found"),
    ],
)
def test_what_is_not_proved_says_why(uri: str, said: str) -> None:
    assert said in (why_not_this_host(uri) or "")


def test_a_socket_of_a_process_of_this_system_is_proof(tmp_path: Path) -> None:
    path = tmp_path / "sock"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()
        assert why_not_this_host(f"qemu+unix:///system?socket={path}") is None
    assert "does not answer" in (why_not_this_host(f"qemu+unix:///system?socket={path}") or "")
