"""Following a finding silences it, raises nothing as grave, and keeps the XML valid."""

from __future__ import annotations

import tarfile
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kvmnb.advise.finding import Finding
from kvmnb.advise.intent import Goal, Intent
from kvmnb.advise.registry import audit
from kvmnb.facts.gap import changed
from kvmnb.facts.host import Host
from kvmnb.facts.kernel import Kernel
from kvmnb.facts.storage import BlockDevice, Mount
from kvmnb.machine.hypervisor import Layer
from kvmnb.machine.sources import recorded
from kvmnb.probe.survey import probe
from kvmnb.tunable.mount import Mount as MountTunable
from kvmnb.tunable.sysfs import Sysfs
from kvmnb.tunable.tunable import Want, When
from tests.advise.mem.builders import host_following
from tests.advise.net.builders import turned as network_turned
from tests.advise.test_contract import agreeing
from tests.archives import extract
from tests.builders import Guest, a_guest, a_host, a_policy, bound_to, cells, topology

every_goal = pytest.mark.parametrize("goal", list(Goal), ids=lambda goal: goal.value)

LONG = (Goal.THROUGHPUT, Goal.BALANCED)

CPUS = (
    "<cpu mode='host-passthrough'/>",
    "",
    "<cpu mode='custom' match='exact'><model fallback='allow'>qemu64</model></cpu>",
    "<cpu mode='custom'><model>Penryn</model><vendor>Intel</vendor><feature policy='require' name='aes'/></cpu>",
)


def following(host: Host, guests: Sequence[Guest], wants: Iterable[Want]) -> tuple[Host, list[Guest]]:
    """The host and its guests with what is wanted, before any restart."""
    wants = list(wants)
    host = host_following(host, wants)
    turned = {want.tunable.path: want.value for want in wants if isinstance(want.tunable, Sysfs)}
    cpus = tuple(
        cpu
        if cpu.frequency is None
        else changed(
            cpu,
            frequency=changed(
                cpu.frequency,
                governor=turned.get(f"{_policy(cpu.frequency.policy)}/scaling_governor") or cpu.frequency.governor,
                epp=turned.get(f"{_policy(cpu.frequency.policy)}/energy_performance_preference", cpu.frequency.epp),
                scaling_max_khz=int(
                    turned.get(f"{_policy(cpu.frequency.policy)}/scaling_max_freq") or cpu.frequency.scaling_max_khz
                ),
            ),
        )
        for cpu in host.cpus
    )
    turned_host = changed(host, cpus=cpus, kernel=_kernel(host, turned))
    if host.gap_of("blocks") is None:
        turned_host = changed(turned_host, blocks=_blocks(host, turned))
    if host.gap_of("mounts") is None:
        turned_host = changed(turned_host, mounts=_mounts(host, wants))
    return network_turned(turned_host, wants), [guest.following(wants) for guest in guests]


def _blocks(host: Host, turned: dict[str, str | None]) -> tuple[BlockDevice, ...]:
    """The block devices with the schedulers that were turned."""
    return tuple(
        changed(block, scheduler=turned.get(f"block/{block.name}/queue/scheduler", block.scheduler))
        for block in host.blocks
    )


def _mounts(host: Host, wants: Iterable[Want]) -> tuple[Mount, ...]:
    """The mounts whose way of keeping access times was turned."""
    times = {want.tunable.point: want.value for want in wants if isinstance(want.tunable, MountTunable)}
    return tuple(
        changed(one, options=(*(word for word in one.options if not word.endswith("atime")), times[one.mount_point]))
        if one.mount_point in times
        else one
        for one in host.mounts
    )


def _kernel(host: Host, turned: dict[str, str | None]) -> Kernel:
    """The kernel with the module parameters that were turned."""
    return changed(
        host.kernel,
        parameters=tuple(
            changed(one, value=turned.get(f"module/{one.module}/parameters/{one.name}", one.value))
            for one in host.kernel.parameters
        ),
    )


