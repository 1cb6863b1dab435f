"""Mutes in a person's kvmnb.toml: the file keeps every other byte, its mode and its links."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from kvmnb.advise.intent_file import read_intent
from kvmnb.advise.mute import Mute
from kvmnb.advise.mute_file import mute, unmute
from kvmnb.core.errors import KvmnbError

OWN = """# ours, kept by hand
goal   =  "latency+windows"   # why: the shop

[guest."my db"]
os = 'win2k22' # says Ann
# before the mute
[[mute]]   # the old one
id = "host.tuned"
reason = '''
[[mute]]
# not a comment
'''
# after it
[threshold]
"disk.queues.max" = 4
"""
FAR = date(2999, 1, 31)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "kvmnb.toml"
    path.write_text(OWN)
    return path


def test_a_mute_is_added_at_the_end_and_taken_out_without_a_trace(file: Path) -> None:
    file.chmod(0o640)
    intent = mute(file, "disk.cache", 'a "quoted"\nreason \\ \x7f', "domain/my%20db/disk/vda", FAR)
    added = Mute(id="disk.cache", reason='a "quoted"\nreason \\ \x7f', subject="domain/my%20db/disk/vda", until=FAR)
    assert intent.mutes[1:] == (added,) == read_intent(config=file).mutes[1:]
    assert file.read_text().startswith(OWN)
    assert file.stat().st_mode & 0o7777 == 0o640
    unmute(file, "disk.cache", "domain/my%20db/disk/vda")
    assert file.read_text() == OWN
    assert [path.name for path in file.parent.iterdir()] == ["kvmnb.toml"]


def test_only_the_lines_of_the_mute_go_and_the_person_s_comments_stay(file: Path) -> None:
    unmute(file, "host.tuned")
    first, last = OWN.index("[[mute]]   #"), OWN.index("# after it")
    assert file.read_text() == OWN[:first] + OWN[last:]


def test_a_second_mute_of_the_same_subject_takes_the_place_of_the_first(file: Path) -> None:
    for reason in ("one", "two"):
        mute(file, "dev.agent", reason)
    assert [one.reason for one in read_intent(config=file).mutes if one.id == "dev.agent"] == ["two"]


def test_a_file_that_is_not_there_is_made_and_a_link_is_followed(tmp_path: Path) -> None:
    real, link = tmp_path / "dotfiles" / "kvm.toml", tmp_path / "kvmnb.toml"
    link.symlink_to(real)
    mute(link, "dev.agent", "no agents")
    assert link.is_symlink()
    assert real.read_text() == '[[mute]]\nid = "dev.agent"\nreason = "no agents"\n'


def test_line_ends_of_the_file_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "kvmnb.toml"
    path.write_bytes(b'goal = "density"\r\n')
    mute(path, "dev.agent", "x")
    assert path.read_bytes() == b'goal = "density"\r\n\r\n[[mute]]\r\nid = "dev.agent"\r\nreason = "x"\r\n'


@pytest.mark.parametrize(
    ("rule", "reason", "subject", "until", "words"),
    [
        ("dev.agnt", "x", None, None, "did you mean dev.agent"),
        ("dev.agent", " ", None, None, "needs a reason"),
        ("dev.agent", "x", "db", None, "host or domain/NAME"),
        ("dev.agent", "x", None, date(2020, 1, 1), "that day has passed"),
    ],
)
def test_a_mute_that_means_nothing_is_refused_and_nothing_is_written(
    file: Path, rule: str, reason: str, subject: str | None, until: date | None, words: str
) -> None:
    with pytest.raises(KvmnbError, match=words):
        mute(file, rule, reason, subject, until)
    assert file.read_text() == OWN


def test_what_is_not_muted_cannot_be_heard_again(file: Path) -> None:
    with pytest.raises(KvmnbError, match=r"does not mute dev\.agent"):
        unmute(file, "dev.agent")
    with pytest.raises(KvmnbError, match="muted is every subject"):
        unmute(file, "host.tuned", "host")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("guest.db.policy = 'own'", "guest.db.policy is 'own', and it takes one of dedicated, shared, floating"),
        ("guest.db.pol = 'own'", "the key guest.db.pol is not known"),
        ("guest.db.goal = 'fast'", "guest.db.goal: 'fast' is no goal"),
        ("guest.db = {goal = 'windows', os = 'linux'}", "guest.db.goal has the overlay windows, and guest.db.os"),
        ("threshold.disk.queues.max = 0", "threshold disk.queues.max is 0"),
        ("mute = 3", "mute is 3"),
        ("[[mute]]\nid = 'x.y'\nreason = 'r'", "mute[1].id: there is no rule 'x.y'"),
        ("[[mute]]\nid = 'dev.agent'", "mute[1].reason is missing"),
        ("[[mute]]\nid = 'dev.agent'\nreason = 'r'\nuntil = '2027-01-01'", "a day without quotes"),
        ("goal = 7", "goal is 7, and it takes a text"),
    ],
)
def test_what_is_wrong_in_the_file_is_named_with_file_and_key(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "kvmnb.toml"
    path.write_text(text)
    with pytest.raises(KvmnbError) as refusal:
        read_intent(config=path)
    assert str(refusal.value).startswith(f"reading the intent from {path}: ")
    assert words in str(refusal.value)
    assert "\n" not in str(refusal.value)
