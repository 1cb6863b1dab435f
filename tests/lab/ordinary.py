"""An ordinary user made for a test, in group libvirt, who may run one program with sudo: kvmnb-root.

All of it is removed again: the user, the line in /etc/sudoers.d, the installed program, the user's folder. What a
killed run left is removed at the next start. Nothing is mounted, and no tree is removed as a whole: files go by name.
"""

from __future__ import annotations

import contextlib
import fcntl
import grp
import os
import pwd
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.lab.daemon import Lab

REPO = Path(__file__).resolve().parents[2]
NAME = "kvmnb-test-user"
GROUP = "libvirt"
SUDOERS = Path("/etc/sudoers.d") / NAME
PREFIXES = (Path("/opt"), "kvmnb-root-test-")
FOLDERS = (Path(tempfile.gettempdir()), "kvmnb-test-user-")
LOCK = Path("/run") / f"{NAME}.lock"
PATH = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"


@dataclass(frozen=True, slots=True)
class OrdinaryUser:
    """The user, a folder of its own, and the kvmnb-root that sudo lets it run."""

    uid: int
    gid: int
    folder: Path
    program: Path
    python: str
    packages: str

    def run(self, words: Sequence[str], **variables: str) -> subprocess.CompletedProcess[str]:
        """What a program says that this user runs; its standard input is ``variables["stdin"]``."""
        given = variables.pop("stdin", "")
        environment = {
            "HOME": "/nonexistent",
            "KVMNB_ROOT": str(self.program),
            "LC_ALL": "C.UTF-8",
            "PATH": PATH,
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONPATH": f"{REPO}:{self.packages}",
            "XDG_CONFIG_HOME": str(self.folder / "config"),
            "XDG_STATE_HOME": str(self.folder / "state"),
        }
        return subprocess.run(
            [*_as_user(self.uid, self.gid), *words],
            cwd="/",
            env=environment | variables,
            input=given,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )

    def python_says(self, code: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """What a script says that this user's Python runs."""
        return self.run([self.python, "-c", code], **variables)


@contextmanager
def ordinary_user(lab: Lab) -> Iterator[OrdinaryUser]:
    """Make the user, install kvmnb-root for it, and let it use the lab's libvirt; take all back afterwards."""
    lock = os.open(LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        clear()
        absent = GROUP not in {group.gr_name for group in grp.getgrall()}
        if absent:
            _run("groupadd", "--system", GROUP)
        try:
            yield _make(lab)
        finally:
            for place in (lab.root, lab.root / "sock"):
                place.chmod(0o700)
            clear()
            if absent:
                _run("groupdel", GROUP)
    finally:
        LOCK.unlink(missing_ok=True)
        os.close(lock)


def clear() -> None:
    """Remove all that this module makes, also what a killed run left."""
    for path in (SUDOERS, SUDOERS.with_suffix(".new")):
        path.unlink(missing_ok=True)
    for prefix in PREFIXES[0].glob(f"{PREFIXES[1]}*"):
        _install(prefix, "--remove")
        with contextlib.suppress(FileNotFoundError):
            prefix.rmdir()
    for folder in FOLDERS[0].glob(f"{FOLDERS[1]}*"):
        _remove_files(folder, folder.lstat().st_dev)
    if NAME in {user.pw_name for user in pwd.getpwall()}:
        _run("userdel", NAME)


def _make(lab: Lab) -> OrdinaryUser:
    nowhere = ("--no-create-home", "--home-dir", "/nonexistent", "--shell", "/usr/sbin/nologin")
    _run("useradd", "--system", *nowhere, "--user-group", "--groups", GROUP, NAME)
    user = pwd.getpwnam(NAME)
    folder = Path(tempfile.mkdtemp(prefix=FOLDERS[1], dir=FOLDERS[0]))
    for path in (folder, folder / "state", folder / "config"):
        path.mkdir(exist_ok=True)
        os.chown(path, user.pw_uid, user.pw_gid)
    prefix = Path(tempfile.mkdtemp(prefix=PREFIXES[1], dir=PREFIXES[0]))
    prefix.chmod(0o755)
    _install(prefix)
    program = prefix / "kvmnb-root"
    # A name with a dot is no file to sudo, so a line that visudo refuses is never in force.
    new = SUDOERS.with_suffix(".new")
    new.write_text(f'{NAME} ALL=(root) NOPASSWD: {program} ""\n')
    new.chmod(0o440)
    _run("visudo", "-cf", str(new))
    new.rename(SUDOERS)
    group = grp.getgrnam(GROUP).gr_gid
    for place in (lab.root, lab.root / "sock"):
        place.chmod(0o711)
    socket = lab.root / "sock/libvirt-sock"
    os.chown(socket, 0, group)
    socket.chmod(0o770)
    made = OrdinaryUser(user.pw_uid, user.pw_gid, folder, program, _python(user), sysconfig.get_path("purelib"))
    found = made.python_says("import kvmnb, libvirt, ipywidgets")
    assert found.returncode == 0, f"the test's user cannot run kvmnb from {REPO}: {found.stderr}"
    return made


def _python(user: pwd.struct_passwd) -> str:
    """This Python where the user can run it, else the system's of the same minor version."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    for path in (sys.executable, f"/usr/bin/python{version}", f"/usr/local/bin/python{version}"):
        words = [*_as_user(user.pw_uid, user.pw_gid), path, "-c", "import encodings"]
        asked = subprocess.run(words, env={"PATH": PATH}, capture_output=True, check=False, cwd="/")
        if asked.returncode == 0:
            return path
    raise AssertionError(f"no Python {version} that an ordinary user can run was found beside {sys.executable}")


def _as_user(uid: int, gid: int) -> list[str]:
    # setpriv finds its program with root's rights still; what env finds, the user may really run.
    return ["setpriv", f"--reuid={uid}", f"--regid={gid}", "--init-groups", "env"]


def _install(prefix: Path, *words: str) -> None:
    script = str(REPO / "tools/setup/install_root.sh")
    # Its compiled packages are those of the environment that runs this test.
    _run("bash", script, *words, "--prefix", str(prefix), "--no-policy", KVMNB_VENV=sys.prefix)


def _run(*words: str, **variables: str) -> None:
    environment: Mapping[str, str] = os.environ | {"PATH": f"{os.environ.get('PATH', '')}:{PATH}"} | variables
    done = subprocess.run(list(words), env=environment, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, f"{' '.join(words)}: {done.stdout}{done.stderr}"


def _remove_files(folder: Path, device: int) -> None:
    """Remove the user's small folder, file by file; nothing on another file system is gone into."""
    for entry in list(os.scandir(folder)):
        if entry.is_dir(follow_symlinks=False):
            assert entry.stat(follow_symlinks=False).st_dev == device, f"{entry.path} is on another file system"
            _remove_files(Path(entry.path), device)
        else:
            os.unlink(entry.path)
    folder.rmdir()
