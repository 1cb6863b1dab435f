"""Images and their chains, from images that qemu-img makes here and from answers that it never gives."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from lxml import etree

from kvmnb.facts.gap import Gap, NotSeen
from kvmnb.facts.image import Image
from kvmnb.machine.commands import Answer, Late, LocalCommands, RecordedCommands, RememberedCommands, as_files
from kvmnb.machine.files import ReadOnlyFiles
from kvmnb.probe.device import read_devices
from kvmnb.probe.image import Images

MIB = 1024**2

needs_qemu_img = pytest.mark.skipif(shutil.which("qemu-img") is None, reason="qemu-img is not installed")


def create(
    path: Path, size: str, *, format: str = "qcow2", options: str = "", backing: Path | str = "", below: str = "qcow2"
) -> str:
    argv = ["qemu-img", "create", "-q", "-f", format]
    argv += ["-o", options] if options else []
    argv += ["-b", str(backing), "-F", below] if backing else []
    subprocess.run([*argv, "--", str(path), size], check=True)
    return str(path)


class Told:
    """A source that answers ``stat`` with a file and ``qemu-img`` with a text of the test's."""

    def __init__(self, stdout: str, code: int = 0, stderr: str = "") -> None:
        self.answer = Answer(code, stdout, stderr)
        self.asked: list[tuple[str, ...]] = []

    def run(self, argv: Sequence[str], timeout: float) -> Answer:
        self.asked.append(tuple(argv))
        if argv[:2] == ("stat", "-f"):
            return Answer(0, "4096 1000 250\n", "")
        return Answer(0, f"81a4 65024 {len(self.asked)} 0 0\n", "") if argv[0] == "stat" else self.answer


def reason_of(image: object) -> str:
    assert isinstance(image, Gap)
    return image.reason


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("images")


@needs_qemu_img
def test_a_raw_image_is_sparse_or_full(folder: Path) -> None:
    images = Images(LocalCommands())
    sparse = images.image(create(folder / "sparse.raw", "64M", format="raw"), "raw")
    full = images.image(create(folder / "full.raw", "2M", format="raw", options="preallocation=full"), "raw")
    device = os.stat(folder).st_dev
    assert sparse == Image(
        path=str(folder / "sparse.raw"),
        format="raw",
        block_device=False,
        number=f"{os.major(device)}:{os.minor(device)}",
        virtual_bytes=64 * MIB,
        actual_bytes=os.stat(folder / "sparse.raw").st_blocks * 512,
        cluster_bytes=None,
        compat=None,
        lazy_refcounts=None,
        extended_l2=None,
        corrupt=None,
        data_file=None,
        encrypted=False,
        snapshots=0,
        bitmaps=0,
        space=sparse.space,
        backing_file=None,
        backing_format=None,
        backing=None,
    )
    room = os.statvfs(folder)
    assert sparse.space is not None
    assert sparse.space.total_bytes == room.f_frsize * room.f_blocks
    # Others write here too.
    assert abs(sparse.space.free_bytes - room.f_frsize * room.f_bavail) < 256 * MIB
    assert (sparse.fully_allocated, sparse.l2_bytes) == (False, None)
    assert sparse.growth_bytes == 64 * MIB - (sparse.actual_bytes or 0)
    assert (full.fully_allocated, full.virtual_bytes) == (True, 2 * MIB)


@needs_qemu_img
def test_a_chain_is_walked_from_the_top_to_the_bottom(folder: Path) -> None:
    base = create(folder / "base.qcow2", "300G", options="cluster_size=128k,extended_l2=on,lazy_refcounts=on")
    middle = create(folder / "middle, x.qcow2", "300G", backing=Path("base.qcow2"))
    top = create(folder / "-top.qcow2", "300G", options="cluster_size=2M", backing=middle)
    subprocess.run(["qemu-img", "snapshot", "-c", "one", top], check=True)
    image = Images(LocalCommands()).image(top, "qcow2")
    assert [one.path for one in image.chain] == [top, middle, base]
    assert [one.cluster_bytes for one in image.chain] == [2 * MIB, 65536, 131072]
    # docs/qcow2-cache.txt: disk_size = l2_cache_size * cluster_size / 8, with extended L2 entries / 16.
    assert [one.l2_bytes for one in image.chain] == [
        300 * 2**30 // c * e for c, e in ((2 * MIB, 8), (65536, 8), (131072, 16))
    ]
    assert [one.extended_l2 for one in image.chain] == [False, False, True]
    assert [one.lazy_refcounts for one in image.chain] == [False, False, True]
    assert [one.snapshots for one in image.chain] == [1, 0, 0]
    assert [one.backing_file for one in image.chain] == [middle, "base.qcow2", None]
    assert image.compat == "1.1"
    assert image.gaps() == ()


