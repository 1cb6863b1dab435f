"""The storage: an NVMe drive on each node, a SATA SSD, a hard disk, logical volumes, and what is mounted."""

from __future__ import annotations

from dataclasses import dataclass

from tools.demo_host import shape
from tools.demo_host.tree import Tree

SECTOR = 512
GIB = 1024**3


@dataclass(frozen=True, slots=True, kw_only=True)
class Disk:
    """One whole block device."""

    name: str
    size_bytes: int
    number: str
    rotational: bool
    scheduler: str
    device: dict[str, object]
    """What stands in the device's own folder."""
    requests: int
    read_ahead_kib: int
    write_cache: str
    discard_max: int
    granularity: int
    physical_block: int
    largest_kib: int
    partitions: tuple[tuple[str, int], ...] = ()
    """Names and sizes in bytes."""
    queues: tuple[str, ...] = ("0-63",)
    """The CPUs of each hardware queue."""
    counters: str
    """The seventeen columns of ``stat``."""
    holders: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    """One logical volume of ``vg_fast``, on nvme0n1."""

    name: str
    label: str
    size_gib: int
    id: str
    """LVM's own, made of letters and digits."""
    counters: str = " ".join("0" * 17)


NVME_QUEUES = 16
"""How many the firmware of these drives gives; one more is for administration."""


def queue_cpus(queue: int) -> tuple[int, ...]:
    """The kernel deals whole cores to the queues of a drive, node by node."""
    cores = shape.PACKAGES * shape.CORES // NVME_QUEUES
    first = range(queue * cores, (queue + 1) * cores)
    return tuple(sorted(cpu for core in first for cpu in shape.siblings_of(core)))


_SHARED_QUEUES = tuple(", ".join(map(str, queue_cpus(queue))) for queue in range(NVME_QUEUES))
_NVME_BYTES = 3_840_755_982_336
_NVME = {
    "model": "SAMSUNG MZQL23T8HCLS-00A07              ",
    "firmware_rev": "GDC5902Q",
    "transport": "pcie",
    "queue_count": NVME_QUEUES + 1,
    "state": "live",
}

GROUP_ID = "qH2vXo7LrTn4JdW9yKcBz0MfUe5SgAp1"
"""Of ``vg_fast``; the device mapper's UUID of a volume begins with it."""
VOLUMES = (
    Volume(
        name="dm-0",
        label="vg_fast-db01--root",
        size_gib=64,
        id="c3TqY8mWf1KdPz5RvJ0hLxN7uSg2BoEa",
        counters="4118203 0 98220116 611904 8802117 0 161204338 1402118 0 1812004 2014022 91204 0 48220112 0 0 0",
    ),
    Volume(
        name="dm-1",
        label="vg_fast-db01--data",
        size_gib=1024,
        id="Zk4WnB9sQ2yTeH6dVxM1rUaJ8fLgC0pX",
        counters="912004118 0 58204119332 201118402 1204338117 0 71220118406 611402118 0 "
        "402118220 812520520 0 0 0 0 0 0",
    ),
    Volume(name="dm-2", label="vg_fast-dwh01", size_gib=1536, id="m7RdG1vKx5HqTzS3bNcY9wEaJ4uPfL0o"),
)


def _summed(*counters: str) -> str:
    columns = zip(*(map(int, row.split()) for row in counters), strict=True)
    return " ".join(str(sum(column)) for column in columns)


