"""The reader: one fixed script that runs on a remote host and answers from its files, and does nothing else.

It is sent over the connection, never stored there. Requests are lines of JSON; paths are values in them.
It opens files for reading alone, has no way to write or to run anything, and needs Python 3.6 and nothing
that Python does not bring.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files

GREETING = b"kvmnb-reader-1\n"

# What the remote login shell sees: quotes of one kind, nothing put in, the same for every host.
BOOTSTRAP = (
    "exec python3 -I -c 'import sys; s = sys.stdin.buffer; "
    'exec(compile(s.read(int(s.readline())), "kvmnb-reader", "exec"))\''
)

_SCRIPT = r"""
import errno, json, os, socket, stat, struct, sys, zlib

MOST = 4 * 1024 * 1024

def place(path):
    if path.startswith("/") or "\0" in path or ".." in path.split("/"):
        raise OSError(errno.EINVAL, "not a path inside the tree")
    return "/" + path

def read(path):
    descriptor = os.open(place(path), os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    try:
        mode = os.fstat(descriptor).st_mode
        if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
            raise OSError(errno.EINVAL, "not a plain file")
        parts, total = [], 0
        while True:
            chunk = os.read(descriptor, 1024 * 1024)
            if not chunk:
                return b"".join(parts).decode("utf-8", "surrogateescape")
            parts.append(chunk)
            total += len(chunk)
            if total > MOST:
                raise OSError(errno.EFBIG, "too large")
    finally:
        os.close(descriptor)

def names(path):
    return sorted(os.listdir(place(path)))

def link(path):
    return os.readlink(place(path))

def exists(path):
    return os.path.exists(place(path))

def peer(path):
    client = socket.socket(socket.AF_UNIX)
    try:
        client.settimeout(3)
        client.connect(path)
        return struct.unpack("3i", client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0]
    finally:
        client.close()

def ethtool(listed):
    space = {"__name__": "kvmnb_ethtool"}
    exec(compile(ETHTOOL, "kvmnb-ethtool", "exec"), space)
    return space["ethtool_answers"](listed)

ONE = {"read": read, "names": names, "link": link, "exists": exists, "peer": peer}

def answer(request):
    found = {}
    for kind, call in ONE.items():
        told = found[kind] = {}
        for path in request.get(kind, ()):
            try:
                told[path] = call(path)
            except OSError as problem:
                told[path] = {"error": problem.errno or errno.EIO}
    if "ethtool" in request:
        try:
            found["ethtool"] = ethtool(request["ethtool"])
        except Exception as problem:
            found["ethtool"] = {"error": "%s: %s" % (type(problem).__name__, problem)}
    return found

def main():
    out = os.fdopen(os.dup(1), "wb")
    # What else is printed here must not stand between the answers.
    os.dup2(2, 1)
    out.write(GREETING)
    out.flush()
    for line in sys.stdin.buffer:
        packed = zlib.compress(json.dumps(answer(json.loads(line.decode("ascii")))).encode("ascii"), 1)
        out.write(b"%d\n" % len(packed))
        out.write(packed)
        out.flush()

main()
"""


@cache
def script() -> bytes:
    """The script with its length before it, as the bootstrap reads it."""
    ethtool = files("kvmnb.machine").joinpath("ethtool.py").read_text("utf-8")
    text = f"GREETING = {GREETING!r}\nETHTOOL = {json.dumps(ethtool)}\n{_SCRIPT}".encode()
    return b"%d\n%s" % (len(text), text)
