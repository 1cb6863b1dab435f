"""Bad input gives one clear sentence, the promised exit code, and changes nothing."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.small_host import UUIDS, write_guest, write_host
from tests.terminal.calling import called, kvmnb, refused


@pytest.fixture
def host(tmp_path: Path) -> Path:
    folder = write_host(tmp_path / "host")
    write_guest(folder, "web", 0)
    return folder


def test_an_unreachable_uri_names_what_to_start() -> None:
    pytest.importorskip("libvirt")
    done = kvmnb("audit", "--uri", "qemu+unix:///system?socket=/does/not/exist")
    refused(done, "cannot connect to qemu+unix:///system?socket=/does/not/exist", "start the daemon")


def test_a_uri_of_no_driver_is_a_matter_of_spelling() -> None:
    pytest.importorskip("libvirt")
    refused(kvmnb("facts", "--uri", "quemu:///system"), "cannot connect to quemu:///system", "check the spelling")


def test_a_folder_that_is_no_recording_says_how_to_make_one(tmp_path: Path) -> None:
    refused(called("audit", "--recorded", str(tmp_path)), "is not a recorded host", "kvmnb record")
    refused(called("audit", "--recorded", str(tmp_path / "none")), "is not a recorded host")
    (tmp_path / "recording.json").write_text("{}")
    refused(called("audit", "--recorded", str(tmp_path)), "is not a recorded host")
    refused(called("facts", "--root", str(tmp_path)), "neither sys/ nor proc/")


def test_two_sources_are_one_too_many(host: Path) -> None:
    refused(called("facts", "--demo", "--recorded", str(host)), "--recorded and --demo name different sources")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("<domain", "is not"),
        ("<network/>", "not a libvirt <domain>"),
        ('<!DOCTYPE d [<!ENTITY a "b">]><domain>&a;</domain>', "DOCTYPE"),
        ("", ""),
    ],
)
def test_invalid_xml_is_refused_with_its_file(host: Path, tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "guest.xml").write_text(text)
    done = called("audit", "--recorded", str(host), "--domain-xml", str(tmp_path / "guest.xml"))
    refused(done, str(tmp_path / "guest.xml"))
    assert words in done.stderr or "XML" in done.stderr


def test_names_that_are_not_there_list_those_that_are(host: Path) -> None:
    refused(called("audit", "--recorded", str(host), "--domain", "wed"), "no domain is named 'wed'", "'web'")
    refused(called("audit", "--recorded", str(host), "--goal", "fast"), "'fast' is no goal", "latency")
    refused(called("rule", "cpu.pin.vcpus"), "there is no rule 'cpu.pin.vcpus'", "cpu.pin.vcpu")
    refused(called("plan", "--recorded", str(host), "--rule", "x"), "there is no rule 'x'")
    refused(called("plan", "--recorded", str(host)), "one of the arguments --rule --all is required")
    refused(called("undo", "yesterday"), "is no journal id")
    refused(called("undo"), "there is nothing to take back")
    refused(called("frobnicate"), "invalid choice")


def test_an_intent_that_cannot_be_read_is_named(host: Path, tmp_path: Path) -> None:
    config = tmp_path / "kvmnb.toml"
    for text, word in (
        ("goal = 'fast'", "goal: 'fast' is no goal"),
        ("gaol = 'latency'", "the key gaol is not known; did you mean goal?"),
        ("goal = ", "Invalid value"),
    ):
        config.write_text(text)
        refused(called("audit", "--recorded", str(host), "--config", str(config)), str(config), word)


@pytest.fixture(scope="module")
def demo_made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state folder with the demo host, and a plan for it; nothing in these tests may change either."""
    folder = tmp_path_factory.mktemp("demo")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(folder))
        patch.setenv("XDG_CONFIG_HOME", str(folder / "config"))
        done = called("plan", "--demo", "--all", "--out", str(folder / "plan.json"))
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def demo_plan(demo_made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of that plan, to be spoiled."""
    monkeypatch.setenv("XDG_STATE_HOME", str(demo_made))
    plan = tmp_path / "plan.json"
    plan.write_bytes((demo_made / "plan.json").read_bytes())
    return plan


def test_a_plan_of_another_host_is_refused_and_nothing_is_changed(demo_plan: Path) -> None:
    document = json.loads(demo_plan.read_text())
    document["host"]["uuid"] = "11111111-2222-4333-8444-555555555555"
    demo_plan.write_text(json.dumps(document))
    refused(called("apply", str(demo_plan), "--accept-disruptive"), "made on another host")
    assert "No plan was applied yet" in called("journal", "list").stdout


def test_a_recordings_plan_is_refused_on_a_machine_that_takes_writes(host: Path, tmp_path: Path) -> None:
    plan = tmp_path / "plan.json"
    assert called("plan", "--recorded", str(host), "--all", "--out", str(plan)).returncode == 0
    refused(called("apply", str(plan)), "recorded machine, which takes no writes")
    refused(called("apply", str(plan), "--demo"), "plan")


def test_a_stale_plan_is_exit_one_and_nothing_is_changed(demo_plan: Path) -> None:
    document = json.loads(demo_plan.read_text())
    changed = next(one for one in document["changes"] if one["tunable"].endswith("transparent_hugepage/enabled"))
    changed["before"] = "madvise" if changed["before"] == "always" else "always"
    demo_plan.write_text(json.dumps(document))
    refused(called("apply", str(demo_plan), "--accept-disruptive"), "make a new plan", code=1)
    assert "No plan was applied yet" in called("journal", "list").stdout


def test_a_disruptive_plan_needs_the_flag(demo_plan: Path) -> None:
    refused(called("apply", str(demo_plan)), "--accept-disruptive")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"schema": "kvmnb.plan/1"}', '{"schema": 1, "schema": 2}', "\x00"])
def test_a_file_that_is_no_plan_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "plan.json").write_text(text)
    refused(called("apply", str(tmp_path / "plan.json")), "plan.json cannot be used")


def test_out_xml_without_one_file_is_refused(host: Path, tmp_path: Path) -> None:
    refused(called("plan", "--recorded", str(host), "--all", "--out-xml", str(tmp_path / "o")), "give exactly one")


def test_a_guest_name_cannot_write_over_the_terminal(host: Path) -> None:
    write_guest(host, "a&#x9b;31m\u202egpj.exe", 1)
    done = called("facts", "--recorded", str(host))
    assert done.returncode == 0
    assert "\x9b" not in done.stdout
    assert "\u202e" not in done.stdout


def test_a_guest_deleted_and_made_anew_under_its_name_is_refused(tmp_path: Path) -> None:
    plan = tmp_path / "plan.json"
    assert called("plan", "--demo", "--all", "--domain", "db01", "--out", str(plan)).returncode == 0
    domains = Path(os.environ["XDG_STATE_HOME"]) / "kvmnb/demo-host/libvirt/domains"
    old = next(one for one in domains.iterdir() if "<name>db01</name>" in (one / "inactive.xml").read_text())
    new = domains / UUIDS[0]
    old.rename(new)
    for name in ("inactive.xml", "live.xml"):
        (new / name).write_text((new / name).read_text().replace(old.name, new.name))
    refused(called("apply", str(plan), "--accept-disruptive"), "'db01' is another one now")
