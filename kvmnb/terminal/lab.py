"""``kvmnb lab``: the notebooks, opened in JupyterLab."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from kvmnb.core.errors import KvmnbError
from kvmnb.machine.sources import hypervisor_installed
from kvmnb.share.notebooks import shipped_notebooks

if TYPE_CHECKING:
    from kvmnb.terminal.commands import Verbs

FIRST = "00-start.ipynb"


def add(verbs: Verbs) -> None:
    """Add the verb to the parser."""
    parser = verbs.add_parser("lab", help="the notebooks, opened in JupyterLab")
    parser.add_argument(
        "dir", metavar="DIR", nargs="?", type=Path, help="where the notebooks are kept (default: ./kvmnb-notebooks)"
    )
    parser.add_argument("--demo", action="store_true", help="open the demo host")
    parser.add_argument("--no-browser", action="store_true", help="print the address and open no browser")
    parser.add_argument("--port", type=int, default=8888, help="the first port to try (default: 8888)")
    parser.add_argument("--copy-only", action="store_true", help="copy absent notebooks and stop")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Copy absent notebooks and become JupyterLab; returns only where it stops at the copies."""
    shipped = shipped_notebooks()
    folder = options.dir or (shipped if _is_checkout(shipped) else Path("kvmnb-notebooks"))
    for line in copy_absent(shipped, folder):
        print(line)
    if not options.copy_only:
        _become_jupyterlab(folder, options)
    return 0


def _become_jupyterlab(folder: Path, options: argparse.Namespace) -> NoReturn:
    environment = dict(os.environ)
    if options.demo:
        environment["KVMNB_HOST"] = "demo"
    print(_which_host(environment))
    if os.geteuid() == 0:
        print(
            "You are root, so every notebook and every program in it runs as root; "
            "an ordinary user in group libvirt is enough."
        )
    sys.stdout.flush()
    arguments = _arguments(folder, options)
    os.execvpe(arguments[0], arguments, environment)


def copy_absent(shipped: Path, folder: Path) -> list[str]:
    """Copy the notebooks that are absent in a folder, and say so; one that is there is never touched."""
    if folder.resolve() == shipped.resolve():
        return []
    said = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for source in sorted(shipped.glob("*.ipynb")):
            target = folder / source.name
            try:
                descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
            except FileExistsError:
                continue
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(source.read_bytes())
            said.append(f"copied {target}")
    except OSError as problem:
        raise KvmnbError(f"copying the notebooks to {folder}: {problem.strerror}") from problem
    return said


def _which_host(environment: dict[str, str]) -> str:
    chosen = environment.get("KVMNB_HOST", "")
    if chosen == "demo":
        return "The notebooks open the demo host."
    if chosen:
        return f"The notebooks open {chosen}."
    if not environment.get("LIBVIRT_DEFAULT_URI") and not hypervisor_installed():
        return "No hypervisor is installed here, so the notebooks open the demo host."
    return (
        f"The notebooks open {environment.get('LIBVIRT_DEFAULT_URI') or 'qemu:///system'}; with --demo, the demo host."
    )


def _arguments(folder: Path, options: argparse.Namespace) -> list[str]:
    arguments = [
        sys.executable,
        "-m",
        "jupyterlab",
        f"--ServerApp.root_dir={folder.resolve()}",
        f"--LabApp.default_url=/lab/tree/{FIRST}",
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.port={options.port}",
        # Kernels talk through files that only this user can open, not through clear-text TCP ports.
        "--KernelManager.transport=ipc",
        "--LabApp.news_url=",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        "--LabApp.extension_manager=readonly",
    ]
    if options.no_browser:
        arguments.append("--no-browser")
    if os.geteuid() == 0:
        arguments.append("--allow-root")
    return arguments


def _is_checkout(folder: Path) -> bool:
    return (folder.parent / "pyproject.toml").is_file()
