"""``kvmnb facts``: host and guests as they are."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING

from kvmnb.core.units import format_bytes
from kvmnb.facts.domain import Domain
from kvmnb.facts.gap import NotSeen
from kvmnb.facts.host import Host
from kvmnb.facts.load import Load
from kvmnb.probe.closer import with_images, with_memory
from kvmnb.terminal import documents
from kvmnb.terminal.options import add_json, add_source, here_of
from kvmnb.terminal.words import paragraph, safe

if TYPE_CHECKING:
    from kvmnb.terminal.commands import Verbs


def add(verbs: Verbs) -> None:
    """Add the verb to the parser."""
    parser = verbs.add_parser(
        "facts", help="host and guests as facts", description="Show the host and its guests as facts."
    )
    add_source(parser)
    parser.add_argument("--window", metavar="SECONDS", type=float, help="also rates over a window of this length")
    parser.add_argument("--images", action="store_true", help="also the image chain of each disk (asks qemu-img)")
    parser.add_argument("--memory", action="store_true", help="also where the memory of running guests lies")
    add_json(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the facts; 0."""
    here = here_of(options)
    survey = here.facts()
    if options.images:
        survey = with_images(survey, here.machine)
    if options.memory:
        survey = with_memory(survey, here.machine)
    load = None if options.window is None else here.load(options.window)
    if options.json:
        documents.print_document(documents.facts_document(survey, load))
        return 0
    for line in _host_lines(survey.host):
        print(line)
    for warning in survey.warnings:
        print(paragraph(f"odd: {warning.fact}: {warning.reason}", "  "))
    for domain in survey.domains:
        print(_domain_line(domain))
        for line in (*_image_lines(domain), *_memory_lines(domain)):
            print(line)
    for line in () if load is None else _load_lines(load):
        print(line)
    if survey.gaps:
        print("\nNot seen:")
        for gap in survey.gaps:
            print(paragraph(f"{gap.fact}: {gap.reason}", "  "))
    return 0


def _host_lines(host: Host) -> Iterator[str]:
    """What is known of the host; a line whose facts were not seen says so."""
    for line in (_cpus, _nodes, _hypervisor):
        try:
            yield from line(host)
        except NotSeen as unseen:
            yield paragraph(str(unseen), "  ")


def _cpus(host: Host) -> list[str]:
    online, cores, packages = host.online, host.cores, host.packages
    return [f"Host: {len(online)} CPUs online ({online}), {len(cores)} cores, {len(packages)} packages"]


def _nodes(host: Host) -> list[str]:
    return [
        f"  NUMA node {node.id}: {format_bytes(node.memory_bytes)}, CPUs {node.cpus or 'none'}"
        for node in host.numa_nodes
    ]


def _hypervisor(host: Host) -> list[str]:
    if host.hypervisor is None:
        return []
    version = host.hypervisor.version or ""
    return [f"  libvirt {host.hypervisor.libvirt}, {host.hypervisor.driver} {version}".rstrip()]


def _image_lines(domain: Domain) -> Iterator[str]:
    for disk in domain.images:
        try:
            chain = [one.format for one in disk.image.chain]
            size = format_bytes(disk.image.virtual_bytes)
            yield f"    {safe(disk.target)}: {size}, {' on '.join(chain)}"
        except NotSeen as unseen:
            yield paragraph(f"{disk.target}: {unseen}", "    ")


def _memory_lines(domain: Domain) -> Iterator[str]:
    try:
        for node in domain.memory.nodes if domain.memory is not None else ():
            yield f"    {format_bytes(node.bytes)} on NUMA node {node.node}"
    except NotSeen as unseen:
        yield paragraph(str(unseen), "    ")


def _load_lines(load: Load) -> Iterator[str]:
    yield f"Over {load.seconds:.1f} s:"
    try:
        for cpu in load.cpus:
            yield f"  CPU {cpu.cpu}: {cpu.busy_ratio:.0%} busy, {cpu.softirq_ratio:.0%} soft interrupts"
    except NotSeen as unseen:
        yield paragraph(str(unseen), "  ")
    for guest in load.guests:
        for vcpu in guest.vcpus:
            yield f"  {safe(guest.name)} vCPU {vcpu.vcpu}: runs {vcpu.run_ratio:.0%}, waits {vcpu.delay_ratio:.0%}"


def _domain_line(domain: Domain) -> str:
    state = "running" if domain.running else "shut off"
    try:
        wanted = domain.wanted
        mode = wanted.cpu.mode if wanted.cpu is not None else "no <cpu>"
        return f"  {safe(domain.name)}: {state}, {wanted.vcpus} vCPUs, {format_bytes(wanted.memory_bytes)}, CPU {mode}"
    except NotSeen as unseen:
        return f"  {safe(domain.name)}: {state}, {safe(str(unseen))}"
