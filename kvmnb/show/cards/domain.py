"""The card of a guest: what runs now beside what its next start reads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kvmnb.core.cpuset import CpuSet
from kvmnb.core.units import format_bytes
from kvmnb.facts.domain import Configuration, Domain
from kvmnb.show import template, words

_PINS_LISTED = 16
_CPU_LABEL = "CPU that the guest sees"
_MOST_DESCRIBED = 300


@dataclass(frozen=True, slots=True)
class SettingRow:
    """One setting in each of the configurations shown, in words."""

    label: str
    texts: tuple[str, ...]
    source: str
    pending: bool
    """Whether the running guest still lacks what its next start reads."""


@dataclass(frozen=True, slots=True)
class GuestRow:
    """One guest in a table of guests."""

    name: str
    state: str
    vcpus: str
    memory: str
    where: str


def html(domain: Domain) -> str:
    """The card."""
    shown = configurations(domain)
    return template.page(
        "domain",
        name=domain.name,
        summary=summary(domain),
        columns=[column for column, _ in shown],
        rows=rows([configuration for _, configuration in shown]),
        gaps=domain.gaps(),
    )


def text(domain: Domain) -> str:
    """The card as one line."""
    return f"Guest {domain.name}: {summary(domain)}"


def table(domains: Sequence[Domain]) -> str:
    """Several guests as one table."""
    return template.page("domains", rows=[_guest(domain) for domain in domains])


def table_text(domains: Sequence[Domain]) -> str:
    """The table as lines."""
    return "\n".join(text(domain) for domain in domains) or "no guests"


def configurations(domain: Domain) -> list[tuple[str, Configuration]]:
    """The configurations that there are, under the words that the card uses."""
    found = []
    if domain.live is not None:
        found.append(("Running now", domain.live))
    if domain.inactive is not None:
        found.append(("At its next start", domain.inactive))
    return found


def summary(domain: Domain) -> str:
    """State, size and where it may run, in one line."""
    configuration = domain.live or domain.wanted
    vcpus = words.or_gap(lambda: _vcpus(configuration))
    memory = words.or_gap(lambda: format_bytes(configuration.memory_bytes))
    return f"{state(domain)}; {vcpus}, {memory}; {words.or_gap(lambda: pins(configuration))}"


def state(domain: Domain) -> str:
    """Whether it runs, and whether libvirt keeps it."""
    return ("running" if domain.running else "shut off") + ("" if domain.persistent else ", transient")


def rows(shown: Sequence[Configuration]) -> list[SettingRow]:
    """What tuning of CPUs and memory is about, in each configuration."""
    questions: tuple[tuple[str, Callable[[Configuration], str], str], ...] = (
        ("vCPUs", _vcpus, "vcpu"),
        ("vCPUs may run on", pins, "cputune/vcpupin, vcpu/@cpuset"),
        ("Emulator threads may run on", _emulator, "cputune/emulatorpin"),
        ("iothreads", _iothreads, "iothreads, cputune/iothreadpin"),
        (_CPU_LABEL, _cpu, "cpu"),
        ("Guest topology", _topology, "cpu/topology"),
        ("Guest NUMA cells", _cells, "cpu/numa"),
        ("Memory", lambda one: format_bytes(one.memory_bytes), "memory"),
        ("Its balloon leaves it", _balloon, "currentMemory, devices/memballoon"),
        ("Memory comes from", _numatune, "numatune"),
        ("Memory is made of", _backing, "memoryBacking"),
        ("Equal pages are merged (KSM)", _merging, "memoryBacking/nosharepages"),
    )
    described = tuple(words.or_gap(lambda one=one: _description(one)) for one in shown)  # type: ignore[misc]
    made = [SettingRow("Described as", described, "description", pending=False)] if any(described) else []
    for label, ask, source in questions:
        texts = tuple(words.or_gap(lambda one=one, ask=ask: ask(one)) for one in shown)  # type: ignore[misc]
        made.append(SettingRow(label, texts, source, pending=len(set(texts)) > 1 and not _expanded(label, shown)))
    return made


def _expanded(label: str, shown: Sequence[Configuration]) -> bool:
    """Whether the two differ only as libvirt spells out a host-derived model for the guest that runs."""
    cpu = shown[-1].cpu
    return label == _CPU_LABEL and cpu is not None and cpu.mode in ("host-model", "maximum")


def pins(configuration: Configuration) -> str:
    """Where the vCPUs may run, equal ones together."""
    allowed = [configuration.pin_of(vcpu) for vcpu in range(configuration.vcpus)]
    if all(one is None for one in allowed):
        return "any CPU: its vCPUs float"
    if len(set(allowed)) == 1:
        return f"all on {allowed[0]}"
    listed = [f"{vcpu}→{'any' if cpus is None else cpus}" for vcpu, cpus in enumerate(allowed)]
    tail = f", … ({len(listed)} in all)" if len(listed) > _PINS_LISTED else ""
    return "pinned, vCPU→CPU: " + ", ".join(listed[:_PINS_LISTED]) + tail


def _guest(domain: Domain) -> GuestRow:
    configuration = domain.live or domain.wanted
    return GuestRow(
        name=domain.name,
        state=state(domain),
        vcpus=words.or_gap(lambda: str(configuration.vcpus)),
        memory=words.or_gap(lambda: format_bytes(configuration.memory_bytes)),
        where=words.or_gap(lambda: pins(configuration)),
    )


def _vcpus(one: Configuration) -> str:
    if one.vcpus_current != one.vcpus:
        return f"{one.vcpus_current} of at most {one.vcpus} vCPUs"
    return words.plural(one.vcpus, "vCPU")


def _emulator(one: Configuration) -> str:
    pinned = one.emulator_pin
    if pinned is not None:
        return str(pinned)
    return "any CPU" if one.vcpu_cpus is None else f"{one.vcpu_cpus} (the default of its threads)"


def _iothreads(one: Configuration) -> str:
    if not one.iothreads:
        return "none"
    pinned = {pin.iothread: pin.cpus for pin in one.iothread_pins}
    places = [f"{number}→{pinned.get(number, 'any')}" for number in range(1, one.iothreads + 1)]
    return f"{one.iothreads}, iothread→CPU: " + ", ".join(places)


def _cpu(one: Configuration) -> str:
    if one.cpu is None:
        return "not named: QEMU's default model"
    parts = [one.cpu.mode, one.cpu.model]
    return " ".join(part for part in parts if part) or "not named: QEMU's default model"


def _topology(one: Configuration) -> str:
    found = one.cpu.topology if one.cpu is not None else None
    if found is None:
        return "not named: each vCPU is a socket of its own"
    sizes = [("socket", found.sockets), ("die", found.dies), ("cluster", found.clusters)]
    sizes += [("core", found.cores), ("thread", found.threads)]
    told = [words.plural(count, word) for word, count in sizes if count > 1 or word in ("socket", "core", "thread")]
    return " × ".join(told)


def _cells(one: Configuration) -> str:
    cells = one.cpu.cells if one.cpu is not None else ()
    told = (f"cell {cell.id}: vCPUs {cell.cpus or CpuSet()}, {format_bytes(cell.memory_bytes)}" for cell in cells)
    return "; ".join(told) or "none: the guest sees one node"


def _balloon(one: Configuration) -> str:
    balloon = one.devices.balloon
    if balloon is not None and balloon.model == "none":
        return "all of it: there is no balloon"
    current = one.tuning.memory.current_bytes
    return "all of it" if current is None or current >= one.memory_bytes else format_bytes(current)


def _description(one: Configuration) -> str:
    """What someone wrote about the guest, as far as a cell of the table holds it."""
    text = " ".join((one.tuning.description or "").split())
    return text if len(text) <= _MOST_DESCRIBED else f"{text[:_MOST_DESCRIBED]}…"


def _merging(one: Configuration) -> str:
    if one.tuning.memory.no_merging:
        return "never"
    return "no: hugepages are not merged" if one.memory_backing.hugepages else "where the host merges"


def _numatune(one: Configuration) -> str:
    found = one.numatune
    if found is None:
        return "any node: wherever a thread first touches it"
    parts = [] if found.mode is None else [f"{found.mode} from {_nodes(found.nodes, found.placement)}"]
    parts += [f"cell {cell.cell} {cell.mode} from {_nodes(cell.nodes, None)}" for cell in found.cells]
    return "; ".join(parts) or "any node"


def _nodes(nodes: CpuSet | None, placement: str | None) -> str:
    return f"node {nodes}" if nodes else f"nodes by {placement or 'default'} placement"


def _backing(one: Configuration) -> str:
    found = one.memory_backing
    parts = []
    if found.hugepages:
        sizes = ", ".join(format_bytes(size) for size in found.page_sizes_bytes)
        parts.append(f"hugepages of {sizes or 'the default size'}")
    if found.locked:
        parts.append("locked")
    return ", ".join(parts) or "ordinary pages"
