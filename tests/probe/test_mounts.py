"""Mounts, and what a path lies on."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kvmnb import demo
from kvmnb.facts.gap import Gap
from kvmnb.facts.storage import BlockDevice, Mount, device_of, mount_of
from kvmnb.machine.files import Files, ReadOnlyFiles
from kvmnb.probe.mounts import device_links, parse_mountinfo, parse_mounts, probe_mounts, unescape
from kvmnb.probe.reader import Reader
from kvmnb.probe.storage import probe_blocks


def mounts_of(folder: Path, mountinfo: str, blocks: tuple[BlockDevice, ...] = ()) -> tuple[Mount, ...]:
    (folder / "proc/self").mkdir(parents=True, exist_ok=True)
    (folder / "proc/self/mountinfo").write_text(mountinfo)
    return probe_mounts(Reader(ReadOnlyFiles(folder)), blocks)


@pytest.fixture(scope="module")
def demo_blocks() -> tuple[BlockDevice, ...]:
    return probe_blocks(Reader(ReadOnlyFiles(demo.path())))


def test_the_demo_hosts_image_folder_is_this_mount(demo_blocks: tuple[BlockDevice, ...]) -> None:
    mounts = probe_mounts(Reader(ReadOnlyFiles(demo.path())), demo_blocks)
    assert len(mounts) == 10
    assert mounts[8] == Mount(
        id=41,
        parent=22,
        mount_point="/var/lib/libvirt/images",
        root="/",
        fs_type="xfs",
        options=("rw", "relatime", "attr2", "inode64", "logbufs=8", "logbsize=32k", "noquota"),
        source="/dev/nvme1n1p1",
        number="259:2",
        device="nvme1n1p1",
    )


@pytest.mark.parametrize("source", ["mountinfo", "mounts"])
@pytest.mark.parametrize(
    ("path", "mount_point", "devices"),
    [
        ("/var/lib/libvirt/images/web01.qcow2", "/var/lib/libvirt/images", ["nvme1n1p1", "nvme1n1"]),
        ("/var/lib/libvirt/images/a/../b", "/var/lib/libvirt/images", ["nvme1n1p1", "nvme1n1"]),
        ("/var/lib/libvirt/images/../x", "/", ["sda2", "sda"]),
        ("/var/lib/libvirt/imagesx", "/", ["sda2", "sda"]),
        ("//srv/bulk/mail01.img", "/srv/bulk", ["sdb1", "sdb"]),
        ("/", "/", ["sda2", "sda"]),
        ("/dev/vg_fast/db01-data", None, ["dm-1", "nvme0n1"]),
        ("/dev/sdb", None, ["sdb"]),
        ("/dev/hugepages/x", "/dev/hugepages", []),
        ("/dev/disk/by-id/unknown", None, []),
        ("/run/x.img", "/run", []),
        ("relative/path", None, []),
        ("nbd:localhost:1", None, []),
        ("", None, []),
        ("/" + "x/" * 100_000, "/", ["sda2", "sda"]),
    ],
)
def test_a_path_of_the_demo_host_lies_on_this(
    tmp_path: Path,
    demo_blocks: tuple[BlockDevice, ...],
    source: str,
    path: str,
    mount_point: str | None,
    devices: list[str],
) -> None:
    root = demo.path()
    if source == "mounts":
        (tmp_path / "proc").mkdir()
        shutil.copyfile(demo.path() / "proc/mounts", tmp_path / "proc/mounts")
        root = tmp_path
    mounts = probe_mounts(Reader(ReadOnlyFiles(root)), demo_blocks)
    location = device_of(path, mounts, demo_blocks)
    assert (location.mount.mount_point if location.mount else None) == mount_point
    assert [device.name for device in location.devices] == devices


def test_both_files_tell_the_same_options(demo_blocks: tuple[BlockDevice, ...]) -> None:
    read = Reader(ReadOnlyFiles(demo.path()))
    lines = parse_mounts(read.files.read("proc/mounts"))
    mounts = parse_mountinfo(read.files.read("proc/self/mountinfo"))
    assert [(m.mount_point, set(m.options)) for m in mounts] == [(m.mount_point, set(m.options)) for m in lines]


def test_a_mount_hides_what_was_mounted_below_its_place_before(tmp_path: Path) -> None:
    mounts = mounts_of(
        tmp_path,
        "1 0 0:2 / / rw - rootfs rootfs rw\n"
        "20 1 8:1 / / rw - ext4 /dev/sda1 rw\n"
        "21 20 8:2 / /srv/images rw - xfs /dev/sda2 rw\n"
        "22 20 8:3 / /srv rw - xfs /dev/sda3 rw\n"
        "23 22 8:4 / /srv rw - xfs /dev/sda4 rw\n"
        "24 23 8:5 / /srv/other rw - xfs /dev/sda5 rw\n",
    )
    found = {path: mount_of(path, mounts) for path in ("/srv/images/a", "/srv/other/a", "/a")}
    assert {path: mount.source if mount else None for path, mount in found.items()} == {
        "/srv/images/a": "/dev/sda4",
        "/srv/other/a": "/dev/sda5",
        "/a": "/dev/sda1",
    }


def test_a_file_system_with_a_number_of_its_own_is_found_by_its_source(
    tmp_path: Path, demo_blocks: tuple[BlockDevice, ...]
) -> None:
    mounts = mounts_of(
        tmp_path,
        "1 0 0:33 /@ / rw,relatime shared:1 - btrfs /dev/sda2 rw,ssd,subvol=/@\n"
        "2 1 0:40 / /net rw - nfs4 host:/export rw,vers=4.2\n"
        "3 1 253:1 / /lv rw - ext4 /dev/mapper/other rw\n"
        "4 1 0:41 / /lv2 rw - btrfs /dev/mapper/vg_fast-dwh01 rw\n",
        demo_blocks,
    )
    assert [(mount.root, mount.device) for mount in mounts] == [
        ("/@", "sda2"),
        ("/", None),
        ("/", "dm-1"),
        ("/", "dm-2"),
    ]
    on_network = device_of("/net/a.raw", mounts, demo_blocks)
    assert on_network.mount is not None
    assert (on_network.mount.fs_type, on_network.devices, on_network.disks) == ("nfs4", (), ())


def test_a_mount_is_writable_only_where_its_file_system_is_too(tmp_path: Path) -> None:
    mounts = mounts_of(
        tmp_path, "1 0 8:1 / / rw,noatime - ext4 /dev/sda1 ro,barrier=0\n2 1 8:1 / /b ro - ext4 /dev/sda1 rw\n"
    )
    assert [mount.options for mount in mounts] == [("ro", "noatime", "barrier=0"), ("ro",)]


@given(st.text(st.characters(codec="ascii"), max_size=40))
def test_a_name_survives_the_kernels_octal(name: str) -> None:
    escaped = "".join(f"\\{ord(letter):03o}" if letter in " \t\n\\#" else letter for letter in name)
    assert unescape(escaped) == name


@pytest.mark.parametrize(
    "text",
    ["", "\n", "x", "1 0 8:1 / /", "1 0 8:1 / / rw - ext4", "a 0 8:1 / / rw - ext4 s rw", "1 0 8 / / rw - ext4 s rw"],
)
def test_a_damaged_list_of_mounts_is_a_gap(tmp_path: Path, text: str) -> None:
    found = mounts_of(tmp_path, text)
    assert isinstance(found, Gap)
    assert found.fact == "host.mounts"
    assert found.reason.startswith("/proc/self/mountinfo: ")


@pytest.mark.parametrize("content", [b"\0\1\2", b"\xff", b"x" * 5_000_000])
def test_a_binary_or_endless_list_of_mounts_is_a_gap(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/self/mountinfo").write_bytes(content)
    assert isinstance(probe_mounts(Reader(ReadOnlyFiles(tmp_path)), ()), Gap)


@given(st.text(max_size=200))
def test_no_text_makes_the_parsers_stumble(text: str) -> None:
    for parser in (parse_mountinfo, parse_mounts):
        try:
            parser(text)
        except ValueError:
            continue


def test_a_tree_without_mounts_is_a_gap(tmp_path: Path) -> None:
    (tmp_path / "proc").mkdir()
    found = probe_mounts(Reader(ReadOnlyFiles(tmp_path)), ())
    assert found == Gap("host.mounts", "/proc/mounts: No such file or directory")  # type: ignore[comparison-overlap]


def test_blocks_that_could_not_be_read_leave_the_mounts_without_devices(tmp_path: Path) -> None:
    unseen = probe_blocks(Reader(ReadOnlyFiles(tmp_path)))
    assert isinstance(unseen, Gap)
    (mount,) = mounts_of(tmp_path, "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n", unseen)
    assert (mount.number, mount.device) == ("8:1", None)


def test_udevs_links_are_followed_and_nothing_else(tmp_path: Path, demo_blocks: tuple[BlockDevice, ...]) -> None:
    (tmp_path / "dev/disk/by-id").mkdir(parents=True)
    (tmp_path / "dev/vg").mkdir()
    (tmp_path / "dev/disk/by-id/ata-X").write_text("../../sdb\n")
    (tmp_path / "dev/disk/by-id/out").write_text("../../../etc/shadow\n")
    (tmp_path / "dev/ring").write_text("ring\n")
    paths = ["/dev/disk/by-id/ata-X", "/dev/disk/by-id/out", "/dev/ring", "/dev/none", "/dev/../etc/x", "/srv/a", "x"]
    links = device_links(Reader(ReadOnlyFiles(tmp_path)), paths)
    assert links == {"/dev/disk/by-id/ata-X": "/dev/sdb", "/dev/disk/by-id/out": "/etc/shadow"}
    location = device_of(paths[0], (), demo_blocks, links)
    assert [device.name for device in location.devices] == ["sdb"]


@pytest.mark.skipif(shutil.which("findmnt") is None, reason="findmnt is not installed")
def test_this_system_agrees_with_findmnt() -> None:
    columns = "ID,PARENT,TARGET,FSTYPE,MAJ:MIN,FSROOT,OPTIONS"
    told = subprocess.run(["findmnt", "-Jl", "-o", columns], capture_output=True, text=True, check=True).stdout
    read = Reader(Files(Path("/")))
    mounts = {mount.id: mount for mount in probe_mounts(read, probe_blocks(read))}
    lines = json.loads(told)["filesystems"]
    assert lines
    for line in lines:
        mount = mounts[line["id"]]
        assert (mount.parent, mount.mount_point, mount.fs_type, mount.number, mount.root) == (
            line["parent"],
            line["target"],
            line["fstype"],
            line["maj:min"],
            line["fsroot"],
        )
        assert set(mount.options) == set(line["options"].split(","))


@pytest.mark.skipif(shutil.which("findmnt") is None, reason="findmnt is not installed")
@pytest.mark.parametrize("path", ["/", "/proc/self/mountinfo", "/dev/shm", "/sys/kernel", "/usr/bin", "/dev/pts"])
def test_a_path_lies_on_the_mount_that_the_kernel_says(path: str) -> None:
    if not Path(path).exists() or Path(path).is_symlink():
        pytest.skip(f"there is no {path} here")
    told = subprocess.run(["findmnt", "-n", "-o", "ID", "-T", path], capture_output=True, text=True, check=True).stdout
    mount = mount_of(path, probe_mounts(Reader(Files(Path("/"))), ()))
    assert mount is not None
    # Of several mounts in one place findmnt lists all; the kernel reaches the last.
    assert mount.id == int(told.split()[-1])
