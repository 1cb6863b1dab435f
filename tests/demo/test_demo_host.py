"""The demo host is what its generator makes, agrees with itself, and carries the mistakes it names."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from kvmnb import demo
from tests.archives import extract

REPOSITORY = Path(__file__).parents[2]
HOST = demo.path()
CPU = HOST / "sys/devices/system/cpu"
NODE = HOST / "sys/devices/system/node"
INACTIVE = sorted(HOST.glob("libvirt/domains/*/inactive.xml"))
LIVE = sorted(HOST.glob("libvirt/domains/*/live.xml"))
RUNNING = {"build01", "cache01", "db01", "mail01", "router01", "web01", "win10"}


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8").strip()


def numbers(text: str) -> set[int]:
    """The CPUs of a kernel list."""
    found: set[int] = set()
    for part in filter(None, text.split(",")):
        first, _, last = part.partition("-")
        found.update(range(int(first), int(last or first) + 1))
    return found


def parse(path: Path) -> Any:
    """The root element; lxml's optional answers are the tests' to judge."""
    return etree.parse(path).getroot()


def guest(name: str, layer: str = "inactive") -> Any:
    for path in INACTIVE:
        if parse(path).findtext("name") == name:
            return parse(path.with_name(f"{layer}.xml"))
    raise AssertionError(f"no guest {name}")


def pins(root: Any) -> list[str]:
    return [pin.get("cpuset") for pin in root.findall("cputune/vcpupin")]


def meminfo(path: Path) -> dict[str, int]:
    return {name: int(value) for name, value in re.findall(r"(?:Node \d )?(\S+):\s+(\d+)", path.read_text("utf-8"))}


@pytest.fixture(scope="session")
def schemas(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """libvirt's schemas: installed, or 9.0.0 from the corpora."""
    installed = Path("/usr/share/libvirt/schemas")
    if (installed / "domain.rng").is_file():
        return installed
    corpora = Path(os.environ.get("KVMNB_CORPORA", REPOSITORY.parent / "shared" / "corpora"))
    archive = corpora / "schemas" / "libvirt-9.0.0.tar.xz"
    if not archive.is_file():
        pytest.skip("libvirt's schemas are neither installed nor in the corpora")
    folder = tmp_path_factory.mktemp("schemas")
    with tarfile.open(archive) as members:
        extract(members, Path(folder))
    return folder


def test_the_folder_is_what_the_generator_makes() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tools.demo_host", "--check"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout


def test_the_generator_repairs_what_was_changed_removed_or_added(tmp_path: Path) -> None:
    import shutil

    from tools.demo_host.__main__ import differences, write

    copy = tmp_path / "host"
    shutil.copytree(HOST, copy)
    (copy / "proc/meminfo").write_text("MemTotal: 1 kB\n", encoding="utf-8")
    (copy / "proc/cmdline").unlink()
    (copy / "proc/extra").write_text("", encoding="utf-8")
    assert differences(copy) == ["proc/cmdline", "proc/extra", "proc/meminfo"]
    assert write(copy) == 3
    assert differences(copy) == []


def test_it_is_plain_small_files_that_a_wheel_can_carry() -> None:
    files = [path for path in HOST.rglob("*") if not path.is_dir()]
    assert not [path for path in files if path.is_symlink()]
    assert not [path for path in files if not re.fullmatch(r"[\w.+-]+(/[\w.+-]+)*", str(path.relative_to(HOST)))]
    assert not [path for path in HOST.rglob("*") if path.is_dir() and not any(path.iterdir())]
    assert len(files) < 4000
    sizes = {str(path.relative_to(HOST)): path.stat().st_size for path in files}
    # The kernel repeats the flags for each of the 64 CPUs.
    assert sizes.pop("proc/cpuinfo") < 160 * 1024
    # A line of it has a column for each.
    assert sizes.pop("proc/interrupts") < 80 * 1024
    assert max(sizes.values()) < 64 * 1024
    assert sum(sizes.values()) < 1024**2