def _policy(number: int) -> str:
    return f"devices/system/cpu/cpufreq/policy{number}"


def worse(before: Sequence[Finding], after: Sequence[Finding], followed: Finding) -> list[str]:
    """New findings that are at least as grave as the one that was followed, and that one if it still stands."""
    # Of two guests that clash now one, now the other is to move, so the guest counts and not the whole subject.
    known = {(one.id, one.domain) for one in before}
    return [
        f"{one.severity.value} {one.id} {one.subject}: {one.saw}"
        for one in after
        if (one.id, one.subject) == (followed.id, followed.subject)
        or (one.severity.rank <= followed.severity.rank and (one.id, one.domain) not in known)
    ]


def check_following(host: Host, guests: Sequence[Guest], goal: Goal) -> None:
    """Each finding that wants something is followed alone."""
    intent = Intent(goal=goal)
    before = audit(host, [guest.domain for guest in guests], intent).findings
    for finding in before:
        if not finding.wants:
            continue
        new_host, changed = following(host, guests, finding.wants)
        if finding.when is not When.NOW:
            touched = {want.tunable.target for want in finding.wants}
            changed = [guest.started_anew() if guest.domain.name in touched else guest for guest in changed]
        for guest in changed:
            valid(guest.xml)
        after = audit(new_host, [guest.domain for guest in changed], intent).findings
        assert not worse(before, after, finding), (finding.id, finding.subject, finding.saw)


def check_following_all(host: Host, guests: Sequence[Guest], goal: Goal) -> None:
    """All findings that want something are followed together; none of them is left then."""
    intent = Intent(goal=goal)
    before = audit(host, [guest.domain for guest in guests], intent).findings
    new_host, changed = following(host, guests, {str(w.tunable): w for one in before for w in one.wants}.values())
    changed = [guest.started_anew() for guest in changed]
    after = audit(new_host, [guest.domain for guest in changed], intent).findings
    left = {(one.id, one.subject) for one in after}
    assert not [one.saw for one in before if one.wants and (one.id, one.subject) in left]


@cache
def valid(xml: str) -> None:
    """By libvirt's schema, where the corpora hold it."""
    schema = _schema()
    if schema is not None:
        from lxml import etree

        schema.assertValid(etree.fromstring(xml.encode()))


@cache
def _schema() -> Any:
    import os
    import tempfile

    from lxml import etree

    folder = Path(os.environ.get("KVMNB_CORPORA") or Path(__file__).parents[3] / "shared" / "corpora")
    archive = folder / "schemas" / "libvirt-9.0.0.tar.xz"
    if not archive.is_file():
        return None
    with tempfile.TemporaryDirectory() as target, tarfile.open(archive) as tar:
        extract(tar, Path(target))
        (path,) = Path(target).rglob("domain.rng")
        return etree.RelaxNG(etree.parse(str(path)))


def the_demo() -> tuple[Host, list[Guest]]:
    from kvmnb import demo

    machine = recorded(demo.path())
    survey = probe(machine)
    return survey.host, [
        Guest(
            machine.libvirt.xml(domain.uuid, Layer.PERSISTENT),
            machine.libvirt.xml(domain.uuid, Layer.LIVE) if domain.running else None,
        )
        for domain in survey.domains
    ]


# The goals with the most findings are for the long run: test_following_on_scratch follows each of their rules once.
@pytest.mark.parametrize(
    "goal",
    [pytest.param(goal, marks=pytest.mark.soak if goal in LONG else ()) for goal in Goal],
    ids=lambda goal: goal.value,
)
def test_each_finding_of_the_demo_host_is_silenced_by_following_it(goal: Goal) -> None:
    check_following(*the_demo(), goal)


@every_goal
def test_following_all_findings_of_the_demo_host_leaves_none_of_them(goal: Goal) -> None:
    check_following_all(*the_demo(), goal)


