"""What pyproject.toml promises: pinned versions, a wheel with everything in it, a licence."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import PackageNotFoundError, distribution
from itertools import chain

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.house.conftest import REPO

PROJECT = tomllib.loads((REPO / "pyproject.toml").read_text())["project"]
PIN = re.compile(r"([A-Za-z0-9._-]+)==([0-9][A-Za-z0-9.+!]*)")


def constraint_lines() -> list[str]:
    lines = (REPO / "constraints.txt").read_text().splitlines()
    return [line for line in lines if not line.startswith("#")]


def pins() -> dict[str, str]:
    found = [PIN.fullmatch(line) for line in constraint_lines()]
    return {canonicalize_name(one[1]): one[2] for one in found if one}


def declared() -> list[Requirement]:
    extras = chain.from_iterable(PROJECT["optional-dependencies"].values())
    return [Requirement(text) for text in [*PROJECT["dependencies"], *extras]]


def needed() -> dict[str, str]:
    """The installed version of all that kvmnb with every extra needs, directly or not."""
    waiting = declared()
    found: dict[str, str] = {}
    seen: set[str] = set()
    while waiting:
        requirement = waiting.pop()
        if str(requirement) in seen:
            continue
        seen.add(str(requirement))
        try:
            package = distribution(requirement.name)
        except PackageNotFoundError:
            continue
        found[canonicalize_name(requirement.name)] = package.version
        environments = [{"extra": extra} for extra in ("", *requirement.extras)]
        for child in map(Requirement, package.requires or ()):
            if child.marker is None or any(map(child.marker.evaluate, environments)):
                waiting.append(child)
    return found


def test_constraints_are_exact_versions_and_nothing_else() -> None:
    assert [line for line in constraint_lines() if not PIN.fullmatch(line)] == []


def test_constraints_cover_all_that_is_needed_at_the_version_the_tests_run_with() -> None:
    versions = needed()
    assert len(versions) > len(PROJECT["dependencies"])
    assert {name: version for name, version in versions.items() if pins().get(name) != version} == {}


def test_every_declared_dependency_accepts_its_pinned_version() -> None:
    assert [str(one) for one in declared() if pins()[canonicalize_name(one.name)] not in one.specifier] == []


def test_libvirt_python_is_an_extra_because_it_has_to_be_built() -> None:
    assert [text for text in PROJECT["dependencies"] if "libvirt" in text] == []
    assert PROJECT["optional-dependencies"]["libvirt"] == ["libvirt-python>=9.0"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    done = subprocess.run(command, cwd=REPO, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return zipfile.ZipFile(next(folder.glob("kvmnb-*.whl")))


def files_below(folder: str) -> set[str]:
    """Files of a folder as they are named in the repository, without what Python or Jupyter cached there."""
    paths = (path.relative_to(REPO) for path in (REPO / folder).rglob("*") if path.is_file())
    return {str(path) for path in paths if not {"__pycache__", ".ipynb_checkpoints"} & set(path.parts)}


def test_the_wheel_holds_the_package_its_data_and_the_notebooks_and_nothing_else(
    wheel: zipfile.ZipFile,
) -> None:
    notebooks = {f"kvmnb/{name}" for name in files_below("notebooks")}
    expected = files_below("kvmnb") | notebooks
    shipped = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert shipped == expected
    assert "kvmnb/notebooks/00-start.ipynb" in shipped
    assert [name for name in shipped if name.startswith("kvmnb/demo/host/")]


def test_the_wheel_installs_the_command_and_the_licences(wheel: zipfile.ZipFile) -> None:
    told = [name for name in wheel.namelist() if ".dist-info/" in name]
    texts = {name.partition(".dist-info/")[2]: wheel.read(name).decode() for name in told}
    assert "kvmnb = kvmnb.cli:main" in texts["entry_points.txt"]
    licences = ("LICENSE", "kvmnb/show/live/vendor/uplot/LICENSE")
    assert [texts[f"licenses/{name}"] for name in licences] == [(REPO / name).read_text() for name in licences]
    assert "Provides-Extra: libvirt" in texts["METADATA"]
