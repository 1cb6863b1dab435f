"""What of this host kvmnb could write, as it is now: to tell afterwards that nothing of it was written."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from kvmnb.core.errors import Refused
from kvmnb.tunable.sysctl_allowed import ALLOWED
from kvmnb.tunable.sysfs_allowed import form_of

_SYS = Path("/sys")
_WHERE = (
    "devices/system/cpu/cpufreq/policy*/*",
    "kernel/mm/transparent_hugepage/**/*",
    "kernel/mm/ksm/*",
    "block/*/queue/*",
    "devices/system/node/node*/hugepages/*/*",
    "class/net/*/bridge/*",
    "module/kvm/parameters/*",
)
_LASTING = ("default/grub.d", "modprobe.d", "sysctl.d", "tmpfiles.d", "udev/rules.d")


def of_host() -> dict[str, str]:
    """Every setting that kvmnb may write with its value, and every file of the folders that keep settings."""
    return {str(path): text for path in _paths() if (text := _read(path)) is not None}


def differences(before: dict[str, str], after: dict[str, str]) -> dict[str, tuple[str | None, str | None]]:
    """What changed, before and after; devices that came or went meanwhile are no settings that changed."""
    paths = [path for path in sorted(before.keys() | after.keys()) if path.startswith("/etc") or path in before]
    pairs = {path: (before.get(path), after.get(path)) for path in paths if path.startswith("/etc") or path in after}
    return {path: pair for path, pair in pairs.items() if pair[0] != pair[1]}


def _paths() -> Iterator[Path]:
    for pattern in _WHERE:
        for path in _SYS.glob(pattern):
            try:
                form_of(str(path.relative_to(_SYS)))
            except Refused:
                continue
            yield path
    for key in ALLOWED:
        yield Path("/proc/sys") / key.replace(".", "/")
    for folder in _LASTING:
        yield from (Path("/etc") / folder).glob("*")


def _read(path: Path) -> str | None:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return None
