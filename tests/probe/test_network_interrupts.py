"""Interrupts are read from tables of any width and kernel, with the CPUs that they go to."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path

import pytest

from kvmnb.facts.gap import Gap, NotSeen
from kvmnb.facts.interrupt import Interrupt
from kvmnb.machine.files import Files
from kvmnb.probe.interrupts import InterruptRow, parse_interrupts, probe_interrupts
from kvmnb.probe.reader import Reader


def text_of(corpora: Path, archive: str, name: str) -> str:
    with tarfile.open(corpora / "host-text" / f"{archive}.tar.xz") as packed:
        member = next(member for member in packed if member.name.rsplit("/", 1)[-1] == name)
        stream = packed.extractfile(member)
        assert stream is not None
        return stream.read().decode()


def numbered(rows: list[InterruptRow]) -> dict[str, InterruptRow]:
    return {row.label: row for row in rows if row.label.isdecimal()}


def test_recorded_tables_are_read(corpora: Path) -> None:
    cpus, rows = parse_interrupts(text_of(corpora, "insights-core", "interrupts__INT_MULTI.txt"))
    found = numbered(rows)
    assert cpus == tuple(range(8)) and len(found) == 19
    assert found["29"].name == "enp0s25" and found["29"].chip == "IR-PCI-MSI"
    assert list(map(int, found["29"].counts.split())) == [974462, 273360, 84814, 115282, 66423, 72322, 48783, 56791]
    assert found["30"].name == "" and found["16"].name == "ehci_hcd:usb1, mmc0"
    assert next(row.name for row in rows if row.label == "LOC") == "Local timer interrupts"
    assert not [row for row in rows if row.label == "ERR"]
    cpus, rows = parse_interrupts(text_of(corpora, "insights-core", "interrupts__INT_SINGLE.txt"))
    assert cpus == (0,) and numbered(rows)["7"].name == "parport0"
    for name, width in (("interrupts-1cpu-i686", 1), ("interrupts-8cpu-x86_64", 8)):
        cpus, rows = parse_interrupts(text_of(corpora, "pcp-cadvisor", name))
        assert len(cpus) == width and all(row.chip for row in numbered(rows).values())


def test_a_table_agrees_with_another_reader_s(corpora: Path) -> None:
    _, rows = parse_interrupts(text_of(corpora, "jc", "linux-proc__interrupts"))
    expected = json.loads(text_of(corpora, "jc", "linux-proc__interrupts.json"))
    counts = {str(row["irq"]): row["interrupts"] for row in expected}
    assert len(rows) > 30
    for row in rows:
        assert list(map(int, row.counts.split())) == counts[row.label], row.label


def test_a_table_without_a_head_is_refused(corpora: Path) -> None:
    with pytest.raises(ValueError, match="line of CPUs"):
        parse_interrupts(text_of(corpora, "insights-core", "interrupts__INT_INVALID_1.txt"))


@pytest.mark.parametrize(
    ("rest", "chip", "name"),
    [
        ("IO-APIC   2-edge      timer", "IO-APIC", "timer"),
        ("IR-PCI-MSI 512000-edge      ahci[0000:00:1f.2]", "IR-PCI-MSI", "ahci[0000:00:1f.2]"),
        ("IR-PCI-MSIX-0000:17:00.0    3-edge      eth0-TxRx-2", "IR-PCI-MSIX-0000:17:00.0", "eth0-TxRx-2"),
        ("PCI-MSI 344064-edge      PCIe PME, pciehp", "PCI-MSI", "PCIe PME, pciehp"),
        ("IR-PCI-MSI 524288-edge", "IR-PCI-MSI", ""),
        ("IO-APIC-edge      timer", "IO-APIC-edge", "timer"),
        ("PCI-MSI-edge      eth0-rx-0", "PCI-MSI-edge", "eth0-rx-0"),
        ("GICv3  27 Level     arch_timer", "GICv3", "arch_timer"),
        ("ITS-MSI 524288 Edge      nvme0q0", "ITS-MSI", "nvme0q0"),
        ("xen-pirq    -ioapic-edge  ata_piix", "xen-pirq", "ata_piix"),
        ("XICS  20 Edge      hvc_console", "XICS", "hvc_console"),
        ("XEN-PIRQ-MSI  9 eth0", "XEN-PIRQ-MSI", "eth0"),
        ("", "", ""),
    ],
)
def test_the_asker_s_name_is_told_from_the_controller_s(rest: str, chip: str, name: str) -> None:
    _, rows = parse_interrupts(f"           CPU0       CPU1\n 24:          1          0  {rest}\n")
    assert [(row.chip, row.name) for row in rows] == [(chip, name)]


def test_columns_are_those_of_the_cpus_that_are_online() -> None:
    cpus, rows = parse_interrupts("      CPU0      CPU2       CPU511\n 24:  1  2  4294967295  PCI-MSI 1-edge  eth0\n")
    assert cpus == (0, 2, 511) and rows[0].counts.split() == ["1", "2", "4294967295"]


def test_a_table_in_the_kernel_s_columns_reads_as_one_without_its_blanks() -> None:
    cpus = 300
    rows = [
        f"{number:4d}:" + "".join(f"{number * cpu % 4_294_967_296:10d} " for cpu in range(cpus)) + tail
        for number, tail in ((9, " IO-APIC   9-fasteoi   acpi"), (1024, "PCI-MSI 1-edge      a b"), (7, ""))
    ]
    # Newer kernels write the blank before each number, not after.
    later = [row.replace(":", ": ", 1)[: 5 + 11 * cpus] + " " + row[5 + 11 * cpus :] for row in rows]
    head = " " * 12 + "".join(f"CPU{cpu:<8d}" for cpu in range(cpus))
    for lines in (rows, later):
        table = [head, *lines, " NMI:" + "         1 " * cpus + "  Non-maskable interrupts", " ERR:          0"]
        squeezed = [" ".join(line.split()) for line in table]
        found, plain = (parse_interrupts("\n".join(one)) for one in (table, squeezed))
        assert found[0] == plain[0]
        assert [(r.label, r.counts.split(), r.chip, r.name) for r in found[1]] == [
            (r.label, r.counts.split(), r.chip, r.name) for r in plain[1]
        ]
        assert [(r.label, r.name) for r in found[1]] == [
            ("9", "acpi"),
            ("1024", "a b"),
            ("7", ""),
            ("NMI", "Non-maskable interrupts"),
        ]


def host(root: Path) -> Reader:
    table = (
        "     CPU0   CPU1\n 40:  1  0  PCI-MSI 1-edge   eth0-0\n  9:  0  0  IO-APIC 9-fasteoi   acpi\nNMI:  1  2  x\n"
    )
    for path, text in {
        "proc/interrupts": table,
        "proc/irq/40/smp_affinity_list": "0-1\n",
        "proc/irq/40/effective_affinity_list": "1\n",
        "proc/irq/9/smp_affinity_list": "0\n",
    }.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return Reader(Files(root))


def test_each_interrupt_tells_its_cpus(tmp_path: Path) -> None:
    acpi, nic = probe_interrupts(host(tmp_path))
    assert (acpi.number, acpi.name, str(acpi.affinity), acpi.effective_affinity) == (9, "acpi", "0", None)
    assert (nic.number, nic.name, str(nic.affinity), str(nic.effective_affinity)) == (40, "eth0-0", "0-1", "1")
    assert probe_interrupts(host(tmp_path), only={40}) == (nic,)


def test_what_cannot_be_read_is_a_gap(tmp_path: Path) -> None:
    read = host(tmp_path)
    (tmp_path / "proc/irq/40/smp_affinity_list").write_bytes(b"\0\xff")
    _, nic = probe_interrupts(read)
    with pytest.raises(NotSeen, match="irq/40"):
        assert nic.affinity
    for harm in ("", "CPU0", "nothing", "     CPU0   CPU1\n 40:  1"):
        (tmp_path / "proc/interrupts").write_text(harm)
        found: object = probe_interrupts(read)
        assert isinstance(found, Gap) or found == (), harm
    (tmp_path / "proc/interrupts").unlink()
    assert isinstance(probe_interrupts(read), Gap)


def test_the_interrupts_here_are_the_kernel_s_own(tmp_path: Path) -> None:
    if not Path("/proc/interrupts").exists() or not Path("/sys/kernel/irq").is_dir():
        pytest.skip("this kernel does not show its interrupts twice")
    found: object = probe_interrupts(Reader(Files(Path("/"))))
    if isinstance(found, Gap):
        pytest.skip(f"no interrupts are shown here: {found.reason}")
    assert isinstance(found, tuple)
    compared = 0
    for interrupt in found:
        assert isinstance(interrupt, Interrupt)
        folder = Path(f"/sys/kernel/irq/{interrupt.number}")
        if folder.is_dir():
            assert interrupt.name.split(", ") == (folder / "actions").read_text().strip().split(","), interrupt
            assert interrupt.chip == (folder / "chip_name").read_text().strip(), interrupt
            compared += 1
    assert compared == len(found)
