"""cpu.mitigation.guest_flags: a named CPU model hides what guests need against the CPU's weaknesses."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kvmnb.advise.finding import Safety, Severity, Sure
from tests.advise.parts import a_host_with
from tests.builders import a_domain, found, judged, silent, values

RULE = "cpu.mitigation.guest_flags"
HOST = a_host_with(cpu_flags=frozenset(["pcid", "ibrs", "ibpb", "stibp", "ssbd", "md_clear", "virt_ssbd"]))


def custom(model: str, inside: str = "") -> str:
    return f"<cpu mode='custom' match='exact'><model fallback='forbid'>{model}</model>{inside}</cpu>"


@pytest.mark.parametrize(
    ("model", "lacks"),
    [
        ("Nehalem", "pcid spec-ctrl stibp ssbd md-clear"),
        ("IvyBridge-IBRS", "pcid stibp ssbd md-clear"),
        ("Haswell", "spec-ctrl stibp ssbd md-clear"),
        ("Haswell-noTSX-IBRS", "stibp ssbd md-clear"),
        ("Broadwell-noTSX", "spec-ctrl stibp ssbd md-clear"),
        ("Skylake-Server", "spec-ctrl stibp ssbd md-clear"),
        ("Skylake-Client-noTSX-IBRS", "stibp ssbd md-clear"),
        ("EPYC", "ibpb stibp virt-ssbd"),
        ("EPYC-IBPB", "stibp virt-ssbd"),
    ],
)
def test_what_an_old_model_lacks_is_wanted(model: str, lacks: str) -> None:
    finding = found(RULE, HOST, a_domain(cpu=custom(model)))
    assert values(finding) == {f"domain_xml:cpu/feature[{name}]/@policy": "require" for name in lacks.split()}
    assert (finding.severity, finding.safety, finding.sure) == (Severity.HIGH, Safety.DISRUPTIVE, Sure.LIKELY)


def test_what_the_host_lacks_is_not_wanted() -> None:
    host = a_host_with(cpu_flags=frozenset({"ssbd"}))
    assert list(values(found(RULE, host, a_domain(cpu=custom("Haswell"))))) == ["domain_xml:cpu/feature[ssbd]/@policy"]
    assert silent(RULE, a_host_with(cpu_flags=frozenset({"aes"})), a_domain(cpu=custom("Haswell")))


@pytest.mark.parametrize("policy", ["require", "disable", "optional"])
def test_what_the_xml_names_is_somebodys_choice(policy: str) -> None:
    named = "".join(f"<feature policy='{policy}' name='{name}'/>" for name in ("stibp", "ssbd", "md-clear"))
    assert silent(RULE, HOST, a_domain(cpu=custom("Haswell-IBRS", named)))


@pytest.mark.parametrize("model", ["Cascadelake-Server", "EPYC-Rome", "Skylake-Server-v4", "Icelake-Server"])
def test_what_a_newer_model_holds_is_not_known(model: str) -> None:
    result = judged(RULE, HOST, a_domain(cpu=custom(model)))
    assert not result.findings
    assert model in result.not_checked[0].reason


@pytest.mark.parametrize("cpu", ["", "<cpu mode='host-model'/>", custom("qemu64"), custom("Penryn")])
def test_other_cpus_are_silent(cpu: str) -> None:
    assert silent(RULE, HOST, a_domain(cpu=cpu))


def test_an_emulated_guest_is_not_judged() -> None:
    assert silent(RULE, HOST, a_domain(cpu=custom("Haswell"), virt_type="qemu"))


def test_a_guest_that_exists_only_while_it_runs_is_left_to_a_person() -> None:
    guest = replace(a_domain(cpu=custom("Haswell")), persistent=False, inactive=None)
    assert found(RULE, HOST, guest).safety is Safety.MANUAL


def test_another_architecture_is_not_judged() -> None:
    assert silent(RULE, HOST, a_domain(cpu=custom("Haswell"), arch="i686"))


def test_a_model_that_only_allows_itself_as_a_mode_is_not_judged() -> None:
    mode = "<cpu mode='host-model'><model fallback='forbid'>Haswell</model></cpu>"
    assert silent(RULE, HOST, a_domain(cpu=mode))


def test_what_it_costs_and_what_is_left_to_a_person() -> None:
    kept = a_domain(cpu=custom("Haswell"))
    alone = replace(kept, persistent=False, inactive=None)
    finding, left = found(RULE, HOST, kept), found(RULE, HOST, alone)
    assert finding.costs[-1] == "it migrates only to hosts that offer these features"
    assert finding.by_hand == ()
    assert (left.costs, left.by_hand, left.wants) == ((), ("Make the guest anew with these features.",), ())
