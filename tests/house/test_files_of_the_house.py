"""Makefile, README, binder/ and the scripts agree with each other."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib

import pytest
from packaging.requirements import Requirement

from tests.house.conftest import REPO, Clone

SCRIPTS = [
    *sorted((REPO / "tools/setup").glob("*.sh")),
    REPO / ".ci/run",
    REPO / "binder/postBuild",
    REPO / "binder/start",
]
MAKEFILE = (REPO / "Makefile").read_text()
README = (REPO / "README.md").read_text()


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_every_script_is_sound_bash(script: os.PathLike[str]) -> None:
    done = subprocess.run(["bash", "-n", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_what_is_run_by_name_is_executable() -> None:
    called = [*re.findall(r"tools/setup/\w+\.sh", MAKEFILE), ".ci/run", "binder/postBuild", "binder/start"]
    assert [name for name in called if not os.access(REPO / name, os.X_OK)] == []


def test_make_alone_explains_every_target() -> None:
    done = subprocess.run(["make", "-s"], cwd=REPO, capture_output=True, text=True, check=True)
    explained = [line.split()[0] for line in done.stdout.splitlines()]
    phony = re.search(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)
    assert phony and explained == phony[1].split()


def test_the_readme_names_only_targets_and_files_that_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", MAKEFILE, re.MULTILINE))
    assert {"lab", "test"} <= set(re.findall(r"`?\bmake ([a-z]+)\b`", README)) <= targets
    links = re.findall(r"\]\((\w[\w./-]*)\)", README)
    assert links and [link for link in links if not (REPO / link).exists()] == []


def test_the_readme_names_only_verbs_that_the_command_line_has() -> None:
    verbs = set(re.findall(r"^kvmnb ([a-z]+)", README, re.MULTILINE)) | set(re.findall(r"`kvmnb ([a-z]+)", README))
    command = [sys.executable, "-c", "from kvmnb.cli import main; main()", "--help"]
    told = subprocess.run(command, cwd=REPO, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stderr
    assert {"facts", "audit", "plan", "apply", "undo"} <= verbs
    assert verbs - set(re.findall(r"[a-z]+", told.stdout)) == set()


def test_continuous_integration_runs_the_readmes_test_command(clone: Clone) -> None:
    clone.program(".ci/run", (REPO / ".ci/run").read_text())
    clone.program("as/make", '#!/bin/bash\necho "make $* in $PWD with KVMNB_LAB=$KVMNB_LAB"; exit 7\n')
    done = clone.bash("cd /; bash $HOME/.ci/run", PATH=f"{clone.folder}/as:{clone.path}")
    assert done.stdout.strip() == f"make test in {clone.folder} with KVMNB_LAB=1"
    assert done.returncode == 7
    assert "make test" in README


def test_binder_pins_what_kvmnb_needs_and_asks_for_packages_that_the_setup_knows() -> None:
    lines = [line for line in (REPO / "binder/requirements.txt").read_text().splitlines() if line[:1] != "#"]
    constraints = [line.removeprefix("-c ") for line in lines if line.startswith("-c ")]
    assert [(REPO / "binder" / name).resolve() for name in constraints] == [REPO / "constraints.txt"]
    project = tomllib.loads((REPO / "pyproject.toml").read_text())["project"]
    declared = {Requirement(text).name for text in project["dependencies"]}
    assert {line for line in lines if not line.startswith("-")} <= declared
    table = [line.split() for line in (REPO / "tools/setup/packages.table").read_text().splitlines()]
    known = {row[4] for row in table if row[0] == "lab"}
    assert set((REPO / "binder/apt.txt").read_text().split()) <= known
    assert (REPO / "binder/runtime.txt").read_text() == "python-3.11\n"


def test_binder_installs_kvmnb_and_switches_off_the_news(clone: Clone) -> None:
    for name in ("postBuild", "overrides.json"):
        clone.program(f"binder/{name}", (REPO / "binder" / name).read_text())
    clone.program("as/python", f'#!/bin/bash\n[ "$1" = -c ] && echo "{clone.folder}/prefix" || echo "$*"\n')
    clone.program("as/cp", '#!/bin/bash\ncat "$1" >"$2"\n')
    done = clone.bash("binder/postBuild", PATH=f"{clone.folder}/as:{clone.path}")
    assert done.stdout == "-m pip install --no-cache-dir -c constraints.txt .[libvirt,record]\n"
    written = clone.folder / "prefix/share/jupyter/lab/settings/overrides.json"
    assert json.loads(written.read_text())["@jupyterlab/apputils-extension:notification"]["fetchNews"] == "false"


def test_binder_starts_on_the_demo_host() -> None:
    started = subprocess.run(
        [REPO / "binder/start", "sh", "-c", 'echo "$KVMNB_HOST $1"', "sh", "two words"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert started.stdout == "demo two words\n"


def test_the_index_of_the_pages_names_each_and_every_link_leads_somewhere() -> None:
    docs = REPO / "docs"
    linked = re.findall(r"\]\(([^)#:]+)\)", (docs / "README.md").read_text())
    pages = {path.name for path in docs.iterdir() if path.suffix == ".md"} - {"README.md"}
    assert sorted(pages - set(linked)) == []
    for page in (REPO / "README.md", docs / "README.md", docs / "intent.md"):
        for link in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
            assert (page.parent / link).exists(), f"{page.name}: {link}"
