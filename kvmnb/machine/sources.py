"""Opening a machine: live, recorded, scratch, demo, or a bare tree."""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from kvmnb.core import codec
from kvmnb.core.errors import KvmnbError, SourceError
from kvmnb.machine.archive import open_archive
from kvmnb.machine.commands import LocalCommands, RecordedCommands
from kvmnb.machine.connection import Connection
from kvmnb.machine.files import Files, ReadOnlyFiles
from kvmnb.machine.kernel_files import KernelFiles
from kvmnb.machine.machine import Kind, Machine, state_folder
from kvmnb.machine.proof import why_not_this_host
from kvmnb.machine.recorded_files import RecordedFiles
from kvmnb.machine.recording import RecordedHypervisor, ScratchHypervisor
from kvmnb.machine.remote import Reader, RemoteFiles, Unreached, is_ssh, target_of
from kvmnb.machine.scratch_files import ScratchFiles

DEFAULT_URI = "qemu:///system"
HOST_ALONE = "kvmnb-root"
"""The origin in journals of host settings that kvmnb-root wrote."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """The word on the cover of a recorded host, ``recording.json``."""

    schema: str
    made_at: str
    kvmnb: str
    title: str
    origin: str


def live(uri: str | None = None) -> Machine:
    """The host behind a libvirt URI (default: ``$LIBVIRT_DEFAULT_URI``, else ``qemu:///system``).

    Its files are this system's, where both are proved to be one host, or over ssh those of the host that is
    named; otherwise host facts are gaps. A host that ssh does not reach has no hypervisor either: all is a gap.
    """
    chosen = uri or os.environ.get("LIBVIRT_DEFAULT_URI") or DEFAULT_URI
    if is_ssh(chosen):
        return _over_ssh(chosen)
    connection = Connection(chosen)
    gap = why_not_this_host(chosen)
    files = None if gap else Files(Path("/"))
    commands = LocalCommands() if files is not None else None
    return Machine("live", chosen, chosen, connection, files, gap, commands)


def host_alone() -> Machine:
    """This system's own settings without a hypervisor, as kvmnb-root writes them."""
    return Machine("live", "this host", HOST_ALONE, None, KernelFiles())


def reopened(kind: str, origin: str) -> Machine:
    """The machine that a plan or journal names by its kind and origin; KvmnbError where that takes no writes."""
    if kind == "demo":
        return demo()
    if kind == "scratch":
        return scratch(origin, into=origin)
    if kind == "live":
        return host_alone() if origin == HOST_ALONE else live(origin)
    raise KvmnbError(f"the plan is of a {kind} machine, which takes no writes; make one on the machine to be changed")


def recorded(folder: str | Path) -> Machine:
    """A recorded host, from its folder or its archive, which refuses every write."""
    given = root = Path(folder)
    unpacked = None
    if given.is_file():
        unpacked = open_archive(given)
        root = unpacked.recording
    cover = _cover(root)
    libvirt = root / "libvirt"
    hypervisor = RecordedHypervisor(libvirt, str(given)) if libvirt.is_dir() else None
    files = RecordedFiles(root, unpacked)
    return Machine("recorded", cover.title, str(given), hypervisor, files, commands=RecordedCommands(files))


def scratch(folder: str | Path, into: str | Path | None = None) -> Machine:
    """A copy of a recorded host that takes writes, in a new folder or in ``into``.

    ``into`` is used as it is where it holds a copy already.
    """
    target = Path(into) if into is not None else Path(tempfile.mkdtemp(prefix="kvmnb-scratch-")) / "host"
    return _scratch(Path(folder), target, "scratch")


def demo(*, reset: bool = False) -> Machine:
    """The shipped demo host: a scratch copy under the state folder that lasts between processes."""
    from kvmnb import demo as shipped

    target = state_folder() / "demo-host"
    if reset and target.exists():
        shutil.rmtree(target)
    elif target.exists() and _cover(target) != _cover(shipped.path()):
        # Another release shipped another demo host; its copy must not be judged by this one's texts.
        shutil.rmtree(target)
    return _scratch(shipped.path(), target, "demo")


def tree(root: str | Path) -> Machine:
    """A bare tree that holds ``sys/`` and ``proc/``, without libvirt."""
    folder = Path(root)
    if not (folder / "sys").is_dir() and not (folder / "proc").is_dir():
        raise SourceError(
            f"{folder} holds neither sys/ nor proc/, so it is no tree of a Linux host; name the folder above them"
        )
    return Machine("root", str(folder), str(folder), None, ReadOnlyFiles(folder))


def hypervisor_installed() -> bool:
    """Whether a libvirt daemon that drives QEMU is installed on this system, running or not."""
    search = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin", "/sbin"))
    return any(shutil.which(daemon, path=search) for daemon in ("virtqemud", "libvirtd"))


def _over_ssh(uri: str) -> Machine:
    """A remote host: its files are asked first, which takes 10 seconds at most where nobody answers."""
    reader: Reader | None = None
    try:
        target = target_of(uri)
        reader = Reader(target)
    except Unreached as problem:
        # libvirt's own transport would wait for the same host without an end, so it is not asked.
        return Machine("live", uri, uri, None, None, str(problem))
    except SourceError as problem:
        return Machine("live", uri, uri, Connection(uri), None, str(problem))
    files = RemoteFiles(reader)
    try:
        connection = Connection(uri)
        gap = files.peer_gap(target.sockets)
    except OSError as problem:
        gap = problem.strerror
    except BaseException:
        files.close()
        raise
    if gap is not None:
        files.close()
        return Machine("live", uri, uri, connection, None, gap)
    return Machine("live", uri, uri, connection, files)


def _scratch(source: Path, target: Path, kind: Kind) -> Machine:
    cover = _cover(source)
    if not target.exists():
        # Copied beside and moved, so that a kill leaves no half host behind.
        target.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(dir=target.parent, prefix=".copying-"))
        try:
            shutil.copytree(source, beside / "host", symlinks=True, copy_function=shutil.copyfile)
            os.rename(beside / "host", target)
        except FileExistsError:
            pass
        except OSError as problem:
            if not target.exists():
                raise SourceError(f"a scratch copy of {source} cannot be made in {target}: {problem}") from problem
        finally:
            shutil.rmtree(beside, ignore_errors=True)
    hypervisor = ScratchHypervisor(target / "libvirt", str(target))
    files = ScratchFiles(target)
    return Machine(kind, cover.title, str(target), hypervisor, files, commands=RecordedCommands(files))


def _cover(folder: Path) -> Recording:
    path = folder / "recording.json"
    try:
        raw = path.read_bytes()
    except OSError as problem:
        raise SourceError(
            f"{folder} is not a recorded host: {path.name} cannot be read ({problem.strerror}); "
            "make one with `kvmnb record`, or read a bare tree with --root"
        ) from problem
    try:
        cover = codec.from_json(raw, Recording, str(path))
    except KvmnbError as problem:
        raise SourceError(f"{folder} is not a recorded host: {problem}") from problem
    if cover.schema != "kvmnb.recording/1":
        raise SourceError(f"{folder} is a recording of the form {cover.schema!r}; this version reads kvmnb.recording/1")
    return cover
