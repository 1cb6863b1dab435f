"""Each myth: the sign of it is seen, its absence is silence, and a fact that is missing is not checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import pytest

from kvmnb.advise.finding import Effect, Finding, Safety, Severity, Sure
from kvmnb.advise.folklore import HEADINGS, Myth, myth, myths
from kvmnb.advise.intent import Goal, Intent
from kvmnb.advise.registry import audit
from kvmnb.core.errors import KvmnbError
from kvmnb.facts.domain import Domain
from kvmnb.facts.host import Host
from kvmnb.facts.network import Bond
from kvmnb.machine.sources import recorded
from kvmnb.probe.survey import probe
from tests.advise.disk.builders import IMAGES, a_disk, a_mount, scsi_controller, storage_host
from tests.advise.mem.builders import a_memory_guest, a_memory_host
from tests.advise.net.builders import a_bridge, a_nic, interface, with_nics, with_settings
from tests.advise.test_contract import TESTS, recordings
from tests.advise.unseen import paths, without
from tests.builders import a_domain, a_fact, a_host, cells

HUGE = "<hugepages/>"
LABEL = "<seclabel type='static' model='selinux' relabel='yes'><label>system_u:object_r:x</label></seclabel>"
RMEM = {"net__core__rmem_max": "etc/sysctl.d/90.conf"}


@dataclass(frozen=True)
class Scene:
    """A host and a guest that show the sign, and others that do not."""

    host: Host
    domain: Domain
    saw: str
    quiet: tuple[tuple[Host, Domain], ...]


def bridged(host: Host) -> Host:
    return with_nics(a_bridge("br0"), host=host)


def tree(stp: bool, *outs: str) -> Host:
    return with_nics(a_bridge("br0", *outs, stp=stp), *(a_nic(name, master="br0") for name in outs))


def mounted(*options: str) -> Host:
    return storage_host(mounts=(a_mount(), a_mount(IMAGES, "xfs", "nvme0n1", options, number=2)))


def on_scsi(**words: str) -> Domain:
    return a_domain(devices=a_disk("sda", bus="scsi", **words) + scsi_controller())  # type: ignore[arg-type]


def pool(pages: int) -> Host:
    return a_memory_host(pools={0: (pages, 0)})


def booted(line: str) -> Host:
    return a_memory_host(command_line=line)


def cached(mode: str) -> Domain:
    return a_domain(devices=a_disk(driver=f"cache='{mode}'"))


def queued(count: int, vcpus: int = 8) -> Domain:
    return a_domain(vcpus=vcpus, devices=interface(driver=f"queues='{count}'"))


PLAIN, GUEST, NIC = a_host(), a_domain(), a_domain(devices=interface())
EIGHT = a_memory_guest(backing=HUGE, memory_gib=8).domain
LRO = (a_bridge("br0", "eth0"), a_nic("eth0", master="br0", on=["rx-lro"]))

SCENES = {
    "noop": Scene(
        booted("ro elevator=noop quiet"),
        GUEST,
        "the kernel was started with elevator=noop (/proc/cmdline), which Linux ignores since 5.0",
        ((booted("ro quiet"), GUEST),),
    ),
    "lro": Scene(
        with_nics(*LRO),
        GUEST,
        "eth0 is a port of br0",
        ((with_nics(a_bridge("br0"), a_nic("eth0", on=["rx-lro"], forwarding=False)), GUEST),),
    ),
    "virtio_scsi": Scene(
        PLAIN,
        on_scsi(),
        "all its disks (sda) hang on virtio-scsi",
        (
            (PLAIN, on_scsi(device="lun")),
            (PLAIN, a_domain(devices=a_disk())),
            (PLAIN, a_domain(devices=a_disk() + a_disk("sda", bus="scsi") + scsi_controller())),
            (PLAIN, a_domain(devices=a_disk("sda", bus="scsi") + scsi_controller("lsilogic"))),
            (PLAIN, GUEST),
        ),
    ),
    "cache_none_battery": Scene(
        PLAIN,
        cached("directsync"),
        "disk vda: driver/@cache is directsync",
        ((PLAIN, cached("none")), (PLAIN, cached("writethrough"))),
    ),
    "writeback_fsync": Scene(
        PLAIN,
        cached("writethrough"),
        "disk vda: driver/@cache is writethrough",
        ((PLAIN, cached("writeback")), (PLAIN, cached("directsync"))),
    ),
    "socket_buffers": Scene(
        bridged(with_settings(PLAIN, RMEM, net__core__rmem_max="16777216")),
        NIC,
        "/etc/sysctl.d/90.conf sets net.core.rmem_max to 16777216; guests are on bridges",
        (
            (bridged(with_settings(PLAIN, net__core__rmem_max="16777216")), NIC),
            (bridged(with_settings(PLAIN, RMEM, net__core__rmem_max="16777216")), GUEST),
        ),
    ),
    "stp": Scene(
        tree(False, "eth0", "eth1"),
        NIC,
        "which has 2 ways out: eth0, eth1",
        ((tree(True, "eth0", "eth1"), NIC), (tree(False, "eth0"), NIC), (tree(False, "eth0", "eth1"), GUEST)),
    ),
    "noatime": Scene(
        mounted("rw", "noatime", "nodiratime"),
        a_domain(devices=a_disk()),
        f"{IMAGES} is mounted with noatime and nodiratime",
        (
            (mounted("rw", "noatime"), a_domain(devices=a_disk())),
            (mounted("rw", "nodiratime"), a_domain(devices=a_disk())),
            (mounted("rw", "noatime", "nodiratime"), GUEST),
        ),
    ),
    "queues_vcpus": Scene(
        PLAIN,
        queued(8),
        "52:54:00:00:00:01 has 8 queues for 8 vCPUs",
        ((PLAIN, queued(4)), (PLAIN, queued(4, vcpus=4)), (PLAIN, queued(9)), (PLAIN, NIC)),
    ),
    "nr_hugepages": Scene(
        pool(2048),
        EIGHT,
        "the pool has 2048 pages of 2 MiB (/sys/devices/system/node), exactly half of the 4096 that all guests",
        ((pool(4096), EIGHT), (pool(2047), EIGHT), (pool(0), EIGHT), (pool(2048), GUEST)),
    ),
    "cell_sums": Scene(
        PLAIN,
        a_domain(memory_gib=8, cpu=cells(("0-1", 4))),
        "memory is 8 GiB, the 1 cells hold 4 GiB",
        (
            (PLAIN, a_domain(memory_gib=8, cpu=cells(("0-1", 8)))),
            (PLAIN, a_domain(memory_gib=8, cpu=cells(("0-1", 9)))),
            (PLAIN, GUEST),
        ),
    ),
    "seclabel": Scene(
        PLAIN,
        a_memory_guest(backing=HUGE, extra=LABEL).domain,
        "seclabel (selinux) stands beside memoryBacking/hugepages",
        ((PLAIN, a_memory_guest(extra=LABEL).domain), (PLAIN, a_memory_guest(backing=HUGE).domain)),
    ),
}

every_myth = pytest.mark.parametrize("one", myths(), ids=lambda one: one.name)


def signs(one: Myth, host: Host, domain: Domain) -> tuple[Finding, ...]:
    result = audit(host, [domain], Intent(), only=[one.id])
    assert not result.not_checked
    return result.findings


def test_the_twelve_are_there() -> None:
    assert {one.name for one in myths()} == set(SCENES)


@every_myth
def test_every_heading_of_a_myth_is_filled(one: Myth) -> None:
    title, found = one.text
    assert one.module == f"kvmnb.advise.myth.{one.name}"
    assert title.endswith(".")
    assert tuple(found) == HEADINGS
    assert all(len(text) > 20 for text in found.values())
    assert len(one.sources) > 1
    assert one.goals == tuple(Goal)
    assert (TESTS / "myth").is_dir()


@every_myth
def test_the_sign_of_a_myth_is_told_as_info_and_asks_for_nothing(one: Myth) -> None:
    scene = SCENES[one.name]
    (finding,) = signs(one, scene.host, scene.domain)
    assert scene.saw in finding.saw
    assert (finding.severity, finding.effect) == (Severity.INFO, Effect.INDIRECT)
    assert (finding.safety, finding.sure, finding.wants) == (Safety.MANUAL, Sure.POSSIBLE, ())
    assert finding.by_hand
    assert finding.note is not None
    assert f"`kvmnb myth {one.name}`" in finding.note


@every_myth
def test_without_the_sign_a_myth_is_silent(one: Myth) -> None:
    for host, domain in SCENES[one.name].quiet:
        assert not signs(one, host, domain)


@every_myth
def test_a_fact_that_is_taken_away_is_not_checked_and_never_silence(one: Myth) -> None:
    scene = SCENES[one.name]
    kept = {("name",), ("uuid",), ("running",), ("persistent",)}
    lost = 0
    for host, domain in (
        *((cast(Host, without(scene.host, path)), scene.domain) for path in paths(scene.host)),
        *((scene.host, cast(Domain, without(scene.domain, path))) for path in paths(scene.domain) if path not in kept),
    ):
        after = audit(host, [domain], Intent(), only=[one.id])
        if not after.findings:
            assert [missing.id for missing in after.not_checked] == [one.id]
            lost += 1
    assert lost


def test_no_myth_raises_on_a_recorded_host() -> None:
    ids = [one.id for one in myths()]
    for folder in recordings():
        survey = probe(recorded(folder))
        for finding in audit(survey.host, survey.domains, Intent(), only=ids).findings:
            assert finding.severity is Severity.INFO


def test_a_bond_below_the_bridge_counts_as_one_way_out() -> None:
    nics = (
        a_bridge("br0", "bond0"),
        a_nic("bond0", "bond", master="br0", bond=a_fact(Bond, mode=None, slaves=("eth0",))),
    )
    assert not signs(myth("stp"), with_nics(*nics, a_nic("eth0", master="bond0")), NIC)


def test_a_myth_is_found_by_either_name_and_near_ones_are_named() -> None:
    assert myth("noop") is myth("myth.noop")
    with pytest.raises(KvmnbError, match="did you mean noatime"):
        myth("noatim")