DISKS = (
    # A udev rule from the days of a slower drive puts mq-deadline in front of an NVMe drive.
    Disk(
        name="nvme0n1",
        size_bytes=_NVME_BYTES,
        number="259:0",
        rotational=False,
        scheduler="none [mq-deadline] kyber bfq",
        device={**_NVME, "numa_node": 0, "address": "0000:31:00.0"},
        requests=256,
        read_ahead_kib=128,
        write_cache="write through",
        discard_max=2_199_023_255_040,
        granularity=512,
        physical_block=512,
        largest_kib=128,
        queues=_SHARED_QUEUES,
        holders=tuple(volume.name for volume in VOLUMES),
        counters=_summed(*(volume.counters for volume in VOLUMES)),
    ),
    Disk(
        name="nvme1n1",
        size_bytes=_NVME_BYTES,
        number="259:1",
        rotational=False,
        scheduler="[none] mq-deadline kyber bfq",
        device={**_NVME, "numa_node": 1, "address": "0000:b1:00.0"},
        requests=1023,
        read_ahead_kib=128,
        write_cache="write through",
        discard_max=2_199_023_255_040,
        granularity=512,
        physical_block=512,
        largest_kib=128,
        partitions=(("nvme1n1p1", 3_840_753_893_376),),
        queues=_SHARED_QUEUES,
        counters="311204118 1204 21118402336 61204118 488220337 9118 38204118402 201118402 0 "
        "118204337 264338402 2118402 0 402118330 1204118 2016118 881",
    ),
    Disk(
        name="sda",
        size_bytes=960_197_124_096,
        number="8:0",
        rotational=False,
        scheduler="none [mq-deadline] kyber bfq",
        device={
            "model": "MTFDDAK960TDS   ",
            "vendor": "ATA     ",
            "rev": "D3MU",
            "type": 0,
            "queue_depth": 32,
            "state": "running",
        },
        requests=64,
        read_ahead_kib=128,
        write_cache="write back",
        discard_max=2_147_450_880,
        granularity=4096,
        physical_block=4096,
        largest_kib=1280,
        partitions=(("sda1", 536_870_912), ("sda2", 951_067_738_112), ("sda3", 8_589_934_592)),
        counters="9118402 204118 611204338 4118402 31204118 11204338 902118402 22118402 0 "
        "14204118 26402118 118204 0 61204118 48220 911402 165314",
    ),
    # "none" came with a blanket rule for all disks; a rotating disk wants its requests sorted.
    Disk(
        name="sdb",
        size_bytes=8_001_563_222_016,
        number="8:16",
        rotational=True,
        scheduler="[none] mq-deadline kyber bfq",
        device={
            "model": "ST8000NM000A-2KE",
            "vendor": "ATA     ",
            "rev": "SN02",
            "type": 0,
            "queue_depth": 32,
            "state": "running",
        },
        requests=64,
        read_ahead_kib=128,
        write_cache="write back",
        discard_max=0,
        granularity=0,
        physical_block=4096,
        largest_kib=1280,
        partitions=(("sdb1", 8_001_562_173_440),),
        counters="21118402 88204 1402118336 402118204 44204118 2118402 2118402336 1204118402 2 "
        "611204118 1611402118 0 0 0 0 1204118 5165512",
    ),
)

# id, parent, device number, root, mount point, options, type, source, options of the file system
MOUNTS = (
    (22, 1, "8:2", "/", "rw,relatime", "ext4", "/dev/sda2", "rw,errors=remount-ro"),
    (23, 22, "0:21", "/proc", "rw,nosuid,nodev,noexec,relatime", "proc", "proc", "rw"),
    (24, 22, "0:22", "/sys", "rw,nosuid,nodev,noexec,relatime", "sysfs", "sysfs", "rw"),
    (
        25,
        22,
        "0:5",
        "/dev",
        "rw,nosuid,relatime",
        "devtmpfs",
        "udev",
        "rw,size=131846184k,nr_inodes=32961546,mode=755",
    ),
    (
        26,
        22,
        "0:23",
        "/run",
        "rw,nosuid,nodev,noexec,relatime",
        "tmpfs",
        "tmpfs",
        "rw,size=26378048k,mode=755",
    ),
    (
        29,
        24,
        "0:26",
        "/sys/fs/cgroup",
        "rw,nosuid,nodev,noexec,relatime",
        "cgroup2",
        "cgroup2",
        "rw,nsdelegate,memory_recursiveprot",
    ),
    (33, 25, "0:30", "/dev/hugepages", "rw,relatime", "hugetlbfs", "hugetlbfs", "rw,pagesize=2M"),
    (38, 22, "8:1", "/boot/efi", "rw,relatime", "vfat", "/dev/sda1", "rw,fmask=0077,dmask=0077,codepage=437"),
    (
        41,
        22,
        "259:2",
        "/var/lib/libvirt/images",
        "rw,relatime",
        "xfs",
        "/dev/nvme1n1p1",
        "rw,attr2,inode64,logbufs=8,logbsize=32k,noquota",
    ),
    (
        44,
        22,
        "8:17",
        "/srv/bulk",
        "rw,relatime",
        "xfs",
        "/dev/sdb1",
        "rw,attr2,inode64,logbufs=8,logbsize=32k,noquota",
    ),
)


