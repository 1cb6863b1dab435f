"""Block devices: of the demo host, of captures, of trees written here, and of this system beside lsblk."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tarfile
from collections import Counter
from pathlib import Path

import pytest

from kvmnb import demo
from kvmnb.facts.gap import Gap, NotSeen
from kvmnb.facts.storage import BlockDevice, Partition, device_named, device_of
from kvmnb.machine.files import Files, ReadOnlyFiles
from kvmnb.probe.reader import Reader
from kvmnb.probe.storage import parse_dm_uuid, parse_scheduler, probe_blocks
from tests.archives import extract

QUEUE = {
    "rotational": "0",
    "scheduler": "[none] mq-deadline",
    "read_ahead_kb": "128",
    "logical_block_size": "512",
    "physical_block_size": "4096",
}


_BLOCK = re.compile(r"sys/block/|sys/devices/(?!system/).*/(?:block/|nvme\d+n\d+)")


def write_tree(folder: Path, devices: dict[str, dict[str, str]]) -> Path:
    """A tree with these devices; each has a size and a queue, then the files and (ending in /) folders given."""
    for name, files in devices.items():
        base = {"size": "2048", "ro": "0", "removable": "0"} | {f"queue/{key}": text for key, text in QUEUE.items()}
        for path, text in (base | files).items():
            place = folder / "sys/block" / name / path
            if path.endswith("/"):
                place.mkdir(parents=True, exist_ok=True)
            else:
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_text(text + "\n")
    return folder


def blocks_of(folder: Path) -> dict[str, BlockDevice]:
    return {block.name: block for block in probe_blocks(Reader(ReadOnlyFiles(folder)))}


def names(devices: tuple[BlockDevice | Partition, ...]) -> list[str]:
    return [device.name for device in devices]


def link(folder: Path, name: str, target: str) -> None:
    """Where a recording keeps the target of ``/sys/class/block/NAME``."""
    (folder / "sys/class/block").mkdir(parents=True, exist_ok=True)
    (folder / "sys/class/block" / name).write_text(f"../../devices/{target}/block/{name}\n")


def test_the_demo_host_has_these_devices() -> None:
    blocks = blocks_of(demo.path())
    assert list(blocks) == ["dm-0", "dm-1", "dm-2", "nvme0n1", "nvme1n1", "sda", "sdb"]
    assert blocks["nvme0n1"] == BlockDevice(
        name="nvme0n1",
        number="259:0",
        type="disk",
        transport="nvme",
        model="SAMSUNG MZQL23T8HCLS-00A07",
        numa_node=0,
        irqs=None,
        size_bytes=7_501_476_528 * 512,
        ro=False,
        removable=False,
        rotational=False,
        scheduler="mq-deadline",
        schedulers=("none", "mq-deadline", "kyber", "bfq"),
        nr_requests=256,
        queue_depth=None,
        hardware_queues=16,
        read_ahead_kb=128,
        write_cache="write through",
        fua=False,
        discard_max_bytes=2_199_023_255_040,
        discard_granularity_bytes=512,
        nomerges=0,
        rq_affinity=1,
        zoned="none",
        logical_block_bytes=512,
        physical_block_bytes=512,
        optimal_io_bytes=0,
        dm_name=None,
        slaves=(),
        holders=("dm-0", "dm-1", "dm-2"),
        partitions=(),
    )
    disk = blocks["sdb"]
    assert (disk.rotational, disk.transport, disk.queue_depth, disk.scheduler) == (True, "sata", 32, "none")
    volume = blocks["dm-1"]
    assert (volume.dm_name, volume.slaves, volume.scheduler, volume.stacked) == (
        "vg_fast-db01--data",
        ("nvme0n1",),
        None,
        True,
    )
    assert names(blocks["sda"].partitions) == ["sda1", "sda2", "sda3"]
    assert all(block.gaps() == () for block in blocks.values())


def test_each_file_is_read_once() -> None:
    opened: Counter[str] = Counter()

    class Counting(ReadOnlyFiles):
        def read_bytes(self, path: str) -> bytes:
            opened[path] += 1
            return super().read_bytes(path)

    probe_blocks(Reader(Counting(demo.path())))
    assert len(opened) > 100
    assert max(opened.values()) == 1


@pytest.mark.parametrize("damage", ["missing", "empty", "truncated", "binary", "huge", "folder"])
def test_a_damaged_file_is_a_gap_or_absent_and_never_a_crash(tmp_path: Path, damage: str) -> None:
    root = tmp_path / "host"
    for part in ("sys/block/sda", "sys/block/dm-0", "sys/block/nvme0n1", "proc/self"):
        shutil.copytree(demo.path() / part, root / part)
    # A hundred alike hardware queues prove nothing more.
    shutil.rmtree(root / "sys/block/nvme0n1/mq")
    whole = blocks_of(root)
    paths = [path for path in (root / "sys").rglob("*") if path.is_file()]
    assert len(paths) > 80
    for path in paths:
        content = path.read_bytes()
        path.unlink()
        if damage == "folder":
            path.mkdir()
        elif damage != "missing":
            broken = {"empty": b"", "truncated": content[:1], "binary": b"\0\xff\xfe", "huge": b"9" * 100_000}
            path.write_bytes(broken[damage])
        blocks = blocks_of(root)
        assert list(blocks) == list(whole)
        gaps = [gap for block in blocks.values() for gap in block.gaps()]
        assert all(gap.fact.startswith("host.blocks[") and gap.reason for gap in gaps)
        if damage == "binary" and path.parent.name == "queue" and path.name in QUEUE:
            assert gaps, path
        device_of("/dev/vg_fast/db01-root", (), tuple(blocks.values()))
        path.rmdir() if damage == "folder" else path.unlink(missing_ok=True)
        path.write_bytes(content)


def test_a_tree_without_block_devices_is_a_gap(tmp_path: Path) -> None:
    (tmp_path / "sys").mkdir()
    found = probe_blocks(Reader(ReadOnlyFiles(tmp_path)))
    assert found == Gap("host.blocks", "/sys/block: No such file or directory")  # type: ignore[comparison-overlap]


def test_what_the_device_mapper_and_md_made_is_told_apart(tmp_path: Path) -> None:
    made = {
        "dm-0": {"dm/name": "vg-a", "dm/uuid": "LVM-abc", "slaves/md127": ""},
        "dm-1": {"dm/name": "mpatha", "dm/uuid": "mpath-360", "slaves/": ""},
        "dm-2": {"dm/name": "mpatha1", "dm/uuid": "part1-mpath-360", "slaves/dm-1": ""},
        "dm-3": {"dm/name": "luks", "dm/uuid": "CRYPT-LUKS2-abc-luks", "slaves/dm-2": ""},
        "dm-4": {"dm/name": "x", "dm/uuid": "", "slaves/": ""},
        "dm-5": {"dm/name": "y", "dm/uuid": "<b>", "slaves/": ""},
        "md127": {"md/level": "raid10", "slaves/": ""},
        "md0": {"md/level": "", "slaves/": ""},
        "sr0": {},
        "zram0": {},
        "vda": {"device/vendor": "0x1af4"},
        "mmcblk0": {"device/name": "x"},
    }
    blocks = blocks_of(write_tree(tmp_path, made))
    assert {name: block.type for name, block in blocks.items()} == {
        "dm-0": "lvm",
        "dm-1": "mpath",
        "dm-2": "part",
        "dm-3": "crypt",
        "dm-4": "dm",
        "dm-5": "dm",
        "md0": "md",
        "md127": "raid10",
        "mmcblk0": "disk",
        "sr0": "rom",
        "vda": "disk",
        "zram0": "zram",
    }
    assert {name: block.transport for name, block in blocks.items() if block.transport} == {
        "mmcblk0": "mmc",
        "vda": "virtio",
    }


@pytest.mark.parametrize(
    ("target", "transport"),
    [
        ("pci0000:00/0000:00:17.0/ata1/host0/target0:0:0/0:0:0:0", "sata"),
        ("pci0000:3a/0000:3b:00.0/host0/port-0:0/end_device-0:0/target0:0:0/0:0:0:0", "sas"),
        ("pci0000:00/0000:00:01.1/0000:02:00.0/virtio6/host0/target0:0:0/0:0:0:1", "virtio"),
        ("pci0000:80/0000:81:00.0/host9/rport-9:0-2/target9:0:0/9:0:0:5", "fc"),
        ("platform/host6/session1/target6:0:0/6:0:0:1", "iscsi"),
        ("pci0000:00/0000:00:14.0/usb2/2-1/2-1:1.0/host3/target3:0:0/3:0:0:0", "usb"),
        ("pci0000:00/0000:00:1c.0/0000:03:00.0/host2/target2:2:0/2:2:0:0", None),
        ("../../../etc/ata1/x", None),
    ],
)
def test_the_transport_is_read_from_where_the_device_stands(tmp_path: Path, target: str, transport: str | None) -> None:
    write_tree(tmp_path, {"sda": {"device/model": "X"}})
    link(tmp_path, "sda", target)
    assert blocks_of(tmp_path)["sda"].transport == transport


@pytest.mark.parametrize(("fabric", "transport"), [("pcie", "nvme"), ("tcp", "nvme-tcp"), ("fc", "nvme-fc")])
def test_an_nvme_disk_behind_a_network_says_so(tmp_path: Path, fabric: str, transport: str) -> None:
    write_tree(tmp_path, {"nvme0n1": {"device/transport": fabric, "device/numa_node": "-1"}})
    block = blocks_of(tmp_path)["nvme0n1"]
    assert (block.transport, block.numa_node) == (transport, None)


def test_the_node_and_the_interrupts_are_those_of_the_nearest_pci_device(tmp_path: Path) -> None:
    write_tree(tmp_path, {"sda": {}, "sdb": {}, "sdc": {}})
    host = "pci0000:80/0000:80:01.0/0000:81:00.0"
    link(tmp_path, "sda", f"{host}/host0/target0:0:0/0:0:0:0")
    link(tmp_path, "sdb", f"{host}/host0/target0:0:1/0:0:1:0")
    adapter = tmp_path / "sys/devices" / host
    (adapter / "msi_irqs").mkdir(parents=True)
    for number in ("9", "101", "x"):
        (adapter / "msi_irqs" / number).write_text("msix\n")
    (adapter / "numa_node").write_text("1\n")
    blocks = blocks_of(tmp_path)
    assert [(block.numa_node, block.irqs) for block in blocks.values()] == [(1, (9, 101)), (1, (9, 101)), (None, None)]


def test_the_paths_of_an_nvme_disk_lie_below_it(tmp_path: Path) -> None:
    # Linux hides the controllers' paths behind one disk, which queues nothing itself.
    write_tree(
        tmp_path,
        {
            "nvme0n1": {"queue/scheduler": "none"},
            "nvme0c0n1": {"hidden": "1", "device/numa_node": "1", "device/transport": "pcie", "mq/0/cpu_list": "0"},
            "nvme0c1n1": {"hidden": "1", "device/numa_node": "0", "device/transport": "pcie", "mq/0/cpu_list": "0"},
            "nvme0n2": {},
        },
    )
    blocks = blocks_of(tmp_path)
    assert blocks["nvme0n1"].slaves == ("nvme0c0n1", "nvme0c1n1")
    assert blocks["nvme0n2"].slaves == ()
    assert blocks["nvme0c0n1"].type == "path"
    location = device_of("/dev/nvme0n1", (), tuple(blocks.values()))
    assert [(disk.name, disk.numa_node, disk.hardware_queues) for disk in location.disks] == [
        ("nvme0c0n1", 1, 1),
        ("nvme0c1n1", 0, 1),
    ]


def test_a_volume_on_multipath_is_followed_down_to_its_disks(tmp_path: Path) -> None:
    mapped = {
        "sdb": {"holders/dm-2": ""},
        "sde": {"holders/dm-2": ""},
        "dm-2": {"dm/name": "mpathb", "dm/uuid": "mpath-36", "slaves/sdb": "", "slaves/sde": "", "holders/dm-4": ""},
        "dm-4": {"dm/name": "mpathbp1", "dm/uuid": "part1-mpath-36", "slaves/dm-2": "", "holders/dm-7": ""},
        "dm-7": {"dm/name": "appdg-app", "dm/uuid": "LVM-x", "slaves/dm-4": ""},
    }
    blocks = tuple(blocks_of(write_tree(tmp_path, mapped)).values())
    location = device_of("/dev/appdg/app", (), blocks)
    assert names(location.devices) == ["dm-7", "dm-4", "dm-2", "sdb", "sde"]
    assert names(location.disks) == ["sdb", "sde"]


def test_a_mirror_on_partitions_is_followed_through_both(tmp_path: Path) -> None:
    tree = {
        "vda": {"vda1/partition": "1", "vda1/start": "2048", "vda1/size": "8", "vda1/holders/md127": ""},
        "vdb": {"vdb1/partition": "1", "vdb1/start": "2048", "vdb1/size": "8", "vdb1/holders/md127": ""},
        "md127": {"md/level": "raid1", "slaves/vda1": "", "slaves/vdb1": ""},
        "dm-0": {"dm/name": "rhel-root", "dm/uuid": "LVM-x", "slaves/md127": ""},
    }
    blocks = blocks_of(write_tree(tmp_path, tree))
    assert blocks["vda"].partitions == (
        Partition(name="vda1", number=None, start_bytes=1_048_576, size_bytes=4096, holders=("md127",)),
    )
    location = device_of("/dev/mapper/rhel-root", (), tuple(blocks.values()))
    assert names(location.devices) == ["dm-0", "md127", "vda1", "vdb1", "vda", "vdb"]
    assert names(location.disks) == ["vda", "vdb"]


def test_devices_built_on_each_other_in_a_ring_do_not_hang(tmp_path: Path) -> None:
    tree = {"dm-0": {"dm/name": "a", "slaves/dm-1": ""}, "dm-1": {"dm/name": "b", "slaves/dm-0": "", "slaves/gone": ""}}
    blocks = tuple(blocks_of(write_tree(tmp_path, tree)).values())
    assert names(device_of("/dev/mapper/a", (), blocks).devices) == ["dm-0", "dm-1"]


def test_a_volume_whose_parts_are_not_recorded_is_not_taken_for_a_disk(tmp_path: Path) -> None:
    blocks = tuple(blocks_of(write_tree(tmp_path, {"dm-0": {"dm/name": "vg-a"}})).values())
    with pytest.raises(NotSeen, match="slaves"):
        device_of("/dev/vg/a", (), blocks)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/dev/vg_fast/db01-root", "dm-0"),
        ("/dev/mapper/vg_fast-db01--root", "dm-0"),
        ("/dev/dm-0", "dm-0"),
        ("/dev/nvme1n1p1", "nvme1n1p1"),
        ("/dev/sda", "sda"),
        ("/dev/vg_fast/db01", None),
        ("/dev/vg_fast", None),
        ("/dev/", None),
        ("/dev/mapper/", None),
    ],
)
def test_a_device_is_known_by_every_name_that_the_kernel_and_lvm_give_it(path: str, name: str | None) -> None:
    assert device_named(path, tuple(blocks_of(demo.path()).values())) == name


def test_a_raid_controllers_slash_in_a_name_is_understood(tmp_path: Path) -> None:
    tree = {"cciss!c0d0": {"cciss!c0d0p1/size": "1", "cciss!c0d0p1/start": "1"}}
    blocks = tuple(blocks_of(write_tree(tmp_path, tree)).values())
    assert device_named("/dev/cciss/c0d0p1", blocks) == "cciss!c0d0p1"


def test_names_that_no_kernel_gives_are_left_out(tmp_path: Path) -> None:
    write_tree(tmp_path, {"sda": {}, "<img src=x>": {}, "-rf": {}, "a" * 200: {}, "sd\na": {}, "sdé": {}})
    assert list(blocks_of(tmp_path)) == ["sda"]


def test_a_loop_device_without_a_file_is_left_out(tmp_path: Path) -> None:
    assert list(blocks_of(write_tree(tmp_path, {"loop0": {"size": "0"}, "loop1": {}, "sda": {"size": "0"}}))) == [
        "loop1",
        "sda",
    ]


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        ("none", (None, ())),
        ("[none]", ("none", ("none",))),
        ("[none] mq-deadline kyber bfq", ("none", ("none", "mq-deadline", "kyber", "bfq"))),
        ("noop deadline [cfq]", ("cfq", ("noop", "deadline", "cfq"))),
    ],
)
def test_a_scheduler_is_read_in_all_its_forms(text: str, parsed: tuple[str | None, tuple[str, ...]]) -> None:
    assert parse_scheduler(text) == parsed


@pytest.mark.parametrize("text", ["", "a b", "[a] [b]", "[", "[]", "[<b>]", "[none] UPPER", "[" + "x" * 99 + "]"])
def test_a_scheduler_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="names no scheduler"):
        parse_scheduler(text)


def test_a_uuid_without_a_word_of_its_maker_is_a_plain_mapping() -> None:
    assert [parse_dm_uuid(text) for text in ("", "-", "1234-56", "DMRAID-isw", "x" * 99 + "-")] == [
        "dm",
        "dm",
        "dm",
        "dmraid",
        "dm",
    ]


def test_captures_of_other_projects_are_read(corpora: Path, tmp_path: Path) -> None:
    archives = sorted((corpora / "host-sysfs/ghw").glob("*.tar.gz"))
    archives += sorted((corpora / "host-sysfs/pcp").glob("blkdev-*.tgz"))
    archives.append(corpora / "host-sysfs/node_exporter-sys.tar.xz")
    assert len(archives) == 10
    seen: dict[str, dict[str, tuple[str, str | None]]] = {}
    for number, archive in enumerate(archives):
        root = tmp_path / str(number)
        with tarfile.open(archive) as packed:
            extract(packed, root, [m for m in packed if _BLOCK.search(m.name)])
        (root / "sys").mkdir(parents=True, exist_ok=True)
        found = probe_blocks(Reader(ReadOnlyFiles(root)))
        if isinstance(found, tuple):
            seen[archive.name] = {block.name: (block.type, block.transport) for block in found}
    assert len(seen) == 6
    assert seen["node_exporter-sys.tar.xz"] == {
        "dm-5": ("mpath", None),
        "dm-6": ("mpath", None),
        "dm-7": ("lvm", None),
        "md0": ("raid0", None),
        "md1": ("raid1", None),
        "md4": ("raid4", None),
        "md5": ("raid5", None),
        "md6": ("raid6", None),
        "md10": ("raid10", None),
        **{f"sd{letter}": ("disk", None) for letter in "aijklmn"},
    }
    mainframe = seen["linux-s390x-snapshot.tar.gz"]
    assert Counter(mainframe.values()) == {("disk", "fc"): 16, ("dm", None): 3}
    assert seen["linux-amd64-accel-nvidia.tar.gz"] == {"sda": ("disk", "virtio")}
    assert set(seen["linux-arm64-c288e0776090cd558ef793b2a4e61939.tar.gz"].values()) == {("disk", "nvme")}
    assert seen["linux-amd64-8581cf3a529e5d8b97ea876eade2f60d.tar.gz"]["sr0"] == ("rom", "sata")


@pytest.mark.skipif(shutil.which("lsblk") is None, reason="lsblk is not installed")
def test_this_system_agrees_with_lsblk() -> None:
    columns = "KNAME,PKNAME,MAJ:MIN,SIZE,RO,RM,ROTA,SCHED,RQ-SIZE,RA,DISC-MAX,DISC-GRAN,LOG-SEC,PHY-SEC,OPT-IO,ZONED"
    told = subprocess.run(["lsblk", "-Jlb", "-o", columns], capture_output=True, text=True, check=True).stdout
    blocks = {block.name: block for block in probe_blocks(Reader(Files(Path("/"))))}
    partitions = {partition.name: partition for block in blocks.values() for partition in block.partitions}
    devices = {line["kname"]: line for line in json.loads(told)["blockdevices"]}
    if not devices:
        pytest.skip("lsblk sees no block device here")
    for name, line in devices.items():
        if name in partitions:
            partition = partitions[name]
            assert (partition.number, partition.size_bytes) == (line["maj:min"], line["size"])
            continue
        block = blocks[name]
        assert {
            "maj:min": block.number,
            "size": block.size_bytes,
            "ro": block.ro,
            "rm": block.removable,
            "rota": block.rotational,
            "sched": block.scheduler,
            "rq-size": block.nr_requests,
            "ra": block.read_ahead_kb,
            "disc-max": block.discard_max_bytes,
            "disc-gran": block.discard_granularity_bytes,
            "log-sec": block.logical_block_bytes,
            "phy-sec": block.physical_block_bytes,
            "opt-io": block.optimal_io_bytes,
            "zoned": block.zoned,
        } == {key: value for key, value in line.items() if key not in ("kname", "pkname")}, name