@needs_qemu_img
def test_metadata_made_beforehand_is_not_taken_for_space_that_is(folder: Path) -> None:
    images = Images(LocalCommands())
    metadata = images.image(create(folder / "metadata.qcow2", "1G", options="preallocation=metadata"), "qcow2")
    falloc = images.image(create(folder / "falloc.qcow2", "8M", options="preallocation=falloc"), "qcow2")
    assert (metadata.fully_allocated, falloc.fully_allocated) == (False, True)


@needs_qemu_img
def test_bitmaps_that_backups_go_by_are_counted(folder: Path) -> None:
    path = create(folder / "bitmaps.qcow2", "8M")
    for name in ("monday", "tuesday"):
        subprocess.run(["qemu-img", "bitmap", "--add", path, name], check=True)
    assert Images(LocalCommands()).image(path, "qcow2").bitmaps == 2


def test_images_are_not_asked_for_without_an_end() -> None:
    clock = iter(range(0, 1000, 7))
    images = Images(Told('{"virtual-size": 1}'), now=lambda: float(next(clock)))
    found = [images.image(f"/srv/{number}", "raw") for number in range(3)]
    assert [isinstance(one, Gap) for one in found] == [False, True, True]
    assert reason_of(found[2]) == "not asked: the images before it took 20 seconds"


@needs_qemu_img
def test_encryption_and_old_versions_show(folder: Path) -> None:
    path = folder / "secret.qcow2"
    # The older cipher: LUKS spends seconds on its key.
    secret = ["--object", "secret,id=s,data=not-real", "-o", "encrypt.format=aes,encrypt.key-secret=s"]
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", *secret, str(path), "8M"], check=True)
    images = Images(LocalCommands())
    assert images.image(str(path), "qcow2").encrypted
    old = images.image(create(folder / "old.qcow2", "8M", options="compat=0.10"), "qcow2")
    assert (old.compat, old.extended_l2, old.lazy_refcounts) == ("0.10", False, None)


@needs_qemu_img
def test_a_chain_that_bites_its_tail_ends_in_a_gap(folder: Path) -> None:
    first = create(folder / "first.qcow2", "8M")
    second = create(folder / "second.qcow2", "8M", backing=first)
    (folder / "alias").symlink_to(".")
    rebase = ["qemu-img", "rebase", "-u", "-F", "qcow2", "-b", str(folder / "alias/second.qcow2"), first]
    subprocess.run(rebase, check=True)
    image = Images(LocalCommands()).image(second, "qcow2")
    assert image.backing is not None
    assert image.backing.path == first
    assert image.gaps() == (Gap(f"images[{folder}/alias/second.qcow2]", "the backing chain leads back to it"),)
    with pytest.raises(NotSeen, match="leads back"):
        _ = image.chain


@needs_qemu_img
def test_a_broken_chain_keeps_what_was_seen_above(folder: Path) -> None:
    gone = create(folder / "gone.qcow2", "8M")
    top = create(folder / "above.qcow2", "8M", backing=gone)
    os.unlink(gone)
    image = Images(LocalCommands()).image(top, "qcow2")
    assert (image.backing_file, image.backing_format, image.virtual_bytes) == (gone, "qcow2", 8 * MIB)
    (gap,) = image.gaps()
    assert gap.fact == f"images[{gone}]"
    assert "No such file" in gap.reason


@needs_qemu_img
def test_a_backing_format_is_never_guessed(folder: Path) -> None:
    base = create(folder / "unnamed.raw", "8M", format="raw")
    top = create(folder / "unnamed.qcow2", "8M", backing=base, below="raw")
    # QEMU 6.1 and later refuse to leave the format out; older images lack the header extension.
    content = bytearray((folder / "unnamed.qcow2").read_bytes())
    place = content.index(bytes.fromhex("e2792aca"))
    content[place : place + 4] = bytes.fromhex("6b766d6e")
    (folder / "unnamed.qcow2").write_bytes(content)
    image = Images(LocalCommands()).image(top, "qcow2")
    assert image.backing_format is None
    (gap,) = image.gaps()
    assert "never guessed" in gap.reason


