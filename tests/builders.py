"""Hosts and guests for tests of the placement and of rules: hosts as facts, guests as XML that is read as any other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cache, lru_cache
from typing import Any, TypeVar, get_args, get_origin, get_type_hints
from uuid import UUID, uuid5

from kvmnb.advise.finding import Finding
from kvmnb.advise.intent import Goal, GuestIntent, Intent
from kvmnb.advise.registry import Audit, audit
from kvmnb.core.cpuset import CpuSet
from kvmnb.core.units import GIB, KIB
from kvmnb.core.xml import Path, edit
from kvmnb.facts.cpu import Cache, Cpu, Frequency
from kvmnb.facts.domain import Domain
from kvmnb.facts.gap import Fact
from kvmnb.facts.host import Host
from kvmnb.facts.hypervisor import CpuMode, GuestKind, Hypervisor
from kvmnb.facts.load import Load
from kvmnb.facts.memory import NumaNode
from kvmnb.machine.domain_shape import DOMAIN
from kvmnb.probe.domain import domain_of_text
from kvmnb.tunable.domain_live import DomainLive
from kvmnb.tunable.domain_xml import DomainXml
from kvmnb.tunable.tunable import Want
from tests.advise.unseen import findings_lost

_HELD: set[str] = set()
_NAMES = UUID("6f1d2c3b-4a59-4687-9b0a-1c2d3e4f5061")
MACHINE = "pc-q35-7.2"


F = TypeVar("F", bound=Fact)


def a_fact(kind: type[F], **known: Any) -> F:
    """A fact with these fields; the rest is what a source without any answer gives."""
    return kind(**{name: known[name] if name in known else _nothing(hint) for name, hint in _fields(kind)})


def _fields(kind: Any) -> tuple[tuple[str, Any], ...]:
    return _fields_of(kind)


@cache
def _fields_of(kind: Any) -> tuple[tuple[str, Any], ...]:
    hints = get_type_hints(kind)
    return tuple((one.name, hints[one.name]) for one in fields(kind))


def _nothing(hint: Any) -> Any:
    if type(None) in get_args(hint):
        return None
    plain = get_origin(hint) or hint
    if isinstance(plain, type) and issubclass(plain, Fact):
        return a_fact(plain)
    return plain()


def a_host(
    *,
    nodes: int = 1,
    cores: int = 4,
    threads: int = 1,
    memory_gib: float = 64,
    cache_cores: int | None = None,
    isolated: str = "",
    offline: str = "",
    efficiency: str = "",
    frequency: Frequency | None = None,
    modes: Mapping[str, bool] | None = None,
    virt_types: Sequence[str] = ("kvm", "qemu"),
    libvirt: str = "9.0.0",
    memory_only_nodes: int = 0,
) -> Host:
    """A host of ``nodes`` nodes with ``cores`` cores each; CPU n and CPU n + all cores are the threads of core n.

    ``cache_cores`` cores share a last-level cache, all of a node where it is None; ``efficiency`` names slow CPUs.
    """
    total = nodes * cores
    gone, slow = CpuSet.parse(offline), CpuSet.parse(efficiency)
    siblings = {core: CpuSet(core + total * thread for thread in range(threads)) for core in range(total)}
    share = cache_cores or cores
    cpus = []
    for number in range(total * threads):
        core = number % total
        first = core // share * share
        near = CpuSet(cpu for one in range(first, min(first + share, total)) for cpu in siblings[one])
        up = number not in gone
        cpus.append(
            a_fact(
                Cpu,
                id=number,
                online=up,
                package=core // cores if up else None,
                die=0,
                cluster=None,
                core=core,
                node=core // cores if up else None,
                siblings=siblings[core] - gone if up else CpuSet.of(number),
                core_type=None if not slow else "efficiency" if number in slow else "performance",
                capacity=None,
                caches=(a_fact(Cache, level=3, type="unified", size_bytes=16 * 1024 * KIB, cpus=near - gone),)
                if up
                else (),
                frequency=replace(frequency, policy=number) if frequency is not None else None,
            )
        )
    numbers = range(nodes + memory_only_nodes)
    return a_fact(
        Host,
        uuid="0e4a6f3c-5d2b-4a1e-9c8d-7b6a59483726",
        arch="x86_64",
        cpus=tuple(cpus),
        numa_nodes=tuple(
            a_fact(
                NumaNode,
                id=node,
                cpus=CpuSet(cpu.id for cpu in cpus if cpu.node == node),
                memory_bytes=int(memory_gib * GIB),
                free_bytes=int(memory_gib * GIB) // 2,
                distances=tuple(10 if other == node else 21 for other in numbers),
                hugepages=(),
            )
            for node in numbers
        ),
        isolated=CpuSet.parse(isolated),
        hypervisor=a_fact(
            Hypervisor,
            uri="a host",
            driver="QEMU",
            libvirt=libvirt,
            version="7.2.0",
            guest_kinds=tuple(
                a_fact(
                    GuestKind,
                    virt_type=virt_type,
                    arch="x86_64",
                    machine=MACHINE,
                    cpu_modes=tuple(
                        a_fact(CpuMode, name=name, supported=supported)
                        for name, supported in (modes or _modes(virt_type)).items()
                    ),
                    max_vcpus=288,
                )
                for virt_type in virt_types
            ),
        ),
    )


def _modes(virt_type: str) -> dict[str, bool]:
    return {"host-passthrough": virt_type == "kvm", "maximum": True, "host-model": True, "custom": True}


def a_policy(
    driver: str = "intel_pstate",
    governor: str = "powersave",
    epp: str | None = "balance_performance",
    scaling_max_khz: int = 3_500_000,
    governors: Sequence[str] = ("performance", "powersave"),
    epps: Sequence[str] = ("performance", "balance_performance", "balance_power", "power"),
) -> Frequency:
    """A clock policy in good order, unless told otherwise."""
    return a_fact(
        Frequency,
        policy=0,
        driver=driver,
        governor=governor,
        governors=tuple(governors),
        epp=epp,
        epps=tuple(epps) if epp is not None else (),
        scaling_max_khz=scaling_max_khz,
        hardware_max_khz=3_500_000,
    )


@lru_cache(maxsize=256)
def _facts(xml: str, live: str | None) -> Domain:
    # A test that follows findings asks for the same guest again after each of them, and facts are frozen.
    facts = domain_of_text(xml, "a guest")
    return facts if live is None else replace_live(facts, domain_of_text(live, "a guest"))


@dataclass(frozen=True)
class Guest:
    """A guest's two XML texts."""

    xml: str
    live: str | None

    @property
    def domain(self) -> Domain:
        """Its facts."""
        return _facts(self.xml, self.live)

    def following(self, wants: Iterable[Want]) -> Guest:
        """The guest with what is wanted: persistent in one text, live pins in the other."""
        uuid = self.domain.uuid
        mine = [want for want in wants if getattr(want.tunable, "uuid", None) == uuid]
        stored = [(Path.parse(w.tunable.path), w.value) for w in mine if isinstance(w.tunable, DomainXml)]
        pins = [
            (Path.parse(f"cputune/{want.tunable.path}/@cpuset"), want.value)
            for want in mine
            if isinstance(want.tunable, DomainLive)
        ]
        assert self.live is not None or not pins, "a shut-off guest has no live pins"
        live = self.live
        if live is not None and pins:
            live = edit(live, pins, DOMAIN).text
        return Guest(edit(self.xml, stored, DOMAIN).text if stored else self.xml, live)

    def started_anew(self) -> Guest:
        """After a power cycle: what runs is what was persistent."""
        return Guest(self.xml, None if self.live is None else self.xml)


