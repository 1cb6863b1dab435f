"""Run one libvirtd in a mount namespace of its own, and leave no process of it behind.

Started by daemon.py as ``unshare --mount --propagation private python3 -m tests.lab.supervisor ROOT PARENT``.
It says "ready" when libvirtd is up, and again after each "restart" it reads on its standard input. The end of
that input, the death of process PARENT, SIGTERM, SIGINT and SIGHUP all mean the same: stop everything, remove
ROOT.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.lab.processes import alive, machine_groups, remove, remove_group

HIDDEN = ("/var/lib/libvirt", "/run/libvirt", "/var/cache/libvirt", "/var/log/libvirt", "/etc/libvirt")
"""Folders of the machine's own libvirt, each covered by a folder of the same name under ROOT."""

LIBVIRTD_CONF = """\
unix_sock_dir = "{root}/sock"
unix_sock_group = "root"
unix_sock_rw_perms = "0700"
auth_unix_ro = "none"
auth_unix_rw = "none"
log_filters = "3:object 3:event"
log_outputs = "3:file:{root}/libvirtd.log"
"""

QEMU_CONF = """\
user = "root"
group = "root"
dynamic_ownership = 0
remember_owner = 0
security_driver = "none"
stdio_handler = "file"
namespaces = []
"""

PR_SET_CHILD_SUBREAPER = 36


def _cover(root: Path) -> None:
    """Put the lab's own folders over the machine's, and hide what would tie the lab to the machine."""
    for place in HIDDEN:
        own = root / place[1:]
        own.mkdir(parents=True)
        own.parent.chmod(0o755)
        # The machine's own libvirtd makes its folders at its first start, which may not have come yet.
        if not place.startswith("/etc/"):
            os.makedirs(place, mode=0o755, exist_ok=True)
        if not os.path.isdir(place):
            raise SystemExit(f"{place} is not here: is libvirtd installed?")
    etc = root / "etc/libvirt"
    # The machine's guests, networks, pools and secrets are no part of the lab: nothing starts by itself.
    for source in Path("/etc/libvirt").iterdir():
        if source.is_file():
            shutil.copy(source, etc)
    if os.path.isdir("/etc/libvirt/nwfilter"):
        shutil.copytree("/etc/libvirt/nwfilter", etc / "nwfilter")
    (etc / "libvirtd.conf").write_text(LIBVIRTD_CONF.format(root=root))
    pages = _hugepages(root)
    (etc / "qemu.conf").write_text(f"{QEMU_CONF}hugetlbfs_mount = {json.dumps(str(pages))}\n" if pages else QEMU_CONF)
    for folder in ("empty", "sock"):
        (root / folder).mkdir()
    (root / "no-kvm").touch()
    for place in HIDDEN:
        _mount("--bind", str(root / place[1:]), place)
    # Without the system bus libvirt tells neither systemd-machined nor firewalld of the lab's guests.
    if os.path.isdir("/run/dbus"):
        _mount("--bind", str(root / "empty"), "/run/dbus")
    # Where root may open a /dev/kvm with which QEMU finds no KVM, libvirt asks QEMU for its abilities anew
    # before each answer. Root may open for writing anything but a plain file on a read-only mount.
    if os.path.exists("/dev/kvm"):
        _mount("--bind", str(root / "no-kvm"), "/dev/kvm")
        _mount("-o", "remount,bind,ro", "/dev/kvm")


def _hugepages(root: Path) -> Path | None:
    """A file system of the lab's own for hugepages of 2 MiB; None on a kernel without them."""
    if not os.path.isdir("/sys/kernel/mm/hugepages/hugepages-2048kB"):
        return None
    folder = root / "hugepages"
    folder.mkdir()
    _mount("-t", "hugetlbfs", "-o", "pagesize=2M", "hugetlbfs", str(folder))
    return folder


def _mount(*words: str) -> None:
    done = subprocess.run(["mount", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"mount {' '.join(words)}: {done.stderr.strip()}")


def _start(root: Path) -> subprocess.Popen[bytes]:
    with contextlib.suppress(FileNotFoundError):
        (root / "sock/libvirt-sock").unlink()
    command = ["libvirtd", "--config", "/etc/libvirt/libvirtd.conf", "--pid-file", str(root / "libvirtd.pid")]
    with (root / "libvirtd.out").open("ab") as out:
        daemon = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
    deadline = time.monotonic() + 30
    while not (root / "sock/libvirt-sock").exists():
        if daemon.poll() is not None or time.monotonic() > deadline:
            said = (root / "libvirtd.out").read_text(errors="replace")[-800:]
            log = root / "libvirtd.log"
            said += log.read_text(errors="replace")[-800:] if log.exists() else ""
            raise SystemExit(f"libvirtd did not come up (exit code {daemon.poll()}): {said}")
        time.sleep(0.01)
    return daemon


def _stop(daemon: subprocess.Popen[bytes]) -> None:
    daemon.terminate()
    try:
        daemon.wait(10)
    except subprocess.TimeoutExpired:
        daemon.kill()
        daemon.wait()


def _serve(root: Path, parent: int) -> None:
    """Answer commands until told to stop or until nobody is there to tell."""
    daemon = _start(root)
    print("ready", flush=True)
    poll = select.poll()
    poll.register(0, select.POLLIN | select.POLLHUP)
    poll.register(parent, select.POLLIN)
    # Orphans of the guests come to this process, as to an init. libvirt waits for a dead QEMU to be gone, so
    # each is taken at once: SIGCHLD wakes the poll.
    alarm, waker = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    poll.register(alarm, select.POLLIN)
    signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    while True:
        ready = dict(poll.poll())
        if parent in ready:
            return
        if alarm in ready:
            os.read(alarm, 4096)
            for orphan in _zombies(daemon.pid):
                os.waitpid(orphan, os.WNOHANG)
        if 0 in ready:
            if os.read(0, 64).strip() != b"restart":
                return
            _stop(daemon)
            daemon = _start(root)
            print("ready", flush=True)


def _zombies(but: int) -> list[int]:
    own = os.getpid()
    children = Path(f"/proc/{own}/task/{own}/children").read_text().split()
    return [int(child) for child in children if int(child) != but and not alive(int(child))]


def main() -> None:
    """Bring the lab up in the folder named by the first argument and serve it until its end."""
    root = Path(sys.argv[1])
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(0))
    parent = os.pidfd_open(int(sys.argv[2]))
    # Locked before it has its name: a lab that starts at the same moment would take an unlocked one for a killed lab's.
    lock = os.open(root / "lock.new", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    os.rename(root / "lock.new", root / "lock")
    before = machine_groups()
    try:
        _cover(root)
        _serve(root, parent)
    finally:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        remove(root)
        for group in machine_groups() - before:
            # The kernel refuses where another libvirt put a guest there meanwhile.
            remove_group(group)
        os.close(lock)


if __name__ == "__main__":
    main()