@needs_qemu_img
def test_a_guest_that_writes_an_image_header_into_its_raw_disk_is_not_believed(folder: Path) -> None:
    inner = create(folder / "inner.qcow2", "8M", backing=create(folder / "victim.qcow2", "8M"))
    image = Images(LocalCommands()).image(inner, "raw")
    assert (image.format, image.backing_file, image.backing) == ("raw", None, None)


@needs_qemu_img
@pytest.mark.parametrize("content", [b"", b"QFI\xfb", b"QFI\xfb\0\0\0\3" + b"\xff" * 4096, os.urandom(4096)])
def test_a_corrupt_image_is_a_gap(folder: Path, content: bytes) -> None:
    (folder / "corrupt.qcow2").write_bytes(content)
    assert reason_of(Images(LocalCommands()).image(str(folder / "corrupt.qcow2"), "qcow2")).startswith("qemu-img: ")


@needs_qemu_img
def test_a_missing_image_is_a_gap(folder: Path) -> None:
    assert "No such file" in reason_of(Images(LocalCommands()).image(str(folder / "nothing"), "raw"))


@pytest.mark.parametrize(
    "path",
    ["nbd:localhost:1", 'json:{"driver": "null-co"}', "ssh://host/x", "images/a.raw", "-U", "", "file:/etc/passwd"],
)
def test_what_is_no_absolute_path_is_asked_of_nobody(path: str) -> None:
    source = Told("{}")
    assert "no absolute path" in reason_of(Images(source).image(path, "raw"))
    assert source.asked == []


@pytest.mark.parametrize("path", ["/proc/kcore", "/sys/kernel/vmcoreinfo", "//proc/kmsg", "/srv/../proc/kmsg"])
def test_a_file_of_the_kernel_is_not_opened(path: str) -> None:
    source = Told("{}")
    assert "kernel" in reason_of(Images(source).image(path, "raw"))
    assert source.asked == []


@pytest.mark.parametrize("format", ["vmdk", "nbd", "vvfat", "-h", "", "x" * 1000])
def test_a_format_that_opens_other_things_is_not_asked(format: str) -> None:
    source = Told("{}")
    assert "not one that is safe" in reason_of(Images(source).image("/srv/a", format))
    assert source.asked == []


def test_a_device_node_or_pipe_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in ("/dev/null", str(tmp_path / "pipe"), str(tmp_path)):
        assert "neither a file nor a block device" in reason_of(Images(LocalCommands()).image(path, "raw"))


def test_a_path_is_one_argument_after_the_options() -> None:
    source = Told('{"virtual-size": 1}')
    Images(source).image("/srv/-f json:{a} $(b)", "raw")
    assert source.asked == [
        ("stat", "-L", "-c", "%f %d %i %t %T", "--", "/srv/-f json:{a} $(b)"),
        ("qemu-img", "info", "-U", "--output=json", "-f", "raw", "--", "/srv/-f json:{a} $(b)"),
        ("stat", "-f", "-L", "-c", "%S %b %a", "--", "/srv/-f json:{a} $(b)"),
    ]


@pytest.mark.parametrize("stdout", ["", "{", "\0", "[" * 100_000, "null", "[]", "{}", '{"virtual-size": "1"}'])
def test_an_answer_that_is_not_as_documented_is_a_gap(stdout: str) -> None:
    image = Images(Told(stdout)).image("/srv/a", "qcow2")
    gaps = (image,) if isinstance(image, Gap) else image.gaps()
    assert gaps
    assert all("qemu-img's answer" in gap.reason for gap in gaps)


@pytest.mark.parametrize("value", [-1, 2**64, True, 1.5, [], {}])
def test_a_size_that_is_none_is_a_gap(value: object) -> None:
    image = Images(Told(json.dumps({"virtual-size": value}))).image("/srv/a", "qcow2")
    assert image.gap_of("virtual_bytes") is not None