def put_storage(tree: Tree) -> None:
    """Block devices, their counters and the mounts."""
    statistics = []
    for disk in DISKS:
        _put_disk(tree, disk)
        statistics.append((disk.number, disk.name, disk.counters))
    for index, volume in enumerate(VOLUMES):
        _put_volume(tree, index, volume)
        statistics.append((f"253:{index}", volume.name, volume.counters))
    tree.put_text(
        "proc/diskstats",
        "".join(
            "{:>4} {:>7} {} {}\n".format(*number.split(":"), name, counters) for number, name, counters in statistics
        ),
    )
    tree.put_text(
        "proc/self/mountinfo",
        "".join(
            f"{number} {parent} {device} / {point} {options} shared:{number - 20} - {kind} {source} {more}\n"
            for number, parent, device, point, options, kind, source, more in MOUNTS
        ),
    )
    tree.put_text(
        "proc/mounts",
        "".join(
            f"{source} {point} {kind} {_merged(options, more)} 0 0\n"
            for _, _, _, point, options, kind, source, more in MOUNTS
        ),
    )


def _merged(options: str, more: str) -> str:
    """The options of the mount and of the file system as one list, each once."""
    return ",".join(dict.fromkeys([*options.split(","), *more.split(",")]))


def _put_disk(tree: Tree, disk: Disk) -> None:
    folder = f"sys/block/{disk.name}"
    tree.put_all(
        folder,
        {
            "dev": disk.number,
            "size": disk.size_bytes // SECTOR,
            "removable": 0,
            "ro": 0,
            "stat": _stat(disk.counters),
        },
    )
    tree.put_all(f"{folder}/device", disk.device)
    for holder in disk.holders:
        tree.put_text(f"{folder}/holders/{holder}", f"../../../../../../virtual/block/{holder}")
    tree.put_all(
        f"{folder}/queue",
        {
            **_queue(disk.rotational, disk.physical_block, disk.largest_kib),
            "scheduler": disk.scheduler,
            "nr_requests": disk.requests,
            "read_ahead_kb": disk.read_ahead_kib,
            "write_cache": disk.write_cache,
            "discard_granularity": disk.granularity,
            "discard_max_bytes": disk.discard_max,
            "discard_max_hw_bytes": disk.discard_max,
            "wbt_lat_usec": 75000 if disk.rotational else 2000,
        },
    )
    for queue, cpus in enumerate(disk.queues):
        listed = ", ".join(map(str, shape.CPUS)) if cpus == "0-63" else cpus
        tree.put_text(f"{folder}/mq/{queue}/cpu_list", f"{listed}\n")
    start = 2048
    for number, (name, size_bytes) in enumerate(disk.partitions, start=1):
        values = {"partition": number, "start": start, "size": size_bytes // SECTOR}
        tree.put_all(f"{folder}/{name}", values)
        start += size_bytes // SECTOR


def _put_volume(tree: Tree, index: int, volume: Volume) -> None:
    folder = f"sys/block/{volume.name}"
    size = volume.size_gib * GIB // SECTOR
    tree.put_all(folder, {"dev": f"253:{index}", "size": size, "removable": 0, "ro": 0, "stat": _stat(volume.counters)})
    tree.put_all(f"{folder}/dm", {"name": volume.label, "uuid": f"LVM-{GROUP_ID}{volume.id}", "suspended": 0})
    tree.put_text(f"{folder}/slaves/nvme0n1", "../../../../pci0000:30/0000:30:02.0/0000:31:00.0/nvme/nvme0/nvme0n1")
    queue: dict[str, object] = {
        **_queue(False, 512, 128),
        # A mapped device hands its requests on; it has no scheduler to choose.
        "scheduler": "none",
        "nr_requests": 128,
        "read_ahead_kb": 128,
        "write_cache": "write through",
        "discard_granularity": 512,
        "discard_max_bytes": 2_199_023_255_040,
        "discard_max_hw_bytes": 2_199_023_255_040,
    }
    tree.put_all(f"{folder}/queue", queue)


def _queue(rotational: bool, physical_block: int, largest_kib: int) -> dict[str, object]:
    return {
        "rotational": int(rotational),
        "logical_block_size": 512,
        "physical_block_size": physical_block,
        "minimum_io_size": physical_block,
        "optimal_io_size": 0,
        "max_sectors_kb": largest_kib,
        "nomerges": 0,
        "rq_affinity": 1,
        "fua": 0,
        "zoned": "none",
        "io_poll": 0,
    }


def _stat(counters: str) -> str:
    return "".join(f" {counter:>8}" for counter in counters.split())
