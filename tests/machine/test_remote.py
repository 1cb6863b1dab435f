"""A remote host is read through one ssh, quickly, or says within ten seconds why it is not."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from kvmnb.core import codec
from kvmnb.core.errors import Refused, SourceError
from kvmnb.facts.gap import NotSeen
from kvmnb.machine import sources
from kvmnb.machine.files import Files
from kvmnb.machine.machine import Machine
from kvmnb.machine.reading import BOOTSTRAP, script
from kvmnb.machine.remote import Reader, RemoteFiles, Target, Unreached, target_of
from kvmnb.probe.survey import Survey, probe
from kvmnb.verbs import open_machine
from tests.lab.daemon import Lab
from tests.lab.guest import Guest
from tests.machine.sshd import Sshd, free_port, missing

LIMIT = 10.0


@pytest.fixture
def sshd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sshd]:
    if missing():
        pytest.skip(missing())
    started = Sshd(tmp_path)
    monkeypatch.setenv("PATH", f"{started.wrapper}:{os.environ['PATH']}")
    try:
        yield started
    finally:
        started.stop()


def bare(files: Files) -> Machine:
    return Machine("live", "a host", "a host", None, files)


def uri_of(lab: Lab, sshd: Sshd) -> str:
    return f"qemu+ssh://localhost/system?socket={lab.root}/sock/libvirt-sock&netcat={sshd.relay}"


def settled(survey: Survey) -> dict[str, object]:
    """The facts without those that move from one reading to the next."""
    from kvmnb.share.diff import _MOVING, flatten

    found = dict(flatten("host", codec.to_builtins(survey.host)))
    return {name: value for name, value in found.items() if not _MOVING.fullmatch(name)}


def of_own_guests(lab: Lab, survey: Survey) -> object:
    """The same without the cgroups of guests that another lab may start and end meanwhile."""
    found = settled(survey)
    return {name: value for name, value in found.items() if "/qemu-" not in name or lab.tag in name}


def test_the_command_holds_nothing_that_came_from_a_uri() -> None:
    target = target_of("qemu+ssh://root@db.example:2222/system?keyfile=/k/e%20y&socket=/s")
    assert target == Target("db.example", "root", 2222, "/k/e y", ("/s",))
    assert target.arguments[-3:] == ("--", "db.example", BOOTSTRAP)
    assert target.arguments[target.arguments.index("-l") + 1] == "root"
    assert Target("x").arguments[-1] == target.arguments[-1]


@pytest.mark.parametrize(
    "uri",
    [
        "qemu+ssh:///system",
        "qemu+ssh://-oProxyCommand=touch%20x/system",
        "qemu+ssh://a%20b/system",
        "qemu+ssh://-l@host/system",
        "qemu+ssh://u%0a@host/system",
        "qemu+ssh://host:99999/system",
        "qemu+ssh://host/system?command=/tmp/evil",
    ],
)
def test_a_uri_that_ssh_could_take_for_options_is_refused(uri: str) -> None:
    with pytest.raises(SourceError):
        target_of(uri)


def test_the_reader_needs_nothing_but_the_files_it_is_asked_for() -> None:
    """Run as ssh runs it, by hand: it cannot be talked into leaving its tree or opening what is no file."""
    fifo = f"/tmp/kvmnb-fifo-{os.getpid()}"
    os.mkfifo(fifo)
    try:
        process = subprocess.Popen(["sh", "-c", BOOTSTRAP], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        asked = {"read": ["/etc/passwd", "../etc/passwd", "a/../../b", fifo[1:], "proc/version", "dev/zero", "a\0b"]}
        out, _ = process.communicate(script() + json.dumps(asked).encode() + b"\n", timeout=20)
    finally:
        os.unlink(fifo)
    import zlib

    head, _, rest = out.partition(b"\n")
    length, _, packed = rest.partition(b"\n")
    assert head == b"kvmnb-reader-1" and int(length) == len(packed)
    told = json.loads(zlib.decompress(packed))["read"]
    assert told.pop("proc/version") == Path("/proc/version").read_text()
    assert all(list(answer) == ["error"] for answer in told.values()), told


def test_host_facts_over_ssh_equal_local_ones(sshd: Sshd) -> None:
    with closing(RemoteFiles(Reader(Target("localhost")))) as files:
        remote = settled(probe(bare(files)))
        trips = files.round_trips
        local = settled(probe(bare(Files(Path("/")))))
        assert remote == local
        assert trips <= 10
        assert len(sshd.started) == 1
        again = settled(probe(bare(files)))
        assert again == local
        # All that the first probe read comes in one piece.
        assert files.round_trips - trips <= 2


def test_outside_of_a_probe_every_question_is_asked_anew(sshd: Sshd, tmp_path: Path) -> None:
    path = tmp_path / "value"
    with closing(RemoteFiles(Reader(Target("localhost")))) as files:
        inside = str(path)[1:]
        assert not files.exists(inside)
        path.write_text("1\n")
        assert files.exists(inside) and files.read(inside) == "1"
        path.write_text("2\n")
        assert files.read(inside) == "2"
        (tmp_path / "link").symlink_to("value")
        assert files.link(f"{inside[: -len('value')]}link") == "value"
        assert "value" in files.names(str(tmp_path)[1:])
        with pytest.raises(IsADirectoryError):
            files.read(str(tmp_path)[1:])
        path.write_bytes(b"\xff\xfe")
        assert files.read_bytes(inside) == b"\xff\xfe"
        with pytest.raises(ValueError, match="utf-8"):
            files.read(inside)


def test_a_remote_host_takes_no_writes(sshd: Sshd) -> None:
    with closing(RemoteFiles(Reader(Target("localhost")))) as files:
        assert not files.writable("proc/sys/vm/swappiness")
        with pytest.raises(Refused, match="remote host"):
            files.write("proc/sys/vm/swappiness", "60")
        with pytest.raises(Refused):
            files.read("../etc/passwd")


def test_closing_ends_the_process(sshd: Sshd) -> None:
    reader = Reader(Target("localhost"))
    files = RemoteFiles(reader)
    bare(files).close()
    assert not os.path.exists(f"/proc/{reader.pid}")
    with pytest.raises(OSError, match="closed"):
        files.read("proc/version")


def test_a_changed_host_key_is_told_within_the_limit(sshd: Sshd) -> None:
    sshd.new_key("user")
    sshd.know((sshd.folder / "user.pub").read_text())
    began = time.monotonic()
    with pytest.raises(Unreached, match="host key"):
        Reader(Target("localhost"))
    assert time.monotonic() - began < LIMIT
    assert all("host key" in reason for reason in survey_gaps("qemu+ssh://localhost/system"))
    assert time.monotonic() - began < 2 * LIMIT


def test_a_key_that_is_not_let_in_is_told(sshd: Sshd) -> None:
    (sshd.folder / "authorized").write_text("")
    with pytest.raises(Unreached, match="Permission denied"):
        Reader(Target("localhost"))


@pytest.mark.slow
def test_a_host_that_accepts_and_says_nothing_is_given_up_within_the_limit(
    sshd: Sshd, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        began = time.monotonic()
        uri = f"qemu+ssh://127.0.0.1:{silent.getsockname()[1]}/system"
        gaps = survey_gaps(uri)
        assert time.monotonic() - began < LIMIT
        assert all("cannot be read over ssh" in reason for reason in gaps)
        with pytest.raises(SourceError, match="cannot be read over ssh"):
            open_machine(uri=uri)


def survey_gaps(uri: str) -> set[str]:
    """The reasons of the gaps of a host that nothing was reached of: all of its facts."""
    machine = sources.live(uri)
    survey = probe(machine)
    machine.close()
    assert survey.domains == ()
    assert {gap.fact for gap in survey.gaps} >= {"host.cpus", "host.numa_nodes", "host.kernel", "host.nics"}
    return {gap.reason for gap in survey.gaps}


def test_a_port_without_a_listener_is_told_at_once(sshd: Sshd) -> None:
    began = time.monotonic()
    with pytest.raises(Unreached, match="refused"):
        Reader(Target("127.0.0.1", port=free_port()))
    assert time.monotonic() - began < 3


@pytest.mark.slow
def test_a_link_that_died_makes_gaps_within_the_limit(sshd: Sshd) -> None:
    with closing(RemoteFiles(Reader(Target("localhost")))) as files:
        probe(bare(files))
        sessions = sshd.sessions()
        for pid in sessions:
            os.kill(pid, signal.SIGSTOP)
        try:
            began = time.monotonic()
            host = probe(bare(files)).host
            took = time.monotonic() - began
        finally:
            for pid in sessions:
                os.kill(pid, signal.SIGCONT)
        assert took < LIMIT
        with pytest.raises(NotSeen, match=r"in time|ssh"):
            _ = host.isolated
        assert host.gaps()
        began = time.monotonic()
        probe(bare(files))
        assert time.monotonic() - began < 1


def test_an_ssh_that_is_killed_makes_gaps_at_once(sshd: Sshd) -> None:
    with closing(RemoteFiles(reader := Reader(Target("localhost")))) as files:
        killer = threading.Timer(0, os.kill, (reader.pid, signal.SIGKILL))
        killer.start()
        killer.join()
        began = time.monotonic()
        assert probe(bare(files)).host.gaps()
        assert time.monotonic() - began < 3


def test_a_host_without_python_is_no_reason_to_lose_its_guests(sshd: Sshd) -> None:
    (sshd.folder / "sshd_config").read_text()
    (sshd.folder / "authorized").write_text(
        'command="exec nothing-of-this-name" ' + (sshd.folder / "user.pub").read_text()
    )
    with pytest.raises(SourceError, match="no python3") as told:
        Reader(Target("localhost"))
    assert not isinstance(told.value, Unreached)


def test_words_that_a_login_prints_do_not_disturb(sshd: Sshd) -> None:
    (sshd.folder / "authorized").write_text(
        'command="echo Welcome; echo; eval \\"$SSH_ORIGINAL_COMMAND\\"" ' + (sshd.folder / "user.pub").read_text()
    )
    with closing(RemoteFiles(Reader(Target("localhost")))) as files:
        assert files.read("proc/version") == Path("/proc/version").read_text().rstrip()


@pytest.mark.lab
@pytest.mark.usefixtures("host_settings")
def test_a_whole_machine_over_ssh_equals_the_local_one(lab: Lab, sshd: Sshd, guest: Callable[..., Guest]) -> None:
    guest(system=False)
    with closing(sources.live(lab.uri)) as near:
        local = probe(near)
    began = time.monotonic()
    with closing(sources.live(uri_of(lab, sshd))) as far:
        remote = probe(far)
        took = time.monotonic() - began
        assert far.files is not None, far.files_gap
        assert of_own_guests(lab, remote) == of_own_guests(lab, local)
        assert [domain.uuid for domain in remote.domains] == [domain.uuid for domain in local.domains]
        assert len(sshd.started) == 2, "one ssh is libvirt's, one is the reader's"
        assert codec.to_builtins([one.inactive for one in remote.domains]) == codec.to_builtins(
            [one.inactive for one in local.domains]
        )
    assert took < LIMIT


@pytest.mark.lab
def test_guests_stay_where_only_the_reader_fails(lab: Lab, sshd: Sshd, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kvmnb.machine.remote.BOOTSTRAP", "exec python3-of-no-host -I -c pass")
    with closing(sources.live(uri_of(lab, sshd))) as far:
        survey = probe(far)
    with pytest.raises(NotSeen, match="no python3"):
        _ = survey.host.cpus
    assert survey.host.hypervisor is not None and survey.host.hypervisor.libvirt
