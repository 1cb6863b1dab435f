"""What is committed names no registry, no private folder and no secret."""

from __future__ import annotations

import re
import subprocess

import pytest

from tests.house.conftest import REPO

FORBIDDEN = {
    "a package registry": rb"(?i)https?://(files|registry|deb|archive|mirrors?)\.",
    "an option that names a registry": rb"--(extra-)?index-url|--find-links|--trusted-host",
    "a private folder": rb"(?<![\w.])/(root|home/(?!USER\b|jovyan\b)\w+|Users/\w+)/[\w.]",
    "a folder of a build machine": rb"(?<![\w.])/(builds|workspace|w[o]rk)/\w",
    "a private key": rb"-----BEGIN [A-Z ]*PRIVATE KEY",
}
OWN = "tests/house/test_committed_files.py"


def committed() -> list[str]:
    """The files git knows or would add."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=REPO,
        capture_output=True,
        check=False,
    )
    if listing.returncode:
        pytest.skip("this is no git work tree")
    return [name for name in listing.stdout.decode().split("\0") if name and (REPO / name).is_file()]


def traces(text: bytes) -> list[str]:
    return [kind for kind, pattern in FORBIDDEN.items() if re.search(pattern, text)]


def test_no_committed_file_holds_an_address_a_private_path_or_a_key() -> None:
    names = committed()
    assert "LICENSE" in names
    found = {name: traces((REPO / name).read_bytes()) for name in names if name != OWN}
    assert {name: kinds for name, kinds in found.items() if kinds} == {}


@pytest.mark.parametrize(
    "text",
    [
        b"https://files.example.org/packages/x",
        b"pip install --extra-index-url https://mirror/simple",
        b'"/home/anna/kvm"',
        b"see /root/.ssh",
        b"/builds/one/kvmnb",
        b"-----BEGIN RSA PRIVATE KEY-----",
    ],
)
def test_each_kind_of_trace_is_seen(text: bytes) -> None:
    assert len(traces(text)) == 1


@pytest.mark.parametrize("text", [b"devices/disk/work/x", b"hugepages at /dev/hugepages", b"~/.local/state"])
def test_ordinary_paths_are_left_alone(text: bytes) -> None:
    assert traces(text) == []


def test_nothing_built_or_cached_is_committed() -> None:
    unwanted = re.compile(r"(^|/)(\.venv|__pycache__|\.ipynb_checkpoints|dist|build)/|\.pyc$|\.egg-info/")
    assert [name for name in committed() if unwanted.search(name)] == []