def replace_live(facts: Domain, live: Domain) -> Domain:
    """A running domain out of two that were read alone."""
    return Domain(
        uuid=facts.uuid,
        name=facts.name,
        running=True,
        persistent=facts.persistent,
        inactive=facts.inactive,
        live=live.inactive,
    )


def a_guest(name: str = "guest", *, running: bool = True, live: Mapping[str, Any] | None = None, **words: Any) -> Guest:
    """A guest; ``words`` are those of ``guest_xml``, ``live`` tells in which of them the running one differs."""
    xml = guest_xml(name, **words)
    return Guest(xml, guest_xml(name, **{**words, **(live or {})}) if running else None)


def a_domain(
    name: str = "guest", *, running: bool = True, live: Mapping[str, Any] | None = None, **words: Any
) -> Domain:
    """The facts of ``a_guest``."""
    return a_guest(name, running=running, live=live, **words).domain


def guest_xml(
    name: str,
    *,
    vcpus: int = 2,
    current: int | None = None,
    vcpu_cpuset: str | None = None,
    vcpu_placement: str = "static",
    memory_gib: float = 4,
    pins: Mapping[int, str] | None = None,
    emulator: str | None = None,
    iothreads: int = 0,
    iothread_pins: Mapping[int, str] | None = None,
    numatune: str = "",
    cpu: str = "<cpu mode='host-passthrough' check='none' migratable='on'/>",
    windows: bool = False,
    virt_type: str = "kvm",
    arch: str = "x86_64",
    machine: str = MACHINE,
    devices: str = "",
) -> str:
    """A domain XML as libvirt prints it; ``cpu`` and ``numatune`` are given whole."""
    cputune = "".join(
        [
            *(f"    <vcpupin vcpu='{vcpu}' cpuset='{cpus}'/>\n" for vcpu, cpus in (pins or {}).items()),
            f"    <emulatorpin cpuset='{emulator}'/>\n" if emulator is not None else "",
            *(f"    <iothreadpin iothread='{one}' cpuset='{cpus}'/>\n" for one, cpus in (iothread_pins or {}).items()),
        ]
    )
    attributes = "".join(
        [
            f" placement='{vcpu_placement}'",
            f" cpuset='{vcpu_cpuset}'" if vcpu_cpuset is not None else "",
            f" current='{current}'" if current is not None else "",
        ]
    )
    parts = [
        f"<domain type='{virt_type}'>",
        f"  <name>{name}</name>",
        f"  <uuid>{uuid_of(name)}</uuid>",
        f"  <memory unit='KiB'>{int(memory_gib * GIB) // KIB}</memory>",
        f"  <vcpu{attributes}>{vcpus}</vcpu>",
        f"  <iothreads>{iothreads}</iothreads>" if iothreads else "",
        f"  <cputune>\n{cputune}  </cputune>" if cputune else "",
        f"  {numatune}" if numatune else "",
        f"  <os>\n    <type arch='{arch}' machine='{machine}'>hvm</type>\n  </os>",
        "  <features>\n    <hyperv><relaxed state='on'/></hyperv>\n  </features>" if windows else "",
        f"  {cpu}" if cpu else "",
        f"  <devices>\n    <emulator>/usr/bin/qemu-system-x86_64</emulator>\n{devices}  </devices>",
        "</domain>",
    ]
    return "\n".join(part for part in parts if part) + "\n"