def test_a_backing_image_elsewhere_is_named_but_not_opened() -> None:
    told = {"virtual-size": 1, "backing-filename": "nbd://host/x", "backing-filename-format": "raw"}
    source = Told(json.dumps(told))
    image = Images(source).image("/srv/a", "qcow2")
    assert image.backing_file == "nbd://host/x"
    assert image.gaps()[0].reason == "it is no absolute path of this host, so it is not opened"
    assert len(source.asked) == 3


def test_an_endless_chain_ends() -> None:
    told = {"virtual-size": 1, "full-backing-filename": "/srv/a", "backing-filename-format": "qcow2"}
    source = Told(json.dumps(told))
    (gap,) = Images(source).image("/srv/b", "qcow2").gaps()
    assert "deeper than" in gap.reason


def test_a_folder_that_does_not_answer_is_asked_once() -> None:
    class Dead:
        asked = 0

        def run(self, argv: Sequence[str], timeout: float) -> Answer:
            self.asked += 1
            raise Late("stat did not end within 5 seconds and was stopped")

    source = Dead()
    images = Images(source)
    reasons = [reason_of(images.image(f"/net/{name}", "raw")) for name in "abca"]
    assert source.asked == 1
    assert reasons == [
        "stat did not end within 5 seconds and was stopped",
        *["not asked: its folder did not answer before"] * 2,
        reasons[0],
    ]


def test_what_may_not_be_read_says_that_it_needs_root() -> None:
    told = Told("", 1, "qemu-img: Could not open '/srv/a': Permission denied\n")
    assert reason_of(Images(told).image("/srv/a", "raw")).startswith("needs root")


@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("setpriv") is None, reason="only root can become another user")
def test_an_unprivileged_user_is_told_that_an_image_needs_root(folder: Path) -> None:
    class AsNobody(LocalCommands):
        def run(self, argv: Sequence[str], timeout: float) -> Answer:
            return super().run(("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *argv), timeout)

    (folder / "private.raw").touch(mode=0o600)
    reason = reason_of(Images(AsNobody()).image(str(folder / "private.raw"), "raw"))
    assert reason.startswith("needs root: ")
    assert "Permission denied" in reason


def test_a_complaint_is_one_short_line() -> None:
    told = Told("", 1, "qemu-img: \x1b[31m" + "a\n" * 5000)
    reason = reason_of(Images(told).image("/srv/a", "raw"))
    assert len(reason) < 250
    assert reason.isprintable()


def test_a_machine_whose_programs_may_not_run_says_why() -> None:
    assert reason_of(Images(None, "the connection is remote").image("/srv/a", "raw")) == "the connection is remote"


def test_each_disk_with_a_path_has_an_image() -> None:
    disks = """
        <disk type='file'><driver type='qcow2'/><source file='/srv/a'/><target dev='vda'/></disk>
        <disk type='block'><source dev='/dev/vg/b'/><target dev='vdb'/></disk>
        <disk type='network'><source protocol='nbd' name='x'/><target dev='vdc'/></disk>
        <disk type='file' device='cdrom'><target dev='sda'/></disk>
        <disk type='file'><driver type='vmdk'/><source file='/srv/c'/><target dev='vdd'/></disk>"""
    domain = etree.fromstring(f"<domain><devices>{disks}</devices></domain>")
    source = Told('{"virtual-size": 1}')
    found = Images(source).of_disks(read_devices(domain, "x").disks)
    assert [disk.target for disk in found] == ["vda", "vdb", "vdd"]
    assert [found[0].image.format, found[1].image.format] == ["qcow2", "raw"]
    assert [gap.fact for gap in found[2].gaps()] == ["images[/srv/c]"]


@needs_qemu_img
def test_a_recording_tells_the_same_chain(folder: Path, tmp_path: Path) -> None:
    base = create(folder / "recorded-base.qcow2", "1G")
    top = create(folder / "recorded-top.qcow2", "1G", backing=base)
    live = RememberedCommands(LocalCommands())
    image = Images(live).image(top, "qcow2")
    for path, text in as_files(live.answers).items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text)
    again = Images(RecordedCommands(ReadOnlyFiles(tmp_path)))
    assert again.image(top, "qcow2") == image
    assert len(image.chain) == 2
    assert reason_of(again.image(str(folder / "other"), "raw")).startswith("not recorded")
