"""``kvmnb facts``: host and guests as they are."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from kvmnb.core.units import format_bytes
from kvmnb.facts.domain import Domain
from kvmnb.facts.gap import NotSeen
from kvmnb.facts.host import Host
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
    add_json(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the facts; 0."""
    survey = here_of(options).facts()
    if options.json:
        documents.print_document(documents.facts_document(survey))
        return 0
    for line in _host_lines(survey.host):
        print(line)
    for domain in survey.domains:
        print(_domain_line(domain))
    if survey.gaps:
        print("\nNot seen:")
        for gap in survey.gaps:
            print(paragraph(f"{gap.fact}: {gap.reason}", "  "))
    return 0


def _host_lines(host: Host) -> list[str]:
    lines = []
    if host.gap_of("cpus") is None:
        packages = {cpu.package for cpu in host.cpus if cpu.online and cpu.package is not None}
        lines.append(
            f"Host: {len(host.online)} CPUs online ({host.online}), {len(host.cores)} cores, {len(packages)} packages"
        )
    if host.gap_of("numa_nodes") is None:
        for node in host.numa_nodes:
            size = format_bytes(node.memory_bytes) if node.gap_of("memory_bytes") is None else "unknown memory"
            lines.append(f"  NUMA node {node.id}: {size}, CPUs {node.cpus}")
    if host.hypervisor is not None and host.hypervisor.gap_of("libvirt") is None:
        lines.append(
            f"  libvirt {host.hypervisor.libvirt}, {host.hypervisor.driver} {host.hypervisor.version or ''}".rstrip()
        )
    return lines


def _domain_line(domain: Domain) -> str:
    state = "running" if domain.running else "shut off"
    try:
        wanted = domain.wanted
        mode = wanted.cpu.mode if wanted.cpu is not None else "no <cpu>"
        return f"  {safe(domain.name)}: {state}, {wanted.vcpus} vCPUs, {format_bytes(wanted.memory_bytes)}, CPU {mode}"
    except NotSeen as unseen:
        return f"  {safe(domain.name)}: {state}, {safe(str(unseen))}"
