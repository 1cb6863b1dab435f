"""Every recorded host is read as its summary says."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

from kvmnb.machine import sources
from kvmnb.probe.survey import probe
from tests.probe.seen_host import look, summary

HOSTS = Path(__file__).parent.parent / "hosts"
NAMES = sorted(path.parent.name for path in HOSTS.glob("*/recording.json"))


@pytest.mark.parametrize("name", NAMES)
def test_a_recorded_host_is_read_as_its_summary_says(name: str) -> None:
    expected = json.loads((HOSTS / name / "expected.json").read_text())
    assert summary(look(HOSTS / name)) == expected


@pytest.mark.parametrize("name", NAMES)
def test_a_recorded_hosts_name_tells_its_nodes_and_cpus(name: str) -> None:
    expected = json.loads((HOSTS / name / "expected.json").read_text())
    told = re.match(r"(\d+)(?:-of-\d+)?-nodes?-(\d+)(?:-of-(\d+))?-cpus?\b", name)
    assert told
    host = look(HOSTS / name)
    assert isinstance(host.cpus, tuple)
    assert len(expected["nodes"]) == int(told[1])
    assert len(host.online) == int(told[2])
    assert len(host.cpus) == int(told[3] or told[2])


@pytest.mark.parametrize("name", NAMES)
def test_a_whole_survey_reads_a_recorded_host(name: str) -> None:
    survey = probe(sources.tree(HOSTS / name))
    assert str(survey.host.online) == json.loads((HOSTS / name / "expected.json").read_text())["online"]


def test_recorded_hosts_are_small_and_hold_no_links() -> None:
    assert len(NAMES) >= 10
    for name in NAMES:
        paths = list((HOSTS / name).rglob("*"))
        assert [path for path in paths if path.is_symlink()] == []
        files = [path for path in paths if path.is_file()]
        assert len(files) < 400, name
        assert sum(path.stat().st_size for path in files) < 200_000, name


def test_every_recorded_host_has_its_origin_and_licence() -> None:
    readme = (HOSTS / "README.md").read_text()
    assert set(re.findall(r"^\| `([\w-]+)` ", readme, re.MULTILINE)) == set(NAMES)
    licences = {path.stem.partition("-")[2] for path in (HOSTS / "LICENCES").iterdir()}
    for name in NAMES:
        origin = json.loads((HOSTS / name / "recording.json").read_text())["origin"]
        project, path, licence = re.fullmatch(r"(\S+), (\S+), ([\w.-]+)(?:;.*)?", origin).groups()  # type: ignore[union-attr]
        assert f"{project}, `{path}`" in readme, name
        assert any(one.endswith(licence) for one in licences), name


if __name__ == "__main__":
    for one in sys.argv[1:] or NAMES:
        print(json.dumps(summary(look(HOSTS / one)), indent=1))
