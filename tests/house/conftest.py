"""A copy of the setup scripts beside a pretended environment: they run in milliseconds and touch nothing."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[2]

COMMANDS = """
bash cat chmod cut dirname env expand grep id kill make mkdir mktemp mv rm sed sh sha256sum sleep sort tee
touch tr true uname
"""

# Answers as .venv/bin/python does; everything asked of pip and pytest is written to calls.
PYTHON = """#!/bin/bash
here=$(cd "$(dirname "$0")/../.." && pwd)
case "$1 $2" in
    "-m pip") echo "pip ${*:3}" >>"$here/calls" ;;
    "-m pytest") echo "pytest ${*:3}" >>"$here/calls"; source "$here/pytest.sh" ;;
    "-VV "*) echo "Python 3.11" ;;
    "-c import libvirt") [ -e "$here/has-libvirt" ] ;;
    "tools/run_notebooks.py "*) echo "notebooks $*" >>"$here/calls"; echo "2 passed in 1.00s" ;;
esac
"""


@dataclass(frozen=True, slots=True)
class Clone:
    """A folder that looks like a clone with a ready environment."""

    folder: Path
    path: str

    def bash(self, command: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-c", command],
            cwd=self.folder,
            env=self.environment(variables),
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=60,
            check=False,
        )

    def environment(self, variables: dict[str, str]) -> dict[str, str]:
        """Only these commands are found: no compiler, no hypervisor, no sudo."""
        clean = {"PATH": self.path, "KVMNB_SYSTEM_PATH": "", "HOME": str(self.folder), "LC_ALL": "C.UTF-8"}
        return clean | variables

    def calls(self) -> list[str]:
        calls = self.folder / "calls"
        return calls.read_text().splitlines() if calls.exists() else []

    def program(self, path: str, text: str) -> None:
        program = self.folder / path
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text(text)
        program.chmod(0o755)


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    """A clone with an environment that works, and a PATH that holds little more than coreutils."""
    shutil.copytree(REPO / "tools/setup", tmp_path / "tools/setup")
    for name in ("pyproject.toml", "constraints.txt", "Makefile"):
        shutil.copy(REPO / name, tmp_path / name)
    commands = tmp_path / "bin"
    commands.mkdir()
    for name in COMMANDS.split():
        found = shutil.which(name, path=f"{os.environ['PATH']}:/usr/bin:/bin")
        assert found, f"{name} is needed to test the setup scripts"
        (commands / name).symlink_to(found)
    made = Clone(tmp_path, str(commands))
    made.program(".venv/bin/python", PYTHON)
    made.program(".venv/bin/pip", f"#!{tmp_path}/.venv/bin/python\n")
    made.program(".venv/bin/kvmnb", '#!/bin/bash\necho "kvmnb $* on ${KVMNB_HOST:-this machine}"\n')
    made.program(".venv/bin/ruff", "#!/bin/bash\nexit 0\n")
    made.program(".venv/bin/mypy", "#!/bin/bash\nexit 0\n")
    made.program("pytest.sh", 'echo "3 passed, 1 skipped in 0.10s"\n')
    return made
