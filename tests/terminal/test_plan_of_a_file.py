"""``kvmnb plan --domain-xml FILE --out-xml OUT`` gives back the file with the plan's edits and nothing else."""

from __future__ import annotations

import difflib
from pathlib import Path

import pytest

from kvmnb.cli import main

HOST = Path(__file__).parent.parent / "hosts/2-nodes-24-cpus-smt"
GUEST = """<?xml version='1.0' encoding='ISO-8859-1'?>
<!-- größer -->
<domain type="kvm"  xmlns:x='urn:x'>
  <name>web</name>
  <memory unit='KiB'>1048576</memory>
  <vcpu>2</vcpu>
  <os><type arch='x86_64' machine='pc-q35-7.2'>hvm</type></os>
  <devices>
    <disk type='block' device='disk'>
      <driver name='qemu' type='raw'   cache="writethrough"/>
      <source dev='/dev/vg/web'/>
      <target dev='vda' bus='virtio'/>
    </disk>
  </devices>
  <x:own/>
</domain>
"""


def plan(source: Path, out: Path, *which: str) -> int:
    return main(["plan", "--recorded", str(HOST), "--domain-xml", str(source), *which, "--out-xml", str(out)])


def files(tmp_path: Path, raw: bytes) -> tuple[Path, Path]:
    source, out = tmp_path / "guest.xml", tmp_path / "out.xml"
    source.write_bytes(raw)
    return source, out


@pytest.mark.parametrize(
    ("codec", "declared", "line_end"),
    [("latin-1", "ISO-8859-1", "\n"), ("utf-8", "UTF-8", "\r\n"), ("utf-8-sig", "UTF-8", "\n")],
)
def test_one_rule_changes_one_line_and_keeps_encoding_and_line_ends(
    tmp_path: Path, codec: str, declared: str, line_end: str
) -> None:
    before = GUEST.replace("ISO-8859-1", declared).replace("\n", line_end)
    source, out = files(tmp_path, before.encode(codec))
    assert plan(source, out, "--rule", "disk.cache") == 0
    after = before.replace('cache="writethrough"', 'cache="directsync"')
    assert out.read_bytes() == after.encode(codec)
    assert source.read_bytes() == before.encode(codec)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["guest.xml", "out.xml"]


def test_all_rules_leave_every_other_byte(tmp_path: Path) -> None:
    source, out = files(tmp_path, GUEST.encode("latin-1"))
    assert plan(source, out, "--all") == 0
    difference = list(difflib.ndiff(GUEST.splitlines(), out.read_text("latin-1").splitlines()))
    removed = [line[2:].strip() for line in difference if line.startswith("- ")]
    assert removed == ["<vcpu>2</vcpu>", """<driver name='qemu' type='raw'   cache="writethrough"/>"""]
    assert any(line.startswith("+ ") and "<memballoon" in line for line in difference)


def test_a_second_plan_of_the_edited_file_changes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, out = files(tmp_path, GUEST.encode("latin-1"))
    assert plan(source, out, "--all") == 0
    again = tmp_path / "again.xml"
    capsys.readouterr()
    assert plan(out, again, "--all") == 0
    assert capsys.readouterr().out.startswith("Nothing to change")
    assert again.read_bytes() == out.read_bytes()


def test_the_file_may_be_written_over(tmp_path: Path) -> None:
    source, _ = files(tmp_path, GUEST.encode("latin-1"))
    assert plan(source, source, "--rule", "disk.cache") == 0
    assert source.read_text("latin-1") == GUEST.replace('"writethrough"', '"directsync"')


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"<network/>", "not a libvirt <domain>"),
        (b"", "guest.xml"),
        (b"<domain>", "guest.xml"),
        (b"{{ template }}", "guest.xml"),
        (b"<domain type='kvm'><name>{{ name }}</name></domain>", "planning domain_xml:%7B%7B%20name%20%7D%7D:devices"),
        (b"<!DOCTYPE d [<!ENTITY a 'b'>]><domain><name>&a;</name></domain>", "guest.xml"),
        (
            "<?xml version='1.0' encoding='UTF-8'?><domain><name>ü</name></domain>".encode("latin-1"),
            "guest.xml: the XML file is not utf-8",
        ),
        (b"\x7fELF\x00\xff", "guest.xml"),
    ],
)
def test_what_is_no_domain_xml_is_refused_and_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], raw: bytes, words: str
) -> None:
    source, out = files(tmp_path, raw)
    _refused(plan(source, out, "--all"), capsys, words)
    assert not out.exists()


def test_what_cannot_be_done_is_said_in_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, out = files(tmp_path, GUEST.encode("latin-1"))
    _refused(plan(source, out, "--rule", "disk.cash"), capsys, "disk.cash")
    _refused(plan(tmp_path / "absent.xml", out, "--all"), capsys, "absent.xml: No such file or directory")
    _refused(plan(source, tmp_path / "no/out.xml", "--all"), capsys, "no/out.xml: No such file or directory")
    assert [path.name for path in tmp_path.iterdir()] == ["guest.xml"]


def _refused(code: int, capsys: pytest.CaptureFixture[str], words: str) -> None:
    said = capsys.readouterr().err
    assert (code, said.count("\n")) == (2, 1), said
    assert words in said
