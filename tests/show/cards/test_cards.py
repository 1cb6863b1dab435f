"""What the cards say, in words."""

from __future__ import annotations

import pytest

from kvmnb.advise import registry
from kvmnb.advise.finding import Finding, Safety
from kvmnb.advise.intent_file import read_intent
from kvmnb.apply.journal import Journal
from kvmnb.facts.gap import Gap, NotSeen
from kvmnb.machine.hypervisor import Layer
from kvmnb.machine.sources import live
from kvmnb.show.cards import audit, domain, finding, here, host, journal, plan, rule, verdicts
from kvmnb.show.words import or_gap
from kvmnb.tunable.sysfs import Sysfs
from kvmnb.tunable.tunable import Want
from kvmnb.verbs import Here
from tests.builders import a_host
from tests.findings import a_finding

EPP = Sysfs("devices/system/cpu/cpufreq/policy0/energy_performance_preference")


def a_journal(opened: Here) -> Journal:
    return opened.apply(opened.plan(a_finding(Want(EPP, "performance")), live_only=True))


def test_a_host_is_told_in_one_line(pictured: Here) -> None:
    assert host.text(pictured.host) == (
        "Host: 64 CPUs online: 2 packages, 32 cores, 2 threads per core; "
        "2 NUMA nodes with 251.6 GiB; QEMU 7.2.22, libvirt 9.0.0"
    )


def test_a_host_without_smt_offline_or_isolated_cpus_is_told_so() -> None:
    plain = a_host(cores=2)
    assert host.cpus(plain) == "2 CPUs online: 1 package, 2 cores, 1 thread per core"
    assert host.siblings(plain) == "each CPU is a core of its own"
    assert host.set_apart(plain) == "none: every CPU is online and none is isolated"
    assert host.set_apart(a_host(offline="3", isolated="1-2")) == "offline: 3; isolated: 1-2"
    assert host.frequency(plain) == "no cpufreq here, as in most virtual machines"


def test_what_was_not_seen_is_said_and_not_taken_for_healthy() -> None:
    far = live("test:///default")
    opened = Here(far, read_intent())
    html = host.html(opened.host)
    assert html.count("not seen:") >= 6
    assert "could not be read" in html
    assert "Host: not seen" in host.text(opened.host)
    opened.machine.close()


def test_an_opened_machine_says_what_it_is_and_why(small: Here) -> None:
    small.note = "No hypervisor is installed here."
    html = here.html(small)
    assert "No hypervisor is installed here." in html
    assert here.KINDS["scratch"] in html
    assert here.text(small) == "a small host: 2 guests, 1 running"


def test_guests_are_told_by_where_they_may_run(pictured: Here) -> None:
    lines = domain.table_text(pictured.domains).splitlines()
    assert lines[0] == "Guest build01: running; 40 vCPUs, 64 GiB; any CPU: its vCPUs float"
    assert lines[2].endswith("pinned, vCPU→CPU: 0→2, 1→3, 2→4, 3→5, 4→34, 5→35, 6→36, 7→37")
    assert lines[6] == "Guest web01: running; 6 vCPUs, 8 GiB; all on 8-15,24-31"


def test_a_setting_that_waits_for_a_stop_and_start_is_marked(small: Here) -> None:
    web = small.facts().domain("web")
    assert "waits for a stop and start" not in domain.html(web)
    text = small.machine.libvirt.xml(web.uuid, Layer.PERSISTENT).replace(">2</vcpu>", ">4</vcpu>")
    small.machine.libvirt.define(web.uuid, text)
    changed = small.facts(fresh=True).domain("web")
    assert domain.html(changed).count("waits for a stop and start") == 1


def test_a_host_derived_cpu_that_libvirt_spelled_out_does_not_wait(pictured: Here) -> None:
    build = pictured.facts().domain("build01")
    assert build.live is not None
    assert build.live.cpu != build.wanted.cpu
    assert "waits for a stop and start" not in domain.html(build)


def test_no_guest_is_a_sentence() -> None:
    assert "libvirt knows no guest on this host." in domain.table(())


