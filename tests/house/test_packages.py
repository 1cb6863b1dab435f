"""Which system packages are named, for which distribution."""

from __future__ import annotations

import os
import shutil

import pytest

from tests.house.conftest import REPO, Clone

RELEASES = {
    "debian": "ID=debian\nVERSION_ID=12\n",
    "ubuntu": "ID=ubuntu\nID_LIKE=debian\n",
    "fedora": "ID=fedora\n",
    "rhel": 'ID="rocky"\nID_LIKE="rhel centos fedora"\n',
    "opensuse": 'ID="opensuse-leap"\nID_LIKE="suse opensuse"\n',
    "arch": "ID=endeavouros\nID_LIKE=arch\n",
}
LAB_COMMANDS = {
    "debian": "apt-get install --no-install-recommends gcc libvirt-dev pkg-config python3-dev python3-venv",
    "ubuntu": "apt-get install --no-install-recommends gcc libvirt-dev pkg-config python3-dev python3-venv",
    "fedora": "dnf install gcc libvirt-devel pkgconf-pkg-config python3 python3-devel",
    "rhel": "dnf install --enablerepo=crb gcc libvirt-devel pkgconf-pkg-config python3.12 python3.12-devel",
    "opensuse": "zypper install gcc libvirt-devel pkg-config python313 python313-devel",
    "arch": "pacman -S --needed gcc libvirt pkgconf python",
}


def on(clone: Clone, release: str, command: str, **variables: str) -> str:
    (clone.folder / "os-release").write_text(release)
    release_file = str(clone.folder / "os-release")
    done = clone.bash(f"bash tools/setup/packages.sh {command}", KVMNB_OS_RELEASE=release_file, **variables)
    return done.stdout.strip()


@pytest.mark.parametrize("family", RELEASES)
def test_each_distribution_is_told_its_own_command(clone: Clone, family: str) -> None:
    assert on(clone, RELEASES[family], "family") == family
    assert on(clone, RELEASES[family], "command lab") == LAB_COMMANDS[family]


def test_an_unknown_distribution_is_told_what_is_needed_by_plain_names(clone: Clone) -> None:
    told = on(clone, "ID=plan9\n", "command lab")
    assert told == "(your distribution's installer) compiler headers libvirt pkg-config python"


def test_make_lab_asks_for_no_hypervisor_on_any_distribution(clone: Clone) -> None:
    for family, release in RELEASES.items():
        asked = on(clone, release, "command lab").split()
        # Arch has the headers, the library and the daemon in one package; it starts nothing by itself.
        daemons = {"libvirt"} if family != "arch" else set()
        daemons |= {"qemu-kvm", "qemu-system-x86", "libvirt-daemon", "libvirt-daemon-system"}
        assert not daemons & set(asked), f"{family}: {asked}"


def test_every_row_of_the_table_has_every_column() -> None:
    rows = (REPO / "tools/setup/packages.table").read_text().splitlines()
    heading = next(row for row in rows if row.startswith("# set")).lstrip("# ").split()
    needs = [row.split() for row in rows if not row.startswith("#")]
    assert heading == ["set", "need", "seen-by", *RELEASES]
    assert [row for row in needs if len(row) != len(heading) or row[0] not in {"lab", "test"}] == []


@pytest.mark.parametrize("family", ["fedora", "opensuse", "arch", "rhel"])
def test_elsewhere_than_on_debian_only_words_are_given(clone: Clone, family: str) -> None:
    (clone.folder / "os-release").write_text(RELEASES[family])
    done = clone.bash("bash tools/setup/packages.sh provide lab", KVMNB_OS_RELEASE=str(clone.folder / "os-release"))
    assert done.returncode == 1
    assert "An administrator (root) types:" in done.stdout
    assert LAB_COMMANDS[family] in done.stdout


def test_on_debian_without_root_or_sudo_the_administrator_is_named(clone: Clone) -> None:
    clone.program("nobody/id", "#!/bin/sh\necho 1000\n")
    told = on(clone, RELEASES["debian"], "provide lab", PATH=f"{clone.folder}/nobody:{clone.path}")
    assert told.splitlines() == [
        "==> System packages are missing that cannot be installed from here. An administrator (root) types:",
        f"    {LAB_COMMANDS['debian']}",
    ]


def test_what_is_there_is_not_asked_for(clone: Clone) -> None:
    clone.program("bin/gcc", "#!/bin/sh\n")
    clone.program("bin/pkg-config", '#!/bin/sh\n[ "$*" = "--exists libvirt" ]\n')
    assert on(clone, RELEASES["debian"], "missing lab") == "python3-dev python3-venv"


def test_the_newest_python_that_can_make_environments_is_taken(clone: Clone) -> None:
    clone.program("bin/python3.13", "#!/bin/sh\nexit 1\n")
    clone.program("bin/python3.12", "#!/bin/sh\necho newest\n")
    clone.program("bin/python3", "#!/bin/sh\necho oldest\n")
    assert clone.bash("source tools/setup/packages.sh; find_python").stdout == "newest\n"


@pytest.mark.skipif(not shutil.which("dpkg-query"), reason="no dpkg on this machine")
def test_a_debian_package_counts_only_when_installed(clone: Clone) -> None:
    dpkg = os.path.realpath(shutil.which("dpkg-query") or "")
    (clone.folder / "bin/dpkg-query").symlink_to(dpkg)
    seen = clone.bash("source tools/setup/packages.sh; is_seen deb:coreutils && ! is_seen deb:no-such-package")
    assert seen.returncode == 0, seen.stdout
