"""What a person means, said to the command line: mutes, thresholds, goals, and which part of a plan."""

from __future__ import annotations

import json
import os
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from tests.small_host import write_guest, write_host
from tests.terminal.calling import called, refused

OWN = '# ours\ngoal = "latency"  # the shop\n'


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A recorded host with one guest; these tests change nothing of it."""
    folder = write_host(tmp_path_factory.mktemp("small") / "host")
    write_guest(folder, "web", 0)
    return str(folder)


@pytest.fixture
def config() -> Path:
    """The person's own file, in the place where it is looked for."""
    path = Path(os.environ["XDG_CONFIG_HOME"]) / "kvmnb/kvmnb.toml"
    path.parent.mkdir(parents=True)
    path.write_text(OWN)
    return path


def audited(host: str, *more: str, code: int = 1) -> dict[str, Any]:
    done = called("audit", "--recorded", host, "--json", *more)
    assert done.returncode == code, done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def test_where_all_that_is_found_is_muted_an_audit_is_clean_and_says_what_is_muted(host: str, config: Path) -> None:
    found = audited(host)["findings"]
    for rule in {one["id"] for one in found}:
        done = called("mute", rule, "--reason", "known, ticket 7", "--until", "2999-01-31")
        assert (done.returncode, done.stdout) == (0, f"Muted {rule} until 2999-01-31 in {config}.\n"), done.stderr
    clean = audited(host, code=0)
    assert clean["findings"] == []
    ends = {"reason": "known, ticket 7", "until": "2999-01-31"}
    known = {(one["id"], one["subject"]): one["severity"] for one in found}
    told = [{"id": rule, "subject": subject, "severity": known[rule, subject]} | ends for rule, subject in known]
    assert sorted(clean["muted"], key=str) == sorted(told, key=str)
    assert f"Muted in kvmnb.toml: {len(found)}" in called("audit", "--recorded", host).stdout
    assert config.read_text().startswith(OWN)
    for rule in {one["id"] for one in found}:
        done = called("unmute", rule)
        assert (done.returncode, done.stdout) == (0, f"{rule} is heard again ({config}).\n"), done.stderr
    assert config.read_text() == OWN
    assert audited(host)["findings"] == found


def test_a_mute_of_one_subject_leaves_the_others(host: str, config: Path) -> None:
    found = audited(host)["findings"]
    one = next(one for one in found if one["subject"].startswith("domain/web"))
    arguments = (one["id"], "--subject", one["subject"])
    assert called("mute", *arguments, "--reason", "so meant").returncode == 0
    left = audited(host)
    assert left["findings"] == [other for other in found if other != one]
    assert [(muted["subject"], muted["until"]) for muted in left["muted"]] == [(one["subject"], None)]
    assert called("unmute", *arguments).returncode == 0


def test_a_mute_that_cannot_be_is_refused_in_a_sentence_and_the_file_stays(config: Path) -> None:
    reason = ("--reason", "x")
    refused(called("mute", "disk.cache"), "required: --reason")
    refused(called("mute", "disk.cash", *reason), "there is no rule 'disk.cash'", "disk.cache")
    refused(called("mute", "disk.cache", "--reason", " "), "needs a reason that will be read later")
    refused(called("mute", "disk.cache", *reason, "--until", "31.1.2027"), "a day such as 2027-01-31", "'31.1.2027'")
    refused(called("mute", "disk.cache", *reason, "--until", "2020-01-31"), "that day has passed")
    refused(called("unmute", "disk.cache"), f"{config} does not mute disk.cache")
    assert config.read_text() == OWN
    config.write_text("goal = ")
    refused(called("mute", "disk.cache", *reason), str(config))
    assert config.read_text() == "goal = "


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("disk.queues.max", ("--threshold takes NAME=VALUE, and not 'disk.queues.max'",)),
        ("disk.queue.max=3", ("there is no threshold 'disk.queue.max'", "disk.queues.max")),
        ("disk.queues.max=many", ("threshold disk.queues.max is 'many'", "a whole number of queues, from 2 to 1024")),
        ("disk.queues.max=1", ("from 2 to 1024 (default 8)",)),
        ("disk.space.pool=101", ("threshold disk.space.pool is 101", "from 0 to 100")),
    ],
)
def test_a_threshold_that_cannot_be_is_refused_with_what_it_takes(host: str, said: str, words: tuple[str, ...]) -> None:
    refused(called("audit", "--recorded", host, "--threshold", said), *words)


