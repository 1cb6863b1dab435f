"""A guard: a process outside the caller's session that takes a plan back unless it is confirmed in time.

It is up before the first write, and it holds a lock on a file beside the journal for as long as it lives, so
that anybody can see whether it does. Its time is counted on the clock that also runs while the host sleeps.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal, cast

import msgspec

from kvmnb.core import codec
from kvmnb.core.errors import KvmnbError, Refused

DEFAULT_SECONDS = 60
SHORTEST_SECONDS = 5
LONGEST_SECONDS = 3600
# A fresh Python with kvmnb's modules is up in 0.3 s; a host under load may take long.
START_SECONDS = 20.0
_PROGRAMS = "/usr/bin:/bin"

Way = Literal["system", "user", "session"]
SURVIVES: Mapping[Way, str] = {
    "system": "a transient system unit: it outlives the notebook, the session and the link",
    "user": "a transient unit of this user: it outlives the notebook and the session; "
    "the user's last logout ends it, unless lingering is enabled",
    "session": "a process with a session of its own: it outlives the terminal, the notebook and the link; "
    "the end of its container, or a logout that ends all of the user's processes, ends it too",
}
"""How a guard runs, and what that does and does not survive."""


class Guard(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the file beside a journal says of its guard."""

    pid: int
    deadline: float
    """On CLOCK_BOOTTIME, in seconds."""
    way: Way


def refuse_seconds(seconds: int) -> None:
    """Raise Refused where nobody could confirm within this time, or would still know of it; 0 is no guard."""
    if seconds and not SHORTEST_SECONDS <= seconds <= LONGEST_SECONDS:
        raise Refused(
            f"a plan is to be confirmed within {SHORTEST_SECONDS} to {LONGEST_SECONDS} seconds, not {seconds}"
        )


def way_of(word: str) -> Way:
    """The way that a guard's command line names."""
    if word not in SURVIVES:
        raise Refused(f"{word[:40]!r} is no way to run a guard")
    return cast(Way, word)


def now() -> float:
    """Seconds on the clock that guards count on: since boot, with the time that the host slept."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def guard_path(journal: Path) -> Path:
    """The file of a journal's guard, beside it."""
    return journal.with_suffix(".guard")


def start(journal: Path, seconds: int, command: Sequence[str], environment: Mapping[str, str]) -> Guard:
    """Have a guard watch this journal; it is up, and its time runs, when this returns.

    ``command`` is the guard's program; the journal's id, the deadline and the way it was started come after it.
    Raises KvmnbError where none came up, and no write may follow then.
    """
    deadline = now() + seconds
    for way in _ways():
        words = _begun_by(way, journal.stem, [*command, journal.stem, f"{deadline:.3f}", way], environment)
        try:
            subprocess.run(
                words,
                env=dict(environment),
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=START_SECONDS,
                check=True,
                start_new_session=True,
            )
        except (OSError, subprocess.SubprocessError):
            continue
        found = _awaited(journal)
        if found is not None:
            return found
    raise KvmnbError(f"the guard of plan {journal.stem} did not start; nothing was changed")


def watching(journal: Path) -> Guard | None:
    """The guard that watches a journal now; None where none does (any more)."""
    path = guard_path(journal)
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _told(path)
    finally:
        os.close(descriptor)
    return None


def deadline_of(journal: Path) -> float | None:
    """Until when a plan may be confirmed, its guard alive or not; None where it never had one."""
    try:
        told = _told(guard_path(journal))
    except FileNotFoundError:
        return None
    return None if told is None else told.deadline


@contextlib.contextmanager
def on_watch(journal: Path, deadline: float, way: Way) -> Iterator[None]:
    """Be the guard of a journal: what ``watching`` sees while the block runs."""
    path = guard_path(journal)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.ftruncate(descriptor, 0)
        os.write(descriptor, codec.to_json(Guard(os.getpid(), deadline, way)).encode())
        os.fsync(descriptor)
        yield
    finally:
        os.close(descriptor)


def _told(path: Path) -> Guard | None:
    raw = path.read_bytes()
    return codec.from_json(raw, Guard, f"the guard's file {path}") if raw else None


def _awaited(journal: Path) -> Guard | None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        found = watching(journal)
        if found is not None:
            return found
        time.sleep(0.02)
    return None


def detach() -> None:
    """Go on as a process of nobody: no parent that waits, no terminal, no session that ends."""
    if os.fork():
        os._exit(0)
    os.setsid()
    for number in (signal.SIGHUP, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)


def _ways() -> Iterator[Way]:
    """The ways that this system offers, the one that survives most first."""
    if shutil.which("systemd-run", path=_PROGRAMS) and os.path.isdir("/run/systemd/system"):
        if os.geteuid() == 0:
            if _in_the_hosts_namespaces():
                yield "system"
        elif os.path.exists(f"/run/user/{os.geteuid()}/systemd/private"):
            yield "user"
    yield "session"


def _in_the_hosts_namespaces() -> bool:
    """Whether a unit of the system would see this process's network and mounts."""
    return all(os.path.samefile(f"/proc/self/ns/{kind}", f"/proc/1/ns/{kind}") for kind in ("net", "mnt"))


def _begun_by(way: Way, journal_id: str, words: Sequence[str], environment: Mapping[str, str]) -> list[str]:
    if way == "session":
        return list(words)
    told = [f"--setenv={name}={value}" for name, value in sorted(environment.items())]
    whose = ["--user"] if way == "user" else []
    unit = ["systemd-run", *whose, "--quiet", "--collect", f"--unit=kvmnb-guard-{journal_id}", *told, "--"]
    return [*unit, *words]
