"""The memory of the guest's NUMA cells does not add up to its memory.

What is seen
    The sizes of ``cpu/numa/cell`` and of memory devices together are not what ``memory`` says, in the configuration
    that is to be defined. libvirt makes them agree when it takes a guest in, so this shows in files, in templates
    and with the ``test:`` driver.

Why it hurts
    libvirt believes the cells: it quietly replaces ``memory`` by their sum and cuts ``currentMemory``. A guest of
    8 GiB with one cell of 4 GiB starts with 4 GiB, and nothing warns.

What to do
    Make the cells out of the memory, each with its share, and write the unit with each of them.

Leave it when
    Never as it is: if the cells are right and ``memory`` is not, correct ``memory`` instead.

Cost
    The guest sees cells of another size at its next start. Durability: none for disks; a guest that starts with
    half its memory may run out of it. Migration: a running guest keeps what it has. Security: none.

Look by hand
    ``virsh dominfo GUEST`` (Max memory) beside the sum of the cells in ``virsh dumpxml GUEST --inactive``.

Measure it
    ``free -m`` and ``numactl --hardware`` in the guest after its next start.

Sources
    * libvirt source, src/conf/domain_postparse.c (memory is taken from the cells)
    * Tested with libvirt 9.0: 8 GiB with one cell of 4 GiB reads back as 4 GiB; the test: driver keeps 8 GiB
"""

from __future__ import annotations

from collections.abc import Iterator

from kvmnb.advise.cpu.pins import restart_cost, xml
from kvmnb.advise.finding import Effect, Safety, Seen, Severity
from kvmnb.advise.rule import ALL_GOALS, Rule
from kvmnb.advise.view import View
from kvmnb.core.units import KIB, MIB, format_bytes
from kvmnb.facts.domain import Domain, NumaCell
from kvmnb.tunable.spelling import shell_word
from kvmnb.tunable.tunable import Want

RULE = Rule(
    id="numa.cell_memory",
    severity=Severity.CRITICAL,
    goals=ALL_GOALS,
    basis="tested",
    effect=Effect.LARGE,
    effect_basis="tested: the guest keeps all of its memory",
)


@RULE.domain
def check(domain: Domain, view: View) -> Iterator[Seen]:
    """A finding where cells and memory devices do not make up the memory."""
    wanted = domain.wanted
    cells = wanted.cpu.cells if wanted.cpu is not None else ()
    if not cells:
        return
    modules = wanted.memory_modules_bytes
    if wanted.memory_taken_bytes == wanted.memory_bytes:
        return
    total = wanted.memory_taken_bytes - modules
    devices = f" and memory devices {format_bytes(modules)}" if modules else ""
    saw = (
        f"memory is {format_bytes(wanted.memory_bytes)}, the {len(cells)} cells hold {format_bytes(total)}{devices} "
        "(persistent XML: memory, cpu/numa/cell/@memory, devices/memory)"
    )
    shares = _shares(cells, wanted.memory_bytes - modules)
    if not shares or domain.inactive is None:
        yield Seen(
            saw=saw,
            safety=Safety.MANUAL,
            by_hand=(f"virsh edit {shell_word(domain.name)}  # decide which size is meant, and make the sums agree",),
            note="no sensible share of the memory can be worked out for the cells",
        )
        return
    yield Seen(
        saw=saw,
        wants=tuple(
            want
            for cell, share in zip(cells, shares, strict=True)
            for want in (
                Want(xml(domain, f"cpu/numa/cell[{cell.id}]/@memory"), str(share // KIB)),
                Want(xml(domain, f"cpu/numa/cell[{cell.id}]/@unit"), "KiB"),
            )
        ),
        safety=Safety.DISRUPTIVE,
        costs=(
            *restart_cost(domain),
            f"the guest gets {format_bytes(wanted.memory_bytes)}; libvirt would give {format_bytes(total + modules)}",
        ),
        note="rests on memory being the size that is meant: check that first",
    )


def _shares(cells: tuple[NumaCell, ...], memory: int) -> list[int]:
    """A share of the memory for each cell, as the cells stand to each other, in whole MiB but for the last one."""
    total = sum(cell.memory_bytes for cell in cells)
    if memory < len(cells) * MIB or total <= 0 or memory % KIB:
        return []
    shares = [memory * cell.memory_bytes // total // MIB * MIB for cell in cells[:-1]]
    shares.append(memory - sum(shares))
    return shares if all(share > 0 for share in shares) else []