def test_an_audit_is_counted_and_its_healthy_part_is_told(pictured: Here) -> None:
    made = pictured.audit()
    html = audit.html(made)
    assert audit.headline(made).startswith(f"{len(made.findings)} findings: ")
    assert f"Judged and found healthy: {len(made.checked)} judgements" in html
    assert html.count('<details class="card') == len(made.findings) + 2 + bool(made.not_checked)
    # Two such audits have to fit into a notebook of 300 kB.
    assert len(html) < 140_000


def test_what_could_not_be_judged_is_told_with_its_reason() -> None:
    far = Here(live("test:///default"), read_intent())
    made = far.audit()
    assert made.not_checked
    html = audit.html(made)
    assert "Not checked:" in html
    assert "not checked" in audit.headline(made)
    far.machine.close()


def test_a_finding_carries_its_rules_own_words(pictured: Here) -> None:
    worst = pictured.audit().findings[0]
    html = finding.html(worst)
    assert "Why it hurts" in html
    assert "Leave it when" in html
    assert finding.told("no.such.rule") == []


@pytest.mark.parametrize(
    ("subject", "words"),
    [
        ("host", "this host"),
        ("host/cpufreq", "this host, cpufreq"),
        ("domain/web%20server", "guest web server"),
        ("domain/db/disk/vda", "guest db, disk vda"),
    ],
)
def test_a_subject_is_told_in_words(subject: str, words: str) -> None:
    assert finding.subject(subject) == words


def test_a_rule_shows_all_its_headings(pictured: Here) -> None:
    for one in registry.rules():
        html = rule.html(one)
        assert html.count("<h4>") >= 6, one.id
        assert one.id in rule.text(one)


def test_a_plan_shows_now_wanted_when_cost_and_undo(small: Here) -> None:
    disruptive = a_finding(Want(EPP, "performance"), safety=Safety.DISRUPTIVE)
    html = plan.html(small.plan(disruptive))
    for part in ("balance_power", "performance", "at once", "the guest has to stop and start", "exact", "DISRUPTIVE"):
        assert part in html
    assert "sudo tee /sys/devices" in html


def test_a_plan_without_changes_says_so(small: Here) -> None:
    made = small.plan(a_finding(Want(EPP, "balance_power")))
    assert "Nothing to change" in plan.html(made)


def test_a_diff_shows_its_lines_and_masks_the_password(small: Here) -> None:
    pins: list[Finding] = [one for one in small.audit().findings if one.id == "cpu.pin.vcpu"]
    html = plan.html(small.plan(pins))
    assert '<span class="add">+' in html
    assert "opensesame" not in html


def test_a_reboot_is_told_from_a_stop_and_start(small: Here) -> None:
    pins = [one for one in small.audit().findings if one.id == "cpu.pin.vcpu"]
    assert "A reboot inside the guest keeps its QEMU process" in plan.html(small.plan(pins))


def test_a_journal_says_what_of_it_stands(small: Here) -> None:
    made = a_journal(small)
    assert journal.text(made) == "Journal: applied, 1 setting, 1 of them in force"
    assert "written and read back" in journal.html(made)
    small.undo(made)
    assert journal.text(made) == "Journal: undone, 1 setting, 0 of them in force"
    assert "taken back" in journal.html(made)
    assert made.id in journal.table((made,))


def test_a_verdict_is_a_sign_and_a_word(small: Here) -> None:
    made = small.plan(a_finding(Want(EPP, "performance")), live_only=True)
    before = small.verify(made)
    assert verdicts.headline(before) == "✘ Read back: 1 differs"
    small.apply(made)
    after = small.verify(made)
    assert verdicts.headline(after) == "✔ Read back: 1 holds"
    html = verdicts.html(after)
    assert "✔ holds" in html
    assert "read from /sys/devices" in html


def test_a_gap_is_told_with_its_reason() -> None:
    def unseen() -> str:
        raise NotSeen(Gap("host.cpus", "no permission"))

    assert or_gap(unseen) == "not seen: no permission"
