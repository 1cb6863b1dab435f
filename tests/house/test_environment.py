"""The Python environment is made once, and made anew only when what it follows from changes."""

from __future__ import annotations

from tests.house.conftest import Clone

MAKE = "set -eu; source tools/setup/packages.sh; source tools/setup/environment.sh; environment"


def make(clone: Clone, purpose: str) -> list[str]:
    done = clone.bash(f"{MAKE} {purpose}")
    assert done.returncode == 0, done.stdout
    calls = clone.calls()
    (clone.folder / "calls").unlink(missing_ok=True)
    return [call.rpartition(" ")[2] for call in calls]


def test_the_second_time_nothing_is_installed(clone: Clone) -> None:
    assert make(clone, "lab") == [f"{clone.folder}[record]"]
    assert make(clone, "lab") == []


def test_an_environment_for_the_tests_serves_the_lab_too(clone: Clone) -> None:
    assert make(clone, "dev") == [f"{clone.folder}[record,dev]"]
    assert make(clone, "lab") == []
    assert make(clone, "dev") == []


def test_an_environment_for_the_lab_does_not_serve_the_tests(clone: Clone) -> None:
    make(clone, "lab")
    assert make(clone, "dev") == [f"{clone.folder}[record,dev]"]


def test_another_version_in_the_constraints_installs_anew(clone: Clone) -> None:
    make(clone, "lab")
    with (clone.folder / "constraints.txt").open("a") as constraints:
        constraints.write("hello==1.0\n")
    assert make(clone, "lab") == [f"{clone.folder}[record]"]


def test_a_failed_installation_is_not_remembered_as_done(clone: Clone) -> None:
    python = (clone.folder / ".venv/bin/python").read_text()
    clone.program(".venv/bin/python", python.replace('>>"$here/calls" ;;', '>>"$here/calls"; exit 1 ;;', 1))
    failed = clone.bash(f"{MAKE} lab")
    assert failed.returncode == 2
    assert "Stopped: pip could not install the Python packages" in failed.stdout
    (clone.folder / "calls").unlink()
    clone.program(".venv/bin/python", python)
    assert make(clone, "lab") == [f"{clone.folder}[record]"]


def test_libvirt_python_is_built_as_soon_as_it_can_be(clone: Clone) -> None:
    make(clone, "lab")
    clone.program("bin/gcc", "#!/bin/sh\n")
    clone.program("bin/pkg-config", "#!/bin/sh\n")
    clone.program("bin/python3", "#!/bin/sh\necho python3\n")
    assert make(clone, "lab") == ["libvirt-python"]
    (clone.folder / "has-libvirt").touch()
    assert make(clone, "lab") == []


def test_a_folder_that_was_copied_gets_an_environment_of_its_own(clone: Clone) -> None:
    make(clone, "lab")
    clone.program(".venv/bin/pip", "#!/elsewhere/.venv/bin/python\n")
    clone.program("bin/python3", '#!/bin/sh\ncase "$1" in -m) echo "made $*" >>calls ;; -c) echo python3 ;; esac\n')
    done = clone.bash(f"{MAKE} lab")
    assert f"made -m venv --clear {clone.folder}/.venv" in clone.calls(), done.stdout


def test_without_any_python_it_stops_and_says_what_to_install(clone: Clone) -> None:
    (clone.folder / ".venv/bin/python").unlink()
    done = clone.bash(f"{MAKE} lab")
    assert done.returncode == 2
    assert "Stopped: no Python 3.11 or newer with its venv module was found." in done.stdout
