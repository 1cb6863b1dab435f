"""Which host `make lab` opens, and that it says so."""

from __future__ import annotations

from tests.house.conftest import Clone


def lab(clone: Clone, **variables: str) -> list[str]:
    done = clone.bash("make -s lab", KVMNB_OS_RELEASE="/dev/null", **variables)
    assert done.returncode == 0, done.stdout
    return done.stdout.splitlines()


def test_without_libvirt_python_the_demo_host_is_opened(clone: Clone) -> None:
    said = lab(clone)
    assert "==> libvirt-python is not installed: opening the demo host, a recorded server" in said
    assert said[-1] == "kvmnb lab on demo"


def test_without_a_hypervisor_the_demo_host_is_opened(clone: Clone) -> None:
    (clone.folder / "has-libvirt").touch()
    said = lab(clone)
    assert "==> No hypervisor is installed here: opening the demo host, a recorded server" in said
    assert said[-1] == "kvmnb lab on demo"


def test_with_a_hypervisor_the_machine_itself_is_opened(clone: Clone) -> None:
    (clone.folder / "has-libvirt").touch()
    clone.program("bin/virtqemud", "#!/bin/sh\n")
    said = lab(clone)
    assert "==> Opening this machine's libvirt (qemu:///system)" in said
    assert said[-1] == "kvmnb lab on this machine"


def test_a_host_that_was_named_is_kept(clone: Clone) -> None:
    assert lab(clone, KVMNB_HOST="qemu:///session")[-1] == "kvmnb lab on qemu:///session"


def test_a_uri_in_libvirts_own_variable_is_kept_without_a_local_hypervisor(clone: Clone) -> None:
    (clone.folder / "has-libvirt").touch()
    assert lab(clone, LIBVIRT_DEFAULT_URI="qemu+ssh://host/system")[-1] == "kvmnb lab on this machine"


def test_make_demo_asks_for_no_system_package(clone: Clone) -> None:
    clone.program("bin/python3", "#!/bin/sh\n")
    done = clone.bash("make -s demo", KVMNB_OS_RELEASE="/dev/null")
    assert "administrator" not in done.stdout
    assert done.stdout.splitlines()[-1] == "kvmnb lab on demo"


def test_it_says_when_jupyter_will_run_as_root(clone: Clone) -> None:
    words = "==> Running as root: JupyterLab and every notebook in it have root's rights on this machine"
    for number, said in (("0", True), ("1000", False)):
        clone.program("as/id", f"#!/bin/sh\necho {number}\n")
        assert (words in lab(clone, PATH=f"{clone.folder}/as:{clone.path}")) == said