def uuid_of(name: str) -> str:
    """The UUID of the guest of this name."""
    return str(uuid5(_NAMES, name))


def topology(sockets: int, cores: int, threads: int, mode: str = "host-passthrough", inside: str = "") -> str:
    """A ``cpu`` element with a topology."""
    attributes = f"sockets='{sockets}' dies='1' cores='{cores}' threads='{threads}'"
    return f"<cpu mode='{mode}'>\n    <topology {attributes}/>\n{inside}  </cpu>"


def cells(*of_each: tuple[str, float], sockets: int | None = None, cores: int | None = None) -> str:
    """A ``cpu`` element with guest cells: the vCPUs and the GiB of each."""
    rows = "".join(
        f"      <cell id='{number}' cpus='{cpus}' memory='{int(gib * GIB) // KIB}' unit='KiB'/>\n"
        for number, (cpus, gib) in enumerate(of_each)
    )
    shape = f"    <topology sockets='{sockets}' dies='1' cores='{cores}' threads='1'/>\n" if sockets else ""
    return f"<cpu mode='host-passthrough'>\n{shape}    <numa>\n{rows}    </numa>\n  </cpu>"


def bound_to(nodes: str, mode: str = "strict") -> str:
    """A ``numatune`` element."""
    return f"<numatune>\n    <memory mode='{mode}' nodeset='{nodes}'/>\n  </numatune>"


def an_intent(goal: str = "balanced", **guests: GuestIntent) -> Intent:
    """An intent with words about single guests."""
    return Intent(goal=Goal(goal), guest=guests)


def judged(
    rule_id: str,
    host: Host,
    *domains: Domain,
    goal: str = "balanced",
    intent: Intent | None = None,
    load: Load | None = None,
) -> Audit:
    """What one rule says of a host and guests."""
    return audit(host, domains, intent or an_intent(goal), only=[rule_id], load=load)


def found(
    rule_id: str,
    host: Host,
    *domains: Domain,
    goal: str = "balanced",
    intent: Intent | None = None,
    load: Load | None = None,
) -> Finding:
    """The one finding of a rule about the first guest, or about the host."""
    result = judged(rule_id, host, *domains, goal=goal, intent=intent, load=load)
    assert not result.not_checked, result.not_checked
    mine = [one for one in result.findings if one.domain is None or one.domain == domains[0].name]
    assert len(mine) == 1, f"{len(mine)} findings: {[one.saw for one in mine]}"
    if rule_id not in _HELD:
        # The contract of every rule, on a case of its own: once in a run, since for each case it would take minutes.
        _HELD.add(rule_id)
        findings_lost(host, domains, intent or an_intent(goal), [rule_id], load)
    return mine[0]


def silent(
    rule_id: str,
    host: Host,
    *domains: Domain,
    goal: str = "balanced",
    intent: Intent | None = None,
    load: Load | None = None,
) -> bool:
    """Whether a rule judged and found nothing of the first guest, or of the host."""
    result = judged(rule_id, host, *domains, goal=goal, intent=intent, load=load)
    assert not result.not_checked, result.not_checked
    return not [one for one in result.findings if one.domain is None or one.domain == domains[0].name]


def values(finding: Finding) -> dict[str, str | None]:
    """What a finding wants, by the name of the tunable without its guest."""
    return {f"{want.tunable.kind}:{getattr(want.tunable, 'path', '')}": want.value for want in finding.wants}
