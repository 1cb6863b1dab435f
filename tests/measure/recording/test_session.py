"""What a replay says of a machine, and where it says it."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import kvmnb
from kvmnb.core import codec
from kvmnb.measure.diagnose.diagnosis import Diagnosis, diagnose
from kvmnb.measure.diagnose.signals import Signals
from kvmnb.measure.neighbourhood import told_by
from kvmnb.measure.neighbours import Matrix
from kvmnb.measure.recording.cover import Cover
from kvmnb.measure.recording.session import diagnose_recording
from kvmnb.measure.replay import Loop, read_series
from kvmnb.measure.series import Frame
from kvmnb.measure.window import window_of
from kvmnb.show.live import LiveChart
from tests.measure.recording.test_recording import START, recorded, replayed

SHIPPED = Path(kvmnb.__file__).parent / "demo/series/threads.jsonl"


@pytest.fixture(scope="module")
def frames() -> list[Frame]:
    """Half a minute of real guests, with moments of its own."""
    text = read_series(SHIPPED.read_text(encoding="utf-8"), "it")
    loop = Loop(text, {one.guest: f"uuid of {one.guest}" for one in text.cover.columns if one.guest})
    found = (loop.read() for _ in range(loop.rows))
    return [replace(one, at=START + number + 0.25) for number, one in enumerate(found) if one is not None]


@pytest.fixture(scope="module")
def guests(frames: list[Frame]) -> dict[str, str]:
    uuids = {series.guest for frame in frames for series in frame.values} - {""}
    return {uuid: uuid.removeprefix("uuid of ") for uuid in sorted(uuids)}


@pytest.fixture(scope="module")
def target(frames: list[Frame], guests: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    cover = Cover(kvmnb="0", began_at=START, note="recorded here", guests=guests)
    return recorded(tmp_path_factory.mktemp("session") / "it.parquet", frames, cover)


def live(frames: list[Frame], guests: dict[str, str]) -> Diagnosis:
    return diagnose(Signals(window_of(frames), guests, {}, told_by(frames)))


def test_a_diagnosis_of_a_recording_is_that_of_the_frames_that_were_recorded(
    target: Path, frames: list[Frame], guests: dict[str, str]
) -> None:
    found = live(frames, guests)
    assert found.symptoms
    again = diagnose_recording(target)
    assert isinstance(found.neighbours, Matrix) and isinstance(again.neighbours, Matrix)
    # A recording keeps seven digits of each value.
    assert dict(again.neighbours.caused) == pytest.approx(dict(found.neighbours.caused), abs=1e-5)
    assert replace(again, seconds=found.seconds, neighbours=found.neighbours) == found


def test_the_last_seconds_alone_are_looked_at_where_that_is_asked(
    target: Path, frames: list[Frame], guests: dict[str, str]
) -> None:
    found = live(frames[-10:], guests)
    replayed = diagnose_recording(target, 10)
    assert (round(replayed.seconds, 3), replayed.symptoms) == (10.0, found.symptoms)


def test_an_opened_recording_plays_its_frames_at_their_own_times_and_then_ends(target: Path) -> None:
    from kvmnb.measure.recording.playing import Playing
    from kvmnb.measure.recording.reading import opened

    source = Playing(opened(target))
    played = []
    while (frame := source.read()) is not None:
        played.append(frame)
    assert played[:-1] == replayed(target)
    assert played[-1].gaps == {"all guests": "the recording ends here"}
    assert source.over
    assert source.title_note == "recorded here, 2023-11-14 22:15 UTC, replayed"
    assert source.vcpus("uuid of db01") == (0, 1)


def test_an_opened_recording_is_a_machine_of_guests_that_it_names(target: Path, guests: dict[str, str]) -> None:
    here = kvmnb.open(recorded=target)
    try:
        assert [one.name for one in here.domains] == sorted(guests.values())
        assert here.diagnose() == diagnose_recording(target)
        chart = here.watch("db01")
        assert isinstance(chart, LiveChart)
        assert "recorded here" in str(chart._repr_mimebundle_()["text/plain"])
    finally:
        kvmnb.close()


ELSEWHERE = """
import sys
for name in ("libvirt", "libvirtmod", "libvirt_qemu", "libvirt_lxc"):
    sys.modules[name] = None
from kvmnb.cli import main
sys.exit(main(sys.argv[1:]))
"""


def test_where_no_libvirt_is_installed_a_recording_replays_to_the_same_figures(target: Path) -> None:
    def told(program: str, *arguments: str) -> tuple[int, str]:
        command = [sys.executable, "-c", program, *arguments]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False, timeout=120)
        return done.returncode, done.stdout

    code, diagnosis = told(ELSEWHERE, "diagnose", "--replay", str(target), "--json")
    assert (code, json.loads(diagnosis)) == (1, _document(diagnose_recording(target)))
    code, lines = told(ELSEWHERE, "watch", "--recorded", str(target), "--interval", "0.02")
    assert code == 0
    told_values = [
        {(one["metric"], one["uuid"], one["part"]): one["value"] for one in json.loads(line)["values"]}
        for line in lines.splitlines()
    ]
    assert told_values[:-1] == [
        {(one.metric, one.guest, one.part): value for one, value in frame.values.items()} for frame in replayed(target)
    ]


def _document(found: Diagnosis) -> object:
    from kvmnb.terminal.documents import diagnose_document

    return json.loads(codec.to_json(diagnose_document(found)))
