"""What the ethtool program printed is read where it is an answer, and is unknown where it is broken."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kvmnb.facts.ethtool import Ethtool
from kvmnb.facts.gap import Gap, NotSeen
from kvmnb.machine.files import Files
from kvmnb.probe.ethtool_text import PARSERS, parse_channels, parse_coalesce, parse_features, parse_rings
from kvmnb.probe.network_ethtool import RecordedAnswers, ethtool_of
from kvmnb.probe.reader import Reader

# Which files hold an answer to which question; every other file is no answer to any of them.
GOOD = {
    "ethtool__TEST_ETHTOOL_I_GOOD.txt": {"i"},
    "ethtool__ETHTOOL_K_STANDARD.txt": {"k"},
    "ethtool__TEST_ETHTOOL_G.txt": {"g"},
    "ethtool__TEST_ETHTOOL_G_3.txt": {"g"},
    "ethtool__TEST_ETHTOOL_G_4.txt": {"g"},
    "ethtool__TEST_ETHTOOL_G_DOCS.txt": {"g"},
}


def texts(corpora: Path) -> Iterator[tuple[str, str]]:
    for archive in ("insights-core", "jc"):
        with tarfile.open(corpora / "host-text" / f"{archive}.tar.xz") as packed:
            for member in packed:
                name = member.name.rsplit("/", 1)[-1]
                stream = packed.extractfile(member) if "ethtool" in name and not name.endswith(".json") else None
                if stream is not None:
                    yield name, stream.read().decode()


def record(folder: Path, letter: str, text: str) -> Ethtool:
    """The fact of a recording that holds this text alone."""
    place = folder / "sos_commands/networking"
    place.mkdir(parents=True, exist_ok=True)
    (place / f"ethtool_-{letter}_eth0").write_text(text)
    answers = RecordedAnswers(Reader(Files(folder)))(["eth0", "eth1"])
    return ethtool_of(answers, "eth0", "host.nics[eth0].ethtool")


def values(letter: str, ethtool: Ethtool) -> list[str]:
    part = PARSERS[letter][0]
    return ["driver", "firmware", "bus"] if part == "driver" else [part]


def test_every_recorded_text_is_an_answer_or_unknown(corpora: Path, tmp_path: Path) -> None:
    read = 0
    for name, text in texts(corpora):
        read += 1
        for letter in PARSERS:
            folder = tmp_path / name / letter
            folder.mkdir(parents=True)
            ethtool = record(folder, letter, text)
            for value in values(letter, ethtool):
                if letter in GOOD.get(name, ()):
                    assert ethtool.gap_of(value) is None, (name, letter)
                else:
                    with pytest.raises(NotSeen):
                        getattr(ethtool, value)
            if letter == "k" and letter not in GOOD.get(name, ()):
                with pytest.raises(NotSeen):
                    ethtool.offload("large-receive-offload")
    assert read == 33


def test_the_recorded_answers_hold_what_they_say(corpora: Path) -> None:
    found = dict(texts(corpora))
    assert parse_rings(found["ethtool__TEST_ETHTOOL_G.txt"]) == {"rx": 200, "rx_max": 2047, "tx": 511, "tx_max": 511}
    assert parse_rings(found["ethtool__TEST_ETHTOOL_G_3.txt"]) == dict.fromkeys(("rx", "rx_max", "tx", "tx_max"), 256)
    features = parse_features(found["ethtool__ETHTOOL_K_STANDARD.txt"])
    assert features["rx-lro"] == "on"
    assert features["tx-generic-segmentation"] == "off [requested on]"
    assert features["rx-checksum"] == "off [fixed]"
    assert "tx-checksumming" not in features and features["tx-checksum-unneeded"] == "on [fixed]"


FEATURES = """Features for eth0:
rx-checksumming: on
tx-checksumming: on
\ttx-checksum-ipv4: off [fixed]
\ttx-checksum-ip-generic: on
tcp-segmentation-offload: off
\ttx-tcp-segmentation: off
\ttx-tcp6-segmentation: off
generic-receive-offload: on
large-receive-offload: off [fixed]
"""


def test_a_long_word_is_on_where_one_of_its_features_is(tmp_path: Path) -> None:
    ethtool = record(tmp_path, "k", FEATURES)
    assert ethtool.offload("tx-checksumming") is True
    assert ethtool.offload("tcp-segmentation-offload") is False
    assert ethtool.offload("generic-receive-offload") is True
    assert ethtool.offload("rx-gro") is True
    assert (ethtool.offload("large-receive-offload"), ethtool.fixed("large-receive-offload")) == (False, True)
    assert ethtool.fixed("tcp-segmentation-offload") is False
    assert ethtool.offload("scatter-gather") is None
    assert ethtool.offload("no-such-word") is None


@pytest.mark.parametrize("cut", range(len("Features for eth0:"), len(FEATURES)))
def test_a_text_cut_off_anywhere_never_turns_an_offload_off(tmp_path: Path, cut: int) -> None:
    try:
        features = parse_features(FEATURES[:cut])
    except ValueError:
        return
    whole = parse_features(FEATURES)
    for name, state in features.items():
        # "off [fixed]" cut to "off" is still off, and a sum stands alone until its first line came.
        assert name not in whole or state.split()[0] == whole[name].split()[0]
        assert name in whole or name in ("tx-checksumming", "tcp-segmentation-offload")


def test_what_the_driver_has_not_is_0_channels_and_no_setting() -> None:
    channels = "Channel parameters for eth0:\nPre-set maximums:\nRX:\t\tn/a\nCombined:\t8\n"
    assert parse_channels(f"{channels}Current hardware settings:\nRX:\t\tn/a\nCombined:\t4\n") == {
        "rx": 0,
        "rx_max": 0,
        "combined": 4,
        "combined_max": 8,
    }
    coalesce = "Coalesce parameters for eth0:\nAdaptive RX: off  TX: n/a\nrx-usecs: 3\nrx-frames: n/a\ntx-usecs: x\n"
    assert parse_coalesce(coalesce) == {"adaptive_rx": False, "adaptive_tx": None, "rx_usecs": 3, "rx_frames": None}


def test_a_setting_that_the_text_does_not_tell_is_a_gap(tmp_path: Path) -> None:
    rings = record(tmp_path, "g", "Ring parameters for eth0:\nPre-set maximums:\nRX: 4096\nTX: n/a\n").rings
    assert rings is not None and rings.rx_max == 4096
    for name in ("rx", "tx", "tx_max"):
        with pytest.raises(NotSeen):
            getattr(rings, name)


ANSWER: dict[str, Any] = {
    "driver": {"driver": "mlx5_core", "version": "", "firmware": "22.31", "bus": "0000:17:00.0"},
    "rings": {"rx": 1024, "rx_max": 8192, "tx": 1024, "tx_max": 8192},
    "channels": None,
    "coalesce": {"error": "EPERM"},
    "features": {"rx-gro": "on", "rx-lro": "off [requested on]"},
}


def recorded(folder: Path, text: str) -> Ethtool:
    (folder / "ethtool").mkdir()
    (folder / "ethtool/eth0.json").write_text(text)
    return ethtool_of(RecordedAnswers(Reader(Files(folder)))(["eth0"]), "eth0", "ethtool")


def test_a_recorded_answer_is_read_as_it_was_given(tmp_path: Path) -> None:
    ethtool = recorded(tmp_path, json.dumps(ANSWER))
    assert (ethtool.driver, ethtool.firmware, ethtool.bus) == ("mlx5_core", "22.31", "0000:17:00.0")
    assert ethtool.rings is not None and ethtool.rings.rx_max == 8192
    assert ethtool.channels is None
    assert ethtool.features is not None and [feature.requested for feature in ethtool.features] == [None, True]
    with pytest.raises(NotSeen, match="needs root"):
        assert ethtool.coalesce


@pytest.mark.parametrize("text", ["", "[]", "{", "\0", '{"error": "ENODEV"}', '{"a": 1, "a": 2}', "[" * 100_000, '"x"'])
def test_a_broken_recorded_answer_is_a_gap(tmp_path: Path, text: str) -> None:
    assert isinstance(recorded(tmp_path, text), Gap)


@pytest.mark.parametrize(
    "features",
    ["on", [], {"rx-gro": "maybe"}, {"rx-gro": None}, {"rx-gro": ["on"]}, {"rx-gro": "on [x]"}, {"error": 5}],
)
def test_features_that_are_none_are_a_gap(tmp_path: Path, features: object) -> None:
    ethtool = recorded(tmp_path, json.dumps({**ANSWER, "features": features}))
    with pytest.raises(NotSeen):
        ethtool.offload("rx-gro")


@pytest.mark.parametrize("value", [-1, "8", 1.5, None, True])
def test_a_number_that_is_none_is_a_gap(tmp_path: Path, value: object) -> None:
    rings = recorded(tmp_path, json.dumps({**ANSWER, "rings": {**ANSWER["rings"], "rx": value}})).rings
    assert rings is not None and rings.rx_max == 8192
    with pytest.raises(NotSeen):
        assert rings.rx