def test_a_threshold_for_one_time_is_judged_by_and_told(host: str) -> None:
    low = audited(host, "--goal", "throughput", "--threshold", "cpu.overcommit.some=0.1")
    (crowded,) = [one for one in low["findings"] if one["id"] == "cpu.overcommit"]
    assert "threshold cpu.overcommit.some is 0.1 (asked for; default 1)" in crowded["rests_on"]
    usual = audited(host, "--goal", "throughput")
    assert not [one for one in usual["findings"] if one["id"] == "cpu.overcommit"]


def test_a_goal_with_an_overlay_is_heard_and_printed(host: str) -> None:
    document = audited(host, "--goal", "latency+windows")
    assert document["goal"] == "latency+windows"
    rests = {one["id"]: one["rests_on"] for one in document["findings"] if one["id"].startswith("win.")}
    assert rests
    assert all("overlay windows (asked for)" in on for on in rests.values())
    refused(called("audit", "--recorded", host, "--goal", "latency+density"), "two goals")


def test_a_window_of_a_recording_is_read_and_never_measured(host: str) -> None:
    refused(
        called("audit", "--recorded", host, "--window", "2"),
        "a small host is recorded",
        "a window needs a live machine",
    )
    refused(called("audit", "--recorded", host, "--window", "soon"), "--window", "'soon'")


def test_a_myth_is_told_in_each_form_and_an_unknown_one_names_its_like() -> None:
    known = called("myth", "queues_vcpus")
    assert (known.returncode, "``myth.queues_vcpus.enough`` = 4 queues (heuristic" in known.stdout) == (0, True)
    assert "<h2>What is true</h2>" in called("myth", "queues_vcpus", "--format", "html").stdout
    refused(called("myth", "queue_vcpus"), "there is no myth 'queue_vcpus'", "queues_vcpus")


class Marks(HTMLParser):
    """The marks that open in a page, with their attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.add(f"{tag}{attrs}")


def test_a_rule_in_html_has_the_marks_of_a_page_and_none_of_its_text() -> None:
    page = Marks()
    for rule in ("dom.schema_drop", "numa.vnuma", "win.hyperv"):
        done = called("rule", rule, "--format", "html")
        assert (done.returncode, "&lt;" in done.stdout, "``" in done.stdout) == (0, True, False), rule
        page.feed(done.stdout)
    assert page.found == {f"{tag}[]" for tag in ("h1", "h2", "p", "code", "ul", "li")}


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state folder with the demo host, and a plan for it; what a test applies it takes back."""
    folder = tmp_path_factory.mktemp("demo")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(folder))
        patch.setenv("XDG_CONFIG_HOME", str(folder / "config"))
        done = called("plan", "--demo", "--rule", "numa.zone_reclaim", "--out", str(folder / "plan.json"))
    assert done.returncode == 0, done.stderr
    return folder


def tunables(plan: str) -> list[str]:
    return [change["tunable"] for change in json.loads(plan)["changes"]]


def test_a_plan_for_this_boot_alone_has_no_lasting_form(demo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(demo))
    live, _lasting = tunables((demo / "plan.json").read_text())
    done = called("plan", "--demo", "--rule", "numa.zone_reclaim", "--json", "--live-only")
    assert tunables(done.stdout) == [live]


def test_what_is_no_journal_is_refused_by_each_verb_that_takes_one() -> None:
    gone = "20200101T000000-abcd"
    for verb in ("undo", "confirm", "resume"):
        refused(called(verb, gone), f"there is no journal {gone}")
        refused(called(verb, "../x"), "is no journal id")
    refused(called("resume"), "there is nothing to resume")
    refused(called("plan", "--demo", "--all", "--override-owner"), "unrecognized arguments: --override-owner")


def test_a_part_of_a_plan_is_taken_back_by_the_name_of_its_setting(demo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(demo))
    plan = str(demo / "plan.json")
    first, second = tunables(Path(plan).read_text())
    assert (first.partition(":")[0], second.partition(":")[0]) == ("sysctl", "sysctl_file")
    applied = called("apply", plan, "--accept-disruptive")
    assert applied.returncode == 0, applied.stderr
    refused(called("undo", "--only", "sysctl:vm.swappiness"), "sysctl:vm.swappiness")
    refused(called("undo", "--only", "nonsense"), "nonsense")
    done = called("undo", "--only", second)
    assert (done.returncode, done.stdout.startswith("1 changes of plan")) == (0, True), done.stderr
    states = json.loads(called("verify", plan, "--json").stdout)["changes"]
    assert [(one["tunable"], one["state"]) for one in states] == [(first, "holds"), (second, "differs")]
    assert called("undo").returncode == 0
    refused(called("undo"), "there is nothing to take back")
