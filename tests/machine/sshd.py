"""An sshd of the tests' own on loopback, with throw-away keys, and an ``ssh`` that knows it."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import time
from pathlib import Path

DAEMON = next((path for path in ("/usr/sbin/sshd", "/usr/bin/sshd") if os.path.exists(path)), None)


def missing() -> str:
    """What keeps an sshd from starting here; empty where nothing does."""
    if DAEMON is None or not shutil.which("ssh"):
        return "there is no sshd here (on Debian or Ubuntu: apt-get install openssh-server openssh-client)"
    if os.geteuid() != 0:
        return "an sshd that lets this user in needs root"
    return ""


# What libvirt runs at the far end where a URI names a socket: it wants `-U PATH` of netcat-openbsd, no more.
RELAY = """#!/usr/bin/python3
import os, select, socket, sys
if "-U" not in sys.argv:
    sys.exit(1)
there = socket.socket(socket.AF_UNIX)
there.connect(sys.argv[sys.argv.index("-U") + 1])
while True:
    for one in select.select([0, there], [], [])[0]:
        read = os.read(0, 65536) if one == 0 else there.recv(65536)
        if not read:
            sys.exit(0)
        if one == 0:
            there.sendall(read)
        else:
            while read:
                read = read[os.write(1, read):]
"""


class Sshd:
    """One running sshd; ``wrapper`` is a folder for PATH whose ``ssh`` reads a configuration of the tests' own.

    ssh takes the user's configuration from the folder of the account, whatever HOME says, so a test cannot
    give it one but with -F.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        # sshd gives up its rights in this folder, and an init script would make it.
        self._made_run = not os.path.isdir("/run/sshd")
        os.makedirs("/run/sshd", mode=0o755, exist_ok=True)
        for name in ("host", "user"):
            self.new_key(name)
        (folder / "authorized").write_bytes((folder / "user.pub").read_bytes())
        (folder / "sshd_config").write_text(
            f"Port {self.port}\nListenAddress 127.0.0.1\nHostKey {folder}/host\nPidFile none\nUsePAM no\n"
            f"AuthorizedKeysFile {folder}/authorized\nStrictModes no\nPermitRootLogin yes\nPasswordAuthentication no\n"
            "PrintMotd no\nUseDNS no\n"
        )
        self.know((folder / "host.pub").read_text())
        self.wrapper = folder / "bin"
        self.wrapper.mkdir()
        (folder / "ssh_config").write_text(
            f"Host *\n  Port {self.port}\n  User {pwd.getpwuid(os.geteuid()).pw_name}\n  IdentityFile {folder}/user\n"
            f"  IdentitiesOnly yes\n  UserKnownHostsFile {folder}/known\n  GlobalKnownHostsFile /dev/null\n"
        )
        script = self.wrapper / "ssh"
        script.write_text(
            f'#!/bin/sh\necho "$$" >> {folder}/started\nexec {shutil.which("ssh")} -F {folder}/ssh_config "$@"\n'
        )
        script.chmod(0o755)
        self.relay = folder / "relay"
        self.relay.write_text(RELAY)
        self.relay.chmod(0o755)
        assert DAEMON is not None
        self._log = (folder / "log").open("w")
        self.process = subprocess.Popen(
            [DAEMON, "-D", "-e", "-f", str(folder / "sshd_config")], stdout=self._log, stderr=self._log
        )
        self._wait()

    @property
    def started(self) -> list[int]:
        """The numbers of the ssh processes that were started through the wrapper."""
        path = self.folder / "started"
        return [int(line) for line in path.read_text().split()] if path.exists() else []

    def new_key(self, name: str) -> None:
        """Make a key, in the place of the one that is there."""
        for path in (self.folder / name, self.folder / f"{name}.pub"):
            path.unlink(missing_ok=True)
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(self.folder / name)], check=True
        )

    def know(self, public: str) -> None:
        """Let ssh know this host key and no other."""
        key = " ".join(public.split()[:2])
        (self.folder / "known").write_text(f"[localhost]:{self.port} {key}\n[127.0.0.1]:{self.port} {key}\n")

    def sessions(self) -> list[int]:
        """The processes of this sshd's sessions."""
        found = []
        pending = [self.process.pid]
        while pending:
            parent = pending.pop()
            children = Path(f"/proc/{parent}/task/{parent}/children")
            if children.exists():
                own = [int(pid) for pid in children.read_text().split()]
                found += own
                pending += own
        return found

    def stop(self) -> None:
        """End the sshd and its sessions."""
        for pid in self.sessions():
            try:
                os.kill(pid, 18)
                os.kill(pid, 15)
            except ProcessLookupError:
                continue
        self.process.terminate()
        self.process.wait(10)
        self._log.close()
        if self._made_run:
            os.rmdir("/run/sshd")

    def _wait(self) -> None:
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            with socket.socket() as client:
                if client.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.02)
        raise AssertionError(f"the sshd did not start: {(self.folder / 'log').read_text()}")


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port
