"""A libvirtd of the tests' own, beside any other of the machine."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.lab import processes
from tests.lab.boot import LabError

PREFIX = "kvmnb-lab-"
RUN = "PYTEST_XDIST_TESTRUNUID"
"""The variable by which the workers of one pytest run, and what they start, know each other."""
PROGRAMS = {
    "libvirtd": "libvirt-daemon-system",
    "qemu-system-x86_64": "qemu-system-x86",
    "virsh": "libvirt-clients",
    "unshare": "util-linux",
}
"""What the lab and its tests run, and the package of Debian and Ubuntu it is in."""


def missing() -> str:
    """Say what keeps a lab from starting here; empty where nothing does."""
    if os.geteuid() != 0:
        return "the lab needs root: it makes a mount namespace and runs libvirtd in it"
    absent = {name: package for name, package in PROGRAMS.items() if not shutil.which(name, path=_path())}
    if absent:
        packages = " ".join(absent.values())
        return f"the lab needs {', '.join(absent)} (on Debian or Ubuntu: apt-get install {packages})"
    tried = subprocess.run(
        ["unshare", "--mount", "--propagation", "private", "true"],
        capture_output=True,
        text=True,
        check=False,
    )
    if tried.returncode:
        return f"the lab needs a mount namespace and this machine refuses one: {tried.stderr.strip()}"
    try:
        import libvirt  # noqa: F401
    except ImportError:
        return "the lab needs libvirt-python in this Python environment"
    return ""


class Lab:
    """One running lab: a libvirtd that knows only the guests defined in it.

    Guests' processes are ordinary processes of this machine, seen in its /proc. Everything else the daemon
    keeps lies under ``root``: ``root/run/libvirt`` is its /run/libvirt, and so on for /var/lib, /var/cache,
    /var/log and /etc.
    """

    def __init__(self) -> None:
        """Start the daemon and wait until it answers. Raises LabError where it cannot run here."""
        reason = missing()
        if reason:
            raise LabError(f"Starting the lab: {reason}.")
        for left in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
            processes.sweep(left)
        # A unix socket's path is at most 107 bytes, so the folder is not made inside a test's own.
        self.root = Path(tempfile.mkdtemp(prefix=PREFIX))
        self.tag = self.root.name.removeprefix(PREFIX)
        (self.root / "pytest-run").write_text(os.environ.get(RUN, ""))
        self.uri = f"qemu+unix:///system?socket={self.root}/sock/libvirt-sock"
        script = [sys.executable, "-m", "tests.lab.supervisor", str(self.root), str(os.getpid())]
        self._lock = threading.Lock()
        self._log = (self.root / "supervisor.log").open("w+")
        self._supervisor = subprocess.Popen(
            ["unshare", "--mount", "--propagation", "private", *script],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            cwd=Path(__file__).parents[2],
            env=os.environ | {"PATH": _path(), "LC_ALL": "C"},
            start_new_session=True,
        )
        self._expect_ready("Starting the lab")

    @property
    def pid(self) -> int:
        """The process id of libvirtd, another one after ``restart``."""
        return int((self.root / "libvirtd.pid").read_text())

    @property
    def processes(self) -> tuple[int, ...]:
        """The process ids of everything that belongs to the lab: supervisor, libvirtd, guests."""
        return tuple(sorted(processes.members(self.root)))

    def connect(self) -> Any:
        """Open a new libvirt connection; the caller closes it."""
        import libvirt

        return libvirt.open(self.uri)

    def restart(self) -> None:
        """Stop libvirtd and start it again; guests run on."""
        with self._lock:
            assert self._supervisor.stdin
            self._supervisor.stdin.write("restart\n")
            self._supervisor.stdin.flush()
            self._expect_ready("Restarting the lab's libvirtd")

    def disk(self, name: str, size_mib: int = 16) -> Path:
        """Make an empty raw disk image in the lab's folder and return its path."""
        path = self.root / f"{name}.img"
        with path.open("xb") as image:
            image.truncate(size_mib << 20)
        return path

    def stop(self) -> None:
        """End every guest and the daemon and remove the lab's folder; a second call does nothing."""
        with self._lock:
            if self._supervisor.stdin:
                with contextlib.suppress(OSError):
                    self._supervisor.stdin.close()
            try:
                self._supervisor.wait(30)
            except subprocess.TimeoutExpired:
                self._supervisor.kill()
                self._supervisor.wait()
                processes.sweep(self.root)
            if self._supervisor.stdout:
                self._supervisor.stdout.close()
            self._log.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _expect_ready(self, doing: str) -> None:
        """Wait for the supervisor's word, then for a first answer of the daemon."""
        import libvirt

        assert self._supervisor.stdout
        if self._supervisor.stdout.readline() != "ready\n":
            self._supervisor.wait()
            self._log.seek(0)
            said = self._log.read().strip()
            self._log.close()
            shutil.rmtree(self.root, ignore_errors=True)
            raise LabError(f"{doing}: {said}")
        deadline = time.monotonic() + 30
        while True:
            # The socket is there a moment before the daemon takes connections.
            try:
                connection = self.connect()
                connection.getLibVersion()
                connection.close()
                return
            except libvirt.libvirtError as error:
                if time.monotonic() > deadline:
                    self.stop()
                    raise LabError(f"{doing}: libvirtd does not answer on {self.uri}: {error}") from error
                time.sleep(0.05)


def of_this_run() -> tuple[Path, ...]:
    """The folders of the labs that this pytest run has at the moment in any of its workers."""
    run, found = os.environ.get(RUN), []
    for root in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):
            if run and (root / "pytest-run").read_text() == run:
                found.append(root)
    return tuple(found)


def foreign_qemus(*roots: Path) -> tuple[int, ...]:
    """Process ids of QEMUs on this machine that none of the labs at ``roots`` started."""
    found = [int(folder.name) for folder in Path("/proc").iterdir() if folder.name.isdecimal() and _is_qemu(folder)]
    # Asked afterwards: a guest of a lab may have started or ended meanwhile.
    own = {pid for root in roots for pid in processes.members(root)}
    return tuple(sorted(pid for pid in found if pid not in own and processes.alive(pid)))


def _is_qemu(folder: Path) -> bool:
    try:
        return (folder / "comm").read_text().startswith(("qemu-system", "qemu-kvm", "kvm\n"))
    except OSError:
        return False


def _path() -> str:
    """The search path with the folders of daemons, which an ordinary user's may lack."""
    return os.environ.get("PATH", "/usr/bin:/bin") + ":/usr/local/sbin:/usr/sbin:/sbin"
