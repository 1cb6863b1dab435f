"""Services that set knobs by themselves, from their files and processes."""

from __future__ import annotations

from kvmnb.facts.kernel import Owner
from kvmnb.probe.reader import Reader

# The name, the names of its process (cut at 15 characters by the kernel), and where it is installed.
_SERVICES: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = (
    ("tuned", ("tuned",), ("usr/sbin/tuned", "usr/bin/tuned")),
    ("irqbalance", ("irqbalance",), ("usr/sbin/irqbalance", "usr/bin/irqbalance")),
    ("ksmtuned", ("ksmtuned",), ("usr/sbin/ksmtuned", "usr/libexec/ksmtuned")),
    ("numad", ("numad",), ("usr/bin/numad", "usr/sbin/numad")),
    ("NetworkManager", ("NetworkManager",), ("usr/sbin/NetworkManager", "usr/bin/NetworkManager")),
    ("power-profiles-daemon", ("power-profiles-",), ("usr/libexec/power-profiles-daemon",)),
)


def probe_owners(read: Reader) -> tuple[Owner, ...]:
    """Each service, installed or not."""
    running = _process_names(read)
    return tuple(
        Owner(
            name=name,
            installed=any(read.files.exists(path) for path in paths),
            running=None if running is None else not running.isdisjoint(processes),
            profile=_profile(read) if name == "tuned" else None,
        )
        for name, processes, paths in _SERVICES
    )


def _process_names(read: Reader) -> frozenset[str] | None:
    """The names of all processes; None in a recording, which holds none."""
    found = set()
    for pid in read.names("proc"):
        if pid.isdecimal():
            name = read.text(f"proc/{pid}/comm", "", None)
            if isinstance(name, str):
                found.add(name)
    return frozenset(found) or None


def _profile(read: Reader) -> str | None:
    profile = read.text("etc/tuned/active_profile", "host.kernel.owners[tuned].profile", None)
    return profile or None
