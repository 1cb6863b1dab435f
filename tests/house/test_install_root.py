"""kvmnb-root's policy and its installer's refusals; an installation for real is in the lab's tests."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from lxml import etree

from tests.house.conftest import REPO

POLICY = REPO / "tools/setup/org.kvmnb.root.policy"
DTD = Path("/usr/share/polkit-1/policyconfig-1.dtd")
PROGRAM = "/usr/local/lib/kvmnb-root/kvmnb-root"


def test_the_policy_asks_an_administrator_for_one_program() -> None:
    root = etree.parse(str(POLICY)).getroot()
    (action,) = root.findall("action")
    assert action.get("id") == "org.kvmnb.root.run"
    notes = {one.get("key"): one.text for one in action.findall("annotate")}
    assert notes["org.freedesktop.policykit.exec.path"] == PROGRAM
    allowed = {one.tag: one.text for one in action.findall("defaults/*")}
    assert allowed == {"allow_any": "auth_admin", "allow_inactive": "auth_admin", "allow_active": "auth_admin_keep"}


@pytest.mark.lab
def test_the_policy_is_valid_by_polkits_own_document_type() -> None:
    if os.environ.get("KVMNB_LAB") not in ("1", "guests"):
        pytest.skip("needs polkit's document type, which comes with libvirt's daemon: set KVMNB_LAB=guests")
    dtd = etree.DTD(str(DTD))
    assert dtd.validate(etree.parse(str(POLICY))), dtd.error_log


@pytest.mark.parametrize("prefix", ["relative/path", "/", "/opt/../etc", "/opt/a b", "/opt/$(id)", ""])
def test_a_prefix_that_is_no_plain_whole_path_is_refused(prefix: str) -> None:
    script = str(REPO / "tools/setup/install_root.sh")
    done = subprocess.run(["bash", script, "--prefix", prefix], capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "prefix" in done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="refused for another reason where this is not root")
def test_a_folder_that_others_may_write_is_no_place_for_the_program(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    script = str(REPO / "tools/setup/install_root.sh")
    words = ["bash", script, "--no-policy", "--prefix", f"{tmp_path}/kvmnb-root"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (done.returncode, list(tmp_path.iterdir())) == (2, [])
    assert "can be written by others than root" in done.stderr