def test_every_domain_is_valid_by_libvirts_schema(schemas: Path) -> None:
    schema = etree.RelaxNG(etree.parse(schemas / "domain.rng"))
    assert len(INACTIVE) == 8
    assert len(LIVE) == 7
    for path in (*INACTIVE, *LIVE):
        schema.assertValid(etree.parse(path))


@pytest.mark.parametrize(
    ("grammar", "pattern", "count"),
    [("capability.rng", "libvirt/capabilities.xml", 1), ("domaincaps.rng", "libvirt/domcaps/*.xml", 2)],
)
def test_the_capabilities_are_valid_by_libvirts_schemas(schemas: Path, grammar: str, pattern: str, count: int) -> None:
    schema = etree.RelaxNG(etree.parse(schemas / grammar))
    paths = list(HOST.glob(pattern))
    assert len(paths) == count
    for path in paths:
        schema.assertValid(etree.parse(path))


def test_the_test_driver_takes_every_guest() -> None:
    libvirt = pytest.importorskip("libvirt", reason="libvirt-python is not installed")
    connection = libvirt.open("test:///default")
    try:
        for path in INACTIVE:
            text = path.read_text(encoding="utf-8")
            domain = connection.defineXMLFlags(text, libvirt.VIR_DOMAIN_DEFINE_VALIDATE)
            assert domain.UUIDString() == path.parent.name
    finally:
        connection.close()


def test_each_guest_has_its_own_name_uuid_macs_disks_and_tap() -> None:
    roots = [parse(path) for path in INACTIVE]
    live = [parse(path) for path in LIVE]
    for values in (
        [root.findtext("name") for root in roots],
        [root.findtext("uuid") for root in roots],
        [mac.get("address") for root in roots for mac in root.iter("mac")],
        [source.get("file") or source.get("dev") for root in roots for source in root.findall("devices/disk/source")],
        [root.get("id") for root in live],
        [tap.get("dev") for root in live for tap in root.findall("devices/interface/target")],
        [screen.get("port") for root in live for screen in root.findall("devices/graphics")],
    ):
        assert None not in values
        assert len(set(values)) == len(values) > 6
    for path, root in zip(INACTIVE, roots, strict=True):
        assert root.findtext("uuid") == path.parent.name


def test_state_says_what_the_files_show() -> None:
    for path in INACTIVE:
        state = json.loads(read(path.with_name("state.json")))
        live = path.with_name("live.xml")
        shown = parse(live).get("id") if live.exists() else None
        assert state["state"] == ("running" if live.exists() else "shutoff")
        assert state["id"] == (int(shown) if shown else None)
        assert state["persistent"] is True
    assert {parse(path).findtext("name") for path in LIVE} == RUNNING


