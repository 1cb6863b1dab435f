"""The files of ``sysctl.d``: the order in which a boot reads them, and what they set."""

from __future__ import annotations

from collections.abc import Callable, Iterable

# sysctl.d(5): of two files of one name the first folder's counts; all names together are read in order.
FOLDERS = ("etc/sysctl.d", "run/sysctl.d", "usr/local/lib/sysctl.d", "usr/lib/sysctl.d", "lib/sysctl.d")


def in_order(names: Callable[[str], Iterable[str]]) -> list[str]:
    """The paths of all files, first read first; ``names`` lists a folder, one that is not there as empty."""
    files: dict[str, str] = {}
    for folder in FOLDERS:
        for name in names(folder):
            if name.endswith(".conf"):
                files.setdefault(name, f"{folder}/{name}")
    # systemd reads /etc/sysctl.conf only where a link in sysctl.d names it; procps reads it last.
    return [*(files[name] for name in sorted(files)), "etc/sysctl.conf"]


def parse_settings(text: str) -> dict[str, str]:
    """Keys with dots and values of a ``sysctl.d`` file.

    >>> parse_settings("# why\\nvm.swappiness = 10\\n-net/core/rmem_max=1")
    {'vm.swappiness': '10', 'net.core.rmem_max': '1'}
    """
    found = {}
    for line in text.splitlines():
        stripped = line.strip()
        if not stripped or stripped[0] in "#;" or "=" not in stripped:
            continue
        key, _, value = stripped.removeprefix("-").partition("=")
        # In the form with slashes a dot is part of a name, as in an interface's.
        name = key.strip()
        if "/" in name:
            name = name.replace(".", "\0").replace("/", ".").replace("\0", "/")
        found[name] = " ".join(value.split())
    return found
