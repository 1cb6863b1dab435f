"""The page of benchmarks is written by the benchmarks alone, each its own part."""

from __future__ import annotations

from pathlib import Path

from tools.bench.page import HEAD, PAGE, machine, write_part


def test_each_benchmark_writes_its_own_part_and_keeps_the_others(tmp_path: Path) -> None:
    page = tmp_path / "benchmarks.md"
    write_part("What live charts cost", "charts, first\n", page)
    write_part("What sampling costs", "\nsampling\n\n| a |\n", page)
    write_part("What live charts cost", "charts, again", page)
    assert page.read_text() == (
        f"{HEAD}\n## What sampling costs\n\nsampling\n\n| a |\n\n## What live charts cost\n\ncharts, again\n"
    )


def test_the_machine_is_told_with_its_cpus_its_kernel_and_what_else_it_did() -> None:
    assert machine().split()[1:2] == ["CPUs"]
    assert "load average" in machine()


def test_the_page_has_no_words_that_a_benchmark_would_not_write() -> None:
    assert PAGE.read_text().startswith(HEAD)