def test_live_xml_adds_to_the_inactive_one_and_holds_no_secret() -> None:
    for path in LIVE:
        text = path.read_text(encoding="utf-8")
        assert "passwd=" not in text
        live, inactive = parse(path), parse(path.with_name("inactive.xml"))
        for place in ("vcpu", "cputune", "numatune", "os/type"):
            both = [etree.tostring(one) for root in (live, inactive) for one in root.findall(place)]
            assert both[: len(both) // 2] == both[len(both) // 2 :], f"{path}: {place}"
        devices = [element for element in live.find("devices") if element.tag not in ("emulator", "graphics", "audio")]
        assert not [element.tag for element in devices if element.find("alias") is None]
        assert [element.tag for element in live.find("devices")] == [
            element.tag for element in inactive.find("devices")
        ]


def test_sysfs_cpuinfo_and_capabilities_show_one_topology() -> None:
    capabilities = parse(HOST / "libvirt/capabilities.xml")
    from_libvirt = {
        int(cpu.get("id")): (
            int(cell.get("id")),
            int(cpu.get("socket_id")),
            int(cpu.get("core_id")),
            cpu.get("siblings"),
        )
        for cell in capabilities.iter("cell")
        for cpu in cell.iter("cpu")
    }
    assert set(from_libvirt) == numbers(read(CPU / "online")) == set(range(64))
    from_cpuinfo = {
        int(processor): (int(package), int(core))
        for processor, package, core in re.findall(
            r"^processor\t: (\d+)$.*?^physical id\t: (\d+)$.*?^core id\t\t: (\d+)$",
            (HOST / "proc/cpuinfo").read_text(encoding="utf-8"),
            re.DOTALL | re.MULTILINE,
        )
    }
    for cpu, (node, package, core, siblings) in from_libvirt.items():
        topology = CPU / f"cpu{cpu}/topology"
        assert int(read(topology / "physical_package_id")) == package
        assert int(read(topology / "core_id")) == core
        assert read(topology / "thread_siblings_list") == read(topology / "core_cpus_list") == siblings
        assert from_cpuinfo[cpu] == (package, core)
        assert cpu in numbers(read(NODE / f"node{node}/cpulist"))
        assert numbers(siblings) == {cpu % 32, cpu % 32 + 32}
        third = CPU / f"cpu{cpu}/cache/index3"
        assert read(third / "shared_cpu_list") == read(NODE / f"node{node}/cpulist")
        assert (CPU / f"cpu{cpu}/online").exists() == (cpu != 0)
    banks = [(bank.get("cpus"), int(bank.get("size"))) for bank in capabilities.iter("bank")]
    assert banks == [(read(NODE / f"node{node}/cpulist"), 24) for node in (0, 1)]


def test_each_cache_id_names_one_set_of_cpus() -> None:
    for index in range(4):
        named: dict[str, set[str]] = {}
        for cpu in range(64):
            cache = CPU / f"cpu{cpu}/cache/index{index}"
            named.setdefault(read(cache / "id"), set()).add(read(cache / "shared_cpu_list"))
        assert len(named) == (2 if index == 3 else 32)
        assert all(len(sets) == 1 for sets in named.values())


def test_memory_adds_up() -> None:
    whole, nodes = meminfo(HOST / "proc/meminfo"), [meminfo(NODE / f"node{node}/meminfo") for node in (0, 1)]
    summed = (
        "MemTotal MemFree SwapCached Active Inactive Active(anon) Inactive(anon) Active(file) "
        "Inactive(file) Dirty AnonPages Shmem Slab SReclaimable PageTables KernelStack "
        "HugePages_Total HugePages_Free"
    )
    for name in summed.split():
        assert whole[name] == sum(node[name] for node in nodes), name
    assert whole["Buffers"] + whole["Cached"] + whole["SwapCached"] == sum(node["FilePages"] for node in nodes)
    assert whole["Active"] + whole["Inactive"] == whole["AnonPages"] + sum(node["FilePages"] for node in nodes)
    assert 250 * 1024**2 < whole["MemTotal"] < 256 * 1024**2
    assert all(0 < node["MemFree"] < node["MemTotal"] // 10 for node in nodes)
    assert whole["MemFree"] < whole["MemAvailable"] < whole["MemTotal"]
    cells = parse(HOST / "libvirt/capabilities.xml").iter("cell")
    for node, cell in zip(nodes, cells, strict=True):
        assert int(cell.findtext("memory")) == node["MemTotal"]
        pages = {page.get("size"): int(page.text) for page in cell.findall("pages")}
        assert pages["2048"] == node["HugePages_Total"]
        assert pages["4"] * 4 + pages["2048"] * 2048 == node["MemTotal"]
    swaps = read(HOST / "proc/swaps").splitlines()[1].split()
    assert [int(swaps[2]), int(swaps[3])] == [whole["SwapTotal"], whole["SwapTotal"] - whole["SwapFree"]]


def test_hugepages_agree_wherever_they_are_counted() -> None:
    for size in ("2048kB", "1048576kB"):
        whole = int(read(HOST / f"sys/kernel/mm/hugepages/hugepages-{size}/nr_hugepages"))
        by_node = [int(read(NODE / f"node{node}/hugepages/hugepages-{size}/nr_hugepages")) for node in (0, 1)]
        assert whole == sum(by_node)
    assert int(read(HOST / "proc/sys/vm/nr_hugepages")) == 8192
    cache = guest("cache01", "live")
    assert int(cache.findtext("memory")) == 8192 * 2048, "cache01 holds the whole pool"


def test_the_guests_memory_fits_what_the_nodes_count() -> None:
    told = {path.parent.name: json.loads(path.read_text()) for path in HOST.glob("libvirt/domains/*/memory.json")}
    assert told.keys() == {path.parent.name for path in LIVE}
    nodes = [meminfo(NODE / f"node{node}/meminfo") for node in (0, 1)]
    there = [sum(one["bytes"] for guest in told.values() for one in guest["nodes"] if one["node"] == n) for n in (0, 1)]
    assert all(
        size <= (node["AnonPages"] + 2048 * node["HugePages_Total"]) * 1024
        for size, node in zip(there, nodes, strict=True)
    )
    for uuid, guest in told.items():
        assert sum(one["bytes"] for one in guest["nodes"]) == sum(size for _, size in guest["page_sizes"])
        live = parse(HOST / "libvirt/domains" / uuid / "live.xml")
        assert sum(size for _, size in guest["page_sizes"]) < int(live.findtext("currentMemory")) * 1024 + 512 * 2**20
    pool = sum(size for guest in told.values() for page, size in guest["page_sizes"] if page == 2 * 2**20)
    assert pool == sum(node["HugePages_Total"] for node in nodes) * 2 * 2**20
    whole = meminfo(HOST / "proc/meminfo")
    assert sum(guest["swapped_bytes"] for guest in told.values()) <= (whole["SwapTotal"] - whole["SwapFree"]) * 1024


def test_numa_counters_agree() -> None:
    nodes = [dict(line.split() for line in read(NODE / f"node{node}/numastat").splitlines()) for node in (0, 1)]
    assert nodes[0]["numa_miss"] == nodes[1]["numa_foreign"]
    assert nodes[1]["numa_miss"] == nodes[0]["numa_foreign"]
    for node in nodes:
        given = int(node["numa_hit"]) + int(node["numa_miss"])
        assert int(node["local_node"]) + int(node["other_node"]) == given
    whole = dict(line.split() for line in read(HOST / "proc/vmstat").splitlines())
    assert int(whole["numa_hit"]) == sum(int(node["numa_hit"]) for node in nodes)
    assert int(whole["nr_free_pages"]) * 4 == meminfo(HOST / "proc/meminfo")["MemFree"]


def test_time_agrees() -> None:
    lines = read(HOST / "proc/stat").splitlines()
    rows = [list(map(int, line.split()[1:])) for line in lines if re.match(r"cpu\d", line)]
    assert len(rows) == 64
    assert list(map(int, lines[0].split()[1:])) == [sum(column) for column in zip(*rows, strict=True)]
    uptime, idle = (float(word) for word in read(HOST / "proc/uptime").split())
    # The time in guests is counted in the user's too.
    assert all(abs(sum(row[:8]) - uptime * 100) < 100 for row in rows)
    assert abs(sum(row[3] for row in rows) / 100 - idle) < 2


def test_disks_and_nics_agree_with_what_uses_them() -> None:
    statistics = {line.split()[2]: line.split()[3:] for line in read(HOST / "proc/diskstats").splitlines()}
    assert set(statistics) == {path.name for path in (HOST / "sys/block").iterdir()}
    for name, counters in statistics.items():
        assert read(HOST / f"sys/block/{name}/stat").split() == counters
    for name in ("nvme1n1", "sda", "sdb"):
        folder = HOST / "sys/block" / name
        parts = [folder / part.name for part in folder.iterdir() if part.name.startswith(name)]
        assert sum(int(read(part / "size")) for part in parts) <= int(read(folder / "size"))
    mapped = {read(path): path.parents[1].name for path in HOST.glob("sys/block/dm-*/dm/name")}
    assert set(mapped) == {"vg_fast-db01--root", "vg_fast-db01--data", "vg_fast-dwh01"}
    net = HOST / "sys/class/net"
    for bridge in ("br0", "br1"):
        ports = {path.name for path in (net / bridge / "brif").iterdir()}
        assert ports == {path.parent.name for path in net.glob("*/master") if read(path) == f"../{bridge}"}
        taps = {
            nic.find("target").get("dev")
            for path in LIVE
            for nic in parse(path).findall("devices/interface")
            if nic.find("source").get("bridge") == bridge
        }
        assert len(ports - taps) == 1, "one uplink"
        assert taps < ports
    for path in LIVE:
        for nic in parse(path).findall("devices/interface"):
            tap = net / nic.find("target").get("dev")
            assert read(tap / "address")[2:] == nic.find("mac").get("address")[2:]
            queues = nic.find("driver").get("queues", "1") if nic.find("driver") is not None else "1"
            assert len(list(tap.glob("queues/rx-*"))) == int(queues)


def test_interrupts_agree_with_their_affinity_their_nic_and_their_sum() -> None:
    header, *rows = (HOST / "proc/interrupts").read_text("utf-8").splitlines()
    assert header.split() == [f"CPU{cpu}" for cpu in range(64)]
    table = {label.strip(): rest for label, rest in (row.split(":", 1) for row in rows)}
    numbered = {int(label): rest for label, rest in table.items() if label.isdecimal()}
    assert {int(path.name) for path in (HOST / "proc/irq").iterdir()} == set(numbered)
    for number, rest in numbered.items():
        came = {cpu for cpu, count in enumerate(rest.split()[:64]) if count != "0"}
        assert came == numbers(read(HOST / f"proc/irq/{number}/effective_affinity_list"))
        assert came <= numbers(read(HOST / f"proc/irq/{number}/smp_affinity_list"))
    net = HOST / "sys/class/net"
    for name, word in (("eno1", "eno1"), ("ens1f0np0", "@pci:0000:17:00.0"), ("ens1f1np1", "@pci:0000:17:00.1")):
        its = {int(path.name) for path in (net / name / "device/msi_irqs").iterdir()}
        assert its == {number for number, rest in numbered.items() if word in rest}
        channels = json.loads(read(HOST / f"ethtool/{name}.json"))["channels"]
        assert len(its) == channels["combined"] + 1
    for drive in (0, 1):
        queues = {rest.rsplit("q", 1)[1] for rest in numbered.values() if f" nvme{drive}q" in rest}
        mapped = {path.name for path in (HOST / f"sys/block/nvme{drive}n1/mq").iterdir()}
        assert queues == {"0"} | {str(int(queue) + 1) for queue in mapped}
    counted = [*map(str, numbered), "NMI", "LOC", "IWI", "RTR", "RES", "CAL", "TRM", "THR", "MCE", "MCP"]
    total = sum(sum(map(int, table[label].split()[:64])) for label in counted)
    assert f"intr {total}" in read(HOST / "proc/stat").splitlines()


def test_probing_it_leaves_only_what_processes_would_tell() -> None:
    from kvmnb.machine.sources import recorded
    from kvmnb.probe.survey import probe

    survey = probe(recorded(HOST))
    assert {gap.fact for gap in survey.gaps} == {f"domains[{name}].running_state" for name in RUNNING}
    assert {block.type for block in survey.host.blocks} == {"disk", "lvm"}
    assert [domain.name for domain in survey.domains if domain.state and domain.state.updated] == ["web01"]


def planted() -> Iterator[tuple[str, str, bool]]:
    """Guest, rule, and whether its sign is there."""
    db, router, web, cache = guest("db01"), guest("router01"), guest("web01"), guest("cache01")
    mail, build, win, warehouse = guest("mail01"), guest("build01"), guest("win10"), guest("dwh01")
    threads = db.find("cpu/topology").get("threads")
    pairs = list(zip(pins(db)[::2], pins(db)[1::2], strict=True))
    yield "db01", "cpu.pin.siblings", threads == "2" and all(abs(int(a) - int(b)) != 32 for a, b in pairs)
    yield "db01", "cpu.topology.match", threads == "2"
    yield "db01", "cpu.pin.emulator", db.find("cputune/emulatorpin").get("cpuset") in pins(db)
    yield "db01", "cpu.pin.iothread", db.find("cputune/iothreadpin").get("cpuset") in pins(db)
    yield "db01", "cpu.pin.overlap", set(pins(db)) & set(pins(router)) == {"5", "37"}
    yield "db01", "numa.strict", db.find("numatune") is None and all(int(cpu) % 32 < 16 for cpu in pins(db))
    yield "db01", "disk.cache", db.findall("devices/disk/driver")[1].get("cache") == "writeback"
    yield "db01", "mem.hugepages.static", db.find("memoryBacking") is None
    yield "router01", "cpu.pin.overlap", bool(set(pins(db)) & set(pins(router)))
    one_core = {int(cpu) % 32 for cpu in pins(router)}
    yield (
        "router01",
        "cpu.pin.siblings",
        router.find("cpu/topology").get("threads") == "1" and len(one_core) == 2,
    )
    yield "router01", "cpu.pin.emulator", router.find("cputune/emulatorpin") is None
    yield "router01", "numa.strict", router.find("numatune") is None
    yield "router01", "net.model", router.find("devices/interface/model").get("type") == "e1000"
    queues = int(router.findall("devices/interface")[1].find("driver").get("queues"))
    yield "router01", "net.queues", queues > int(router.findtext("vcpu"))
    yield "router01", "dev.agent", router.find("devices/channel") is None
    yield "web01", "cpu.mode", web.findtext("cpu/model") == "qemu64"
    yield "web01", "cpu.pin.vcpu", set(pins(web)) == {"8-15,24-31"} and len(pins(web)) == 6
    yield "web01", "cpu.pin.emulator", web.find("cputune/emulatorpin") is None
    yield "web01", "numa.fit", web.find("numatune") is None
    waiting = guest("web01", "live").findtext("memory") != web.findtext("memory")
    yield "web01", "dom.pending_config", waiting
    yield "web01", "disk.cache", web.find("devices/disk/driver").get("cache") is None
    yield "web01", "disk.discard", web.find("devices/disk/driver").get("discard") is None
    yield "mail01", "cpu.mode", mail.findtext("cpu/model") == "kvm64"
    yield "mail01", "numa.fit", not pins(mail)
    yield "mail01", "dev.machine_type", mail.find("os/type").get("machine") == "pc-i440fx-2.8"
    yield "mail01", "disk.bus", mail.find("devices/disk/target").get("bus") == "ide"
    yield "mail01", "net.model", mail.find("devices/interface/model").get("type") == "rtl8139"
    yield (
        "mail01",
        "mem.balloon.squeezed",
        int(mail.findtext("currentMemory")) * 2 == int(mail.findtext("memory")),
    )
    yield "build01", "cpu.vcpu.oversized", int(build.findtext("vcpu")) > 32 and build.find("cpu/numa") is None
    running = sum(int(parse(path).findtext("vcpu")) for path in LIVE)
    yield "build01", "cpu.overcommit", running == 70
    yield "build01", "numa.vnuma", build.find("cpu/numa") is None
    layers = guest("build01", "live").find("devices/disk").iter("source")
    yield "build01", "disk.qcow2.chain", len(list(layers)) == 4
    yield "build01", "disk.cache.unsafe", build.findall("devices/disk/driver")[1].get("cache") == "unsafe"
    yield "build01", "net.vhost", build.find("devices/interface/driver").get("name") == "qemu"
    yield "win10", "cpu.topology.match", win.find("cpu/topology") is None and int(win.findtext("vcpu")) > 2
    yield "win10", "numa.fit", not pins(win)
    yield "win10", "win.hyperv", win.find("features/hyperv") is None
    yield "win10", "win.timers", win.find("clock/timer") is None
    yield "win10", "disk.bus", win.find("devices/disk/target").get("bus") == "sata"
    yield "win10", "net.model", win.find("devices/interface/model").get("type") == "e1000e"
    online = numbers(read(CPU / "online"))
    yield "dwh01", "cpu.pin.overlap", not online & {int(cpu) for cpu in pins(warehouse)}
    cells = sum(int(cell.get("memory")) for cell in warehouse.findall("cpu/numa/cell"))
    yield "dwh01", "numa.cell_memory", cells * 2 == int(warehouse.findtext("memory"))
    page = warehouse.find("memoryBacking/hugepages/page").get("size")
    pool = read(HOST / f"sys/kernel/mm/hugepages/hugepages-{page}kB/nr_hugepages")
    yield "dwh01", "mem.hugepages.pool", (page, pool) == ("1048576", "0")
    controller = warehouse.find("devices/controller[@type='scsi']")
    yield "dwh01", "disk.controller.choice", controller.get("model") == "lsilogic"
    assert pins(cache) == ["18", "19", "20", "21"]


def test_the_readme_names_the_mistakes_that_are_there_and_no_other() -> None:
    rows = re.findall(r"^\| `(\w+)` \|.*\| ([^|]+) \|$", (HOST.parent / "README.md").read_text("utf-8"), re.MULTILINE)
    said = {(name, rule) for name, cell in rows for rule in re.findall(r"`([a-z0-9._]+)`", cell)}
    signs = list(planted())
    assert {name for name, _ in rows} == RUNNING | {"dwh01"}
    assert said == {(name, rule) for name, rule, _ in signs}
    assert [(name, rule) for name, rule, there in signs if not there] == []


def test_one_guest_is_an_example_to_follow() -> None:
    cache = guest("cache01")
    node = numbers(read(NODE / "node1/cpulist"))
    used = {int(cpu) for cpu in pins(cache)}
    beside = numbers(cache.find("cputune/emulatorpin").get("cpuset")) | numbers(
        cache.find("cputune/iothreadpin").get("cpuset")
    )
    assert len({cpu % 32 for cpu in used}) == 4
    assert used | beside <= node
    assert not {cpu % 32 for cpu in used} & {cpu % 32 for cpu in beside}
    assert dict(cache.find("numatune/memory").attrib) == {"mode": "strict", "nodeset": "1"}
    for name in RUNNING - {"cache01"} | {"dwh01"}:
        for pin in pins(guest(name)):
            assert not {cpu % 32 for cpu in numbers(pin)} & {cpu % 32 for cpu in used}


def test_the_host_shows_the_signs_that_its_readme_names() -> None:
    expected = {
        "sys/devices/system/cpu/cpufreq/policy63/energy_performance_preference": "balance_power",
        "sys/kernel/mm/transparent_hugepage/enabled": "always madvise [never]",
        "sys/kernel/mm/ksm/run": "1",
        "sys/kernel/mm/ksm/merge_across_nodes": "1",
        "proc/sys/kernel/numa_balancing": "0",
        "proc/sys/vm/zone_reclaim_mode": "1",
        "sys/block/nvme0n1/queue/scheduler": "none [mq-deadline] kyber bfq",
        "sys/block/sdb/queue/scheduler": "[none] mq-deadline kyber bfq",
        "sys/class/net/ens1f0np0/mtu": "9000",
        "sys/class/net/br0/mtu": "1500",
        "sys/class/net/br0/bridge/stp_state": "1",
        "proc/sys/net/bridge/bridge-nf-call-iptables": "1",
    }
    assert {path: read(HOST / path) for path in expected} == expected
    assert "transparent_hugepage=never" in read(HOST / "proc/cmdline")


def test_sysctls_hold_what_their_file_sets() -> None:
    recipe = read(HOST / "etc/sysctl.d/90-tuning.conf")
    settings = re.findall(r"^([a-z_.0-9]+) = (.*)$", recipe, re.MULTILINE)
    assert len(settings) == 7
    for name, value in settings:
        assert read(HOST / "proc/sys" / name.replace(".", "/")).split() == value.split()
