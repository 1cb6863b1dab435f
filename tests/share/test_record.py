"""A recording probes like the machine it was made of, and holds nobody's name."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from kvmnb import demo
from kvmnb.core import codec
from kvmnb.core.errors import Refused
from kvmnb.facts.gap import NotSeen
from kvmnb.machine import sources
from kvmnb.machine.files import ReadOnlyFiles
from kvmnb.probe.survey import Survey, probe
from kvmnb.share import capture as captures
from kvmnb.share import texts
from kvmnb.share.diff import flatten
from kvmnb.share.record import record
from tests.share.planting import IDENTIFIERS, Planter, planted_host, planted_in
from tests.small_host import write_guest, write_host

_STAND_IN = re.compile(r"x[0-9a-f]{10}|kvmnb\.dropped")


def contents(folder: Path) -> str:
    """Every path and text of a folder."""
    found = []
    for path in sorted(folder.rglob("*")):
        found.append(str(path.relative_to(folder)))
        if path.is_file():
            found.append(path.read_bytes().decode("utf-8", "replace"))
    return "\n".join(found)


def flat(survey: Survey) -> dict[str, object]:
    return dict(flatten("all", {"host": codec.to_builtins(survey.host), "domains": codec.to_builtins(survey.domains)}))


def test_probing_the_recording_of_a_machine_gives_its_facts(tmp_path: Path) -> None:
    """Every fact that is no text is equal; of the texts, those that are not stand-ins."""
    machine = sources.recorded(demo.path())
    before = probe(machine)
    record(machine, tmp_path / "host")
    after = probe(sources.recorded(tmp_path / "host"))
    assert len(after.domains) == len(before.domains) == 8
    names = dict(zip((one.name for one in _by_shape(after)), (one.name for one in _by_shape(before)), strict=True))
    assert len(set(names.values())) == 8
    old = flat(before)
    new = {
        re.sub(r"^all\.domains\[(\w+)\]", lambda m: f"all.domains[{names[m[1]]}]", key): v
        for key, v in flat(after).items()
    }
    unlike = {key for key in old.keys() | new.keys() if old.get(key, "-") != new.get(key, "-")}
    assert len(old) > 10_000 and len(new) > 10_000
    told = {key: (old.get(key), new.get(key)) for key in unlike if not _stands_in(key, new.get(key), old.get(key))}
    assert not told


def _stands_in(key: str, new: object, old: object) -> bool:
    """Whether a fact differs since it is, or is named by, a stand-in."""
    if new is None:
        return bool(re.search(r"command_line\[|\[(?:/|[0-9a-f]{2}:|\w+01|win10)|filterref|parameters", key)) or _named(
            str(old)
        )
    return bool(_STAND_IN.search(f"{key} {new}")) or _named(f"{key} {new}")


def _named(text: str) -> bool:
    return bool(
        re.search(
            r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|02(?::[0-9a-f]{2}){5}|198\.1[89]\.|2001:db8|\.uri", text
        )
    )


def test_the_demo_host_recorded_holds_none_of_its_names(tmp_path: Path) -> None:
    record(sources.recorded(demo.path()), tmp_path / "host")
    text = contents(tmp_path / "host").lower()
    for name in ("db01", "web01", "mail01", "build01", "cache01", "dwh01", "router01", "win10", "vg_fast", "52:54:00"):
        assert name not in text, name
    assert (tmp_path / "host/sys/block/nvme0n1/queue/scheduler").read_text() == (
        demo.path() / "sys/block/nvme0n1/queue/scheduler"
    ).read_text()


def test_originals_planted_in_every_file_do_not_survive(tmp_path: Path) -> None:
    plant = Planter()
    host = planted_host(tmp_path / "planted", plant)
    assert plant.planted > 4000
    assert len(planted_in(contents(host))) == 5
    written = record(sources.recorded(host), tmp_path / "out")
    assert written.files > 1000
    text = contents(tmp_path / "out")
    assert not planted_in(text)
    assert not [one for one in IDENTIFIERS if one in text]


def test_a_name_that_is_left_stops_the_recording_and_nothing_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = write_host(tmp_path / "host")
    write_guest(host, "payroll-db")
    for form in ("payroll-db", "PAYROLL-DB", "%70ayroll-db", "cGF5cm9sbC1kYg==", "&#112;ayroll-db"):
        (host / "sys/devices/system/cpu/isolated").write_text(f"{form}\n")
        with monkeypatch.context() as patch:
            patch.setattr(texts, "plain", lambda scrub, text, path: text)
            with pytest.raises(Refused, match="domain/name") as told:
                record(sources.recorded(host), tmp_path / "out")
        assert "payroll" not in str(told.value)
        assert sorted(os.listdir(tmp_path)) == ["host"]


def test_a_path_that_holds_a_name_stops_the_recording(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    host = write_host(tmp_path / "host")
    write_guest(host, "payroll-db")
    (host / "sys/class/net/payroll-db").mkdir(parents=True)
    monkeypatch.setattr("kvmnb.share.scrub.Scrub.name", lambda self, text, field: text)
    with pytest.raises(Refused, match="domain/name"):
        record(sources.recorded(host), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_what_could_not_be_read_is_a_gap_in_the_recording_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    host = write_host(tmp_path / "host")
    real = ReadOnlyFiles.read_bytes

    def refuse(self: ReadOnlyFiles, path: str) -> bytes:
        if path.endswith("cpu/isolated"):
            raise PermissionError(13, "Permission denied", path)
        return real(self, path)

    with monkeypatch.context() as patch:
        patch.setattr(ReadOnlyFiles, "read_bytes", refuse)
        record(sources.recorded(host), tmp_path / "out")
    survey = probe(sources.recorded(tmp_path / "out"))
    with pytest.raises(NotSeen, match="needs root"):
        _ = survey.host.isolated


def test_a_file_that_nobody_knows_is_left_out_and_said_to_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    host = write_host(tmp_path / "host")
    (host / "etc").mkdir()
    (host / "etc/secret-of-acme").write_text("token 52:54:00:aa:bb:cc\n")

    def curious(machine: object) -> Survey:
        survey = probe(machine)  # type: ignore[arg-type]
        machine.files.read("etc/secret-of-acme")  # type: ignore[attr-defined]
        return survey

    monkeypatch.setattr(captures, "probe", curious)
    written = record(sources.recorded(host), tmp_path / "out")
    [dropped] = written.dropped
    assert re.fullmatch(r"etc/x[0-9a-f]{10}", dropped)
    assert "acme" not in contents(tmp_path / "out")
    with pytest.raises(OSError, match="scrubbed"):
        sources.recorded(tmp_path / "out").tree.read(dropped)


def test_two_recordings_of_one_user_agree_and_another_users_do_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = write_host(tmp_path / "host")
    write_guest(host, "payroll-db")
    for name in ("one", "two"):
        record(sources.recorded(host), tmp_path / name)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "another"))
    record(sources.recorded(host), tmp_path / "three")
    names = [probe(sources.recorded(tmp_path / one)).domains[0].name for one in ("one", "two", "three")]
    assert names[0] == names[1] != names[2]
    salt = tmp_path / "another/kvmnb/recording.salt"
    assert salt.stat().st_mode & 0o777 == 0o600
    assert salt.read_bytes().hex() not in contents(tmp_path / "three")


@pytest.mark.parametrize("ending", [".tar.zst", ".tar.xz", ".tar.gz"])
def test_an_archive_holds_what_the_folder_holds(tmp_path: Path, ending: str) -> None:
    host = write_host(tmp_path / "host")
    write_guest(host, "web")
    record(sources.recorded(host), tmp_path / "folder")
    record(sources.recorded(host), tmp_path / f"file{ending}")
    machine = sources.recorded(tmp_path / f"file{ending}")
    unpacked = machine.tree.root
    assert flat(probe(machine)) == {
        key: str(tmp_path / f"file{ending}") if key.endswith("hypervisor.uri") else value
        for key, value in flat(probe(sources.recorded(tmp_path / "folder"))).items()
    }
    machine.close()
    assert not unpacked.exists()


def test_what_is_there_is_never_written_over(tmp_path: Path) -> None:
    host = write_host(tmp_path / "host")
    (tmp_path / "out").mkdir()
    (tmp_path / "out/mine").write_text("mine")
    with pytest.raises(Refused, match="already"):
        record(sources.recorded(host), tmp_path / "out")
    assert (tmp_path / "out/mine").read_text() == "mine"


def _by_shape(survey: Survey) -> list:
    """Guests in an order that their names have no part in."""
    return sorted(
        survey.domains,
        key=lambda one: (one.wanted.vcpus, one.wanted.memory_bytes, len(one.wanted.vcpu_pins), one.running),
    )


def test_a_guest_that_is_named_like_a_word_of_the_kernel_can_be_recorded(tmp_path: Path) -> None:
    """Such a name is replaced like any other; that the word stands elsewhere tells nothing of the guest."""
    host = write_host(tmp_path / "host")
    for number, name in enumerate(("performance", "media", "default", "isolated", "recording")):
        write_guest(host, name, number)
    record(sources.recorded(host), tmp_path / "out")
    names = {domain.name for domain in probe(sources.recorded(tmp_path / "out")).domains}
    assert len(names) == 5 and all(_STAND_IN.fullmatch(name) for name in names)
    assert (tmp_path / "out/sys/devices/system/cpu/cpufreq/policy0/scaling_governor").read_text() == "powersave\n"
