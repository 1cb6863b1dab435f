"""What a reader dropped or altered is found; what it added or spelled anew is not counted."""

from __future__ import annotations

import pytest

from kvmnb.core.xml import altered
from kvmnb.machine.domain_shape import DOMAIN


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("<memory unit='GiB'>1</memory>", "<memory unit='KiB'>1048576</memory>"),
        ("<vcpu cpuset='0,1'>2</vcpu>", "<vcpu placement='static' cpuset='0-1'>2</vcpu><cpu mode='custom'/>"),
        (
            "<cputune><vcpupin vcpu='1' cpuset='1'/><vcpupin vcpu='0' cpuset='0'/></cputune>",
            "<cputune><vcpupin vcpu='0' cpuset='0'/><vcpupin vcpu='1' cpuset='1'/></cputune>",
        ),
        (
            "<cpu><numa><cell id='0' memory='1' unit='MiB'/></numa></cpu>",
            "<cpu><numa><cell id='0' memory='1024' unit='KiB'/></numa></cpu>",
        ),
    ],
)
def test_another_spelling_and_an_addition_are_no_loss(asked: str, found: str) -> None:
    assert altered(f"<domain>{asked}</domain>", f"<domain>{found}</domain>", DOMAIN) == []


@pytest.mark.parametrize(
    ("asked", "found", "said"),
    [
        ("<cputune><vcpupin vcpu='9' cpuset='0'/></cputune>", "", ["cputune is gone"]),
        (
            "<cputune><vcpupin vcpu='0' cpuset='0'/><vcpupin vcpu='9' cpuset='0'/></cputune>",
            "<cputune><vcpupin vcpu='0' cpuset='0'/></cputune>",
            ["cputune/vcpupin[9] is gone"],
        ),
        (
            "<memory unit='KiB'>1048576</memory>",
            "<memory unit='KiB'>524288</memory>",
            ["memory is '524288', not '1048576'"],
        ),
        (
            "<cpu><numa><cell id='0' cpus='0' memory='1'/></numa></cpu>",
            "<cpu><numa><cell id='0' cpus='0-1,3' memory='1'/></numa></cpu>",
            ["cpu/numa/cell[0]/@cpus is '0-1,3', not '0'"],
        ),
        (
            "<memoryBacking><hugepages><page size='2048' nodeset='0'/></hugepages></memoryBacking>",
            "<memoryBacking><hugepages><page size='2048' unit='KiB'/></hugepages></memoryBacking>",
            ["memoryBacking/hugepages/page[2048]/@nodeset ('0') is gone"],
        ),
        ("<metadata><a:x xmlns:a='u'>1</a:x></metadata>", "<metadata/>", ["metadata/a:x is gone"]),
    ],
)
def test_what_is_dropped_or_altered_is_named(asked: str, found: str, said: list[str]) -> None:
    assert altered(f"<domain>{asked}</domain>", f"<domain>{found}</domain>", DOMAIN) == said
