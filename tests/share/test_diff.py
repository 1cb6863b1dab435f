"""Two recordings of one host differ in exactly what was changed between them."""

from __future__ import annotations

from pathlib import Path

from kvmnb.advise import registry
from kvmnb.advise.intent_file import read_intent
from kvmnb.machine import sources
from kvmnb.probe.survey import probe
from kvmnb.share.diff import Difference, differences
from kvmnb.share.record import record
from tests.small_host import write_guest, write_host

PIN = "<cputune><vcpupin vcpu='0' cpuset='{cpu}'/></cputune>\n"


def between(one: Path, other: Path) -> Difference:
    before, after = (probe(sources.recorded(path)) for path in (one, other))
    judged = (registry.audit(side.host, side.domains, read_intent(None)) for side in (before, after))
    return differences(before, after, *judged)


def recorded(host: Path, out: Path) -> Path:
    record(sources.recorded(host), out)
    return out


def test_a_host_that_did_not_change_has_no_difference(tmp_path: Path) -> None:
    host = write_host(tmp_path / "host")
    write_guest(host, "web")
    found = between(recorded(host, tmp_path / "one"), recorded(host, tmp_path / "two"))
    assert not found
    assert found == Difference(facts=(), guests_added=(), guests_removed=(), guests_changed=(), findings=())


def test_known_changes_are_named_and_nothing_else(tmp_path: Path) -> None:
    host = write_host(tmp_path / "host")
    for number, name in enumerate(("web", "old")):
        write_guest(host, name, number, cputune=PIN.format(cpu=1))
    one = recorded(host, tmp_path / "one")
    (host / "sys/devices/system/cpu/isolated").write_text("3\n")
    (host / "sys/devices/system/node/node0/meminfo").write_text("Node 0 MemTotal: 16777216 kB\nNode 0 MemFree: 4 kB\n")
    (host / "sys/devices/system/cpu/cpufreq/policy2/scaling_governor").write_text("performance\n")
    inactive = next((host / "libvirt/domains").glob("*0001/inactive.xml"))
    inactive.write_text(inactive.read_text().replace("cpuset='1'", "cpuset='2'"))
    for path in (host / "libvirt/domains").glob("*0002/*"):
        path.unlink()
    write_guest(host, "new", 2)
    two = recorded(host, tmp_path / "two")
    names = {path: {one.name for one in probe(sources.recorded(path)).domains} for path in (one, two)}
    found = between(one, two)
    assert set(found.guests_added) == names[two] - names[one]
    assert set(found.guests_removed) == names[one] - names[two]
    [changed] = found.guests_changed
    assert changed in names[one] & names[two]
    assert {(change.fact, change.before, change.after) for change in found.facts} == {
        ("host.isolated", "", "3"),
        ("host.cpus[2].frequency.governor", "powersave", "performance"),
        (f"domains[{changed}].inactive.vcpu_pins[0].cpus", "1", "2"),
    }


def test_a_fact_that_was_not_seen_is_told_from_one_that_is_none(tmp_path: Path) -> None:
    host = write_host(tmp_path / "host")
    one = recorded(host, tmp_path / "one")
    (host / "sys/devices/system/cpu/isolated").write_bytes(b"\xff\xfe")
    [change] = [one for one in between(one, recorded(host, tmp_path / "two")).facts if one.fact == "host.isolated"]
    assert (change.before, change.seen_before, change.seen_after) == ("", True, False)
