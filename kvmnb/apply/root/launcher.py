"""The program file of kvmnb-root: it looks at the ground that it stands on before it imports anything of its own.

`tools/setup/install_root.sh` copies this file as it is, behind a first line that names the system's Python with
-I and -S: no user's environment, no user's packages, no current folder. It uses the standard library alone.
"""

from __future__ import annotations

import json
import os
import resource
import stat
import sys
from collections.abc import Iterator

LIBRARY = "lib"
"""The folder beside this file that holds kvmnb and what it needs."""


def faults(path: str) -> Iterator[str]:
    """What is wrong with a file or folder and every folder above it: all are root's, and writable by root alone."""
    real = os.path.realpath(path)
    while True:
        fault = _fault(real)
        if fault:
            yield fault
        if real == "/":
            return
        real = os.path.dirname(real)


def faults_below(folder: str) -> Iterator[str]:
    """What is wrong with the files and folders in a folder; a link among them is wrong."""
    for above, folders, files in os.walk(folder, onerror=_stop):
        for name in (*folders, *files):
            path = os.path.join(above, name)
            if os.path.islink(path):
                yield f"{path} is a link"
            else:
                fault = _fault(path)
                if fault:
                    yield fault


def ground(program: str, executable: str) -> Iterator[str]:
    """What is wrong with all that this program is made of: itself, its library, Python and Python's own library."""
    folder = os.path.dirname(os.path.realpath(program))
    yield from faults(os.path.realpath(program))
    yield from faults(os.path.join(folder, LIBRARY))
    yield from faults_below(os.path.join(folder, LIBRARY))
    yield from faults(executable)
    yield from faults(os.__file__)
    for path in sys.path:
        # -I and -S leave the standard library's own folders, some of which need not exist.
        if os.path.exists(path):
            yield from faults(path)


def _fault(path: str) -> str:
    found = os.lstat(path)
    if found.st_uid != 0:
        return f"{path} belongs to user {found.st_uid}, not to root"
    if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return f"{path} can be written by others than root"
    return ""


def _lift_limits() -> None:
    """Put back the limits that a caller may have set, so that no write and no journal line is cut short."""
    for limit in (resource.RLIMIT_FSIZE, resource.RLIMIT_CPU, resource.RLIMIT_AS, resource.RLIMIT_DATA):
        resource.setrlimit(limit, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    resource.setrlimit(resource.RLIMIT_NOFILE, (1024, 4096))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _stop(problem: OSError) -> None:
    raise problem


def main() -> int:
    """Check, clear the environment, and hand over; 2 where the ground is not fit."""
    environment = dict(os.environ)
    os.environ.clear()
    os.umask(0o022)
    os.chdir("/")
    sys.dont_write_bytecode = True
    _lift_limits()
    try:
        wrong = [] if sys.flags.isolated else ["Python runs without -I"]
        wrong += ground(__file__, sys.executable)
    except OSError as problem:
        wrong = [str(problem)]
    if wrong:
        said = f"kvmnb-root does not run here: {wrong[0]}; install it anew with `make install-root`"
        sys.stdout.write(json.dumps({"schema": "kvmnb.root/1", "ok": False, "error": "Refused", "said": said}) + "\n")
        return 2
    folder = os.path.dirname(os.path.realpath(__file__))
    sys.path.insert(0, os.path.join(folder, LIBRARY))
    from kvmnb.apply.root.main import main as serve

    return serve(environment, [os.path.basename(__file__), *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