RECORDED = sorted(path.parent for path in (Path(__file__).parents[1] / "hosts").glob("*/recording.json"))


@pytest.mark.parametrize("folder", RECORDED, ids=lambda folder: folder.name)
@pytest.mark.parametrize("goal", [Goal.LATENCY, Goal.BALANCED], ids=lambda goal: goal.value)
def test_guests_on_recorded_hosts_are_silenced_by_following(folder: Path, goal: Goal) -> None:
    host = probe(recorded(folder)).host
    last = host.online and max(host.online)
    guests = [
        a_guest("floats", vcpus=2, windows=True),
        a_guest("pinned", vcpus=2, pins={0: "0", 1: str(last)}, iothreads=1),
        a_guest("beside", vcpus=1, pins={0: str(last)}, emulator=str(last)),
    ]
    check_following(host, guests, goal)
    agreeing(audit(host, [guest.domain for guest in guests], Intent(goal=goal)))


@st.composite
def scenes(draw: st.DrawFn) -> tuple[Host, list[Guest]]:
    nodes, cores, threads = draw(st.integers(1, 2)), draw(st.integers(2, 6)), draw(st.integers(1, 2))
    frequency = draw(
        st.sampled_from(
            [None, a_policy("acpi-cpufreq", "ondemand", epp=None), a_policy(epp="power", scaling_max_khz=10)]
        )
    )
    host = a_host(nodes=nodes, cores=cores, threads=threads, memory_gib=16, frequency=frequency)
    return host, [draw(guests(host, name)) for name in draw(st.sampled_from(["a", "ab", "abc"]))]


@st.composite
def guests(draw: st.DrawFn, host: Host, name: str) -> Guest:
    threads = draw(st.integers(1, 2))
    vcpus = draw(st.integers(1, 3)) * threads
    count = len(host.cpus)
    cpus = st.one_of(
        st.integers(0, count).map(str),
        st.sampled_from([f"0-{count - 1}", f"0-{count // 2}", f"{count // 2}-{count - 1}"]),
    )

    def words() -> dict[str, Any]:
        pinned = draw(st.sampled_from(["none", "some", "all"]))
        return {
            "pins": {
                vcpu: draw(cpus)
                for vcpu in range(vcpus)
                if pinned == "all" or (pinned == "some" and draw(st.booleans()))
            },
            "emulator": draw(st.one_of(st.none(), cpus)),
            "iothreads": 1,
            "iothread_pins": draw(st.one_of(st.just({}), cpus.map(lambda one: {1: one}))),
        }

    shapes = [*CPUS, topology(1, vcpus // threads, threads), topology(1, vcpus + 1, 1)]
    if vcpus > 1:
        shapes.append(cells(("0", 1), (f"1-{vcpus - 1}", 1)))
    fixed = {
        "vcpus": vcpus,
        "vcpu_cpuset": draw(st.one_of(st.none(), cpus)),
        "memory_gib": draw(st.sampled_from([1, 2, 9])),
        "windows": draw(st.booleans()),
        "cpu": draw(st.sampled_from(shapes)),
        "numatune": draw(st.sampled_from(["", bound_to("0"), bound_to("0", "preferred")])),
    }
    wanted = words()
    running, same = draw(st.booleans()), draw(st.booleans())
    return a_guest(name, running=running, live=None if same else words(), **fixed, **wanted)


@given(scenes(), st.sampled_from(list(Goal)))
@settings(max_examples=25, deadline=None)
def test_each_finding_is_silenced_by_following_it(scene: tuple[Host, list[Guest]], goal: Goal) -> None:
    check_following(*scene, goal)


@pytest.mark.soak
@given(scenes(), st.sampled_from(list(Goal)))
@settings(max_examples=1_000, deadline=None)
def test_each_finding_of_many_scenes_is_silenced_by_following_it(scene: tuple[Host, list[Guest]], goal: Goal) -> None:
    check_following(*scene, goal)
