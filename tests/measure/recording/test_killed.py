"""A recorder that is killed, whatever it was about to do."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest

from kvmnb.measure.recording.kinds import folder_of
from kvmnb.measure.recording.reading import opened
from tests.measure.recording.test_recording import held

# Seven hours: parts were made into ten seconds and those into minutes.
FRAMES = 420


def dying(folder: Path, *calls: int) -> None:
    command = [sys.executable, "-m", "tests.measure.recording.dying", str(folder), str(FRAMES), *map(str, calls)]
    subprocess.run(command, check=True, timeout=3000)


@pytest.mark.parametrize("kills", [4, pytest.param(200, marks=pytest.mark.soak)])
def test_every_reading_that_was_on_disk_is_replayed_once_wherever_a_recorder_is_killed(
    kills: int, tmp_path: Path
) -> None:
    dying(tmp_path, 10**9)
    calls = -int((tmp_path / f"{10**9}.flushed").read_text())
    assert opened(tmp_path / f"{10**9}.parquet").early is None
    draw = random.Random(7)
    # The first calls make the folder; the last ones make one file of the parts, and remove them.
    some = sorted({*draw.sample(range(5, calls - 20), kills), *draw.sample(range(calls - 20, calls + 1), kills // 2)})
    dying(tmp_path, *some)
    for call in some:
        target = tmp_path / f"{call}.parquet"
        flushed = int((tmp_path / f"{call}.flushed").read_text() or 0)
        readings, total = held(target)
        # The last piece may be there before its recorder could say so.
        assert flushed <= readings <= flushed + 1, call
        assert total == readings * (readings - 1) / 2, call
        whole = target.exists()
        assert opened(target).early == (None if whole else "its recorder was killed"), call
        assert whole or folder_of(target).is_dir(), call
