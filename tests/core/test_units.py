"""Sizes are read in libvirt's and the kernel's units."""

from __future__ import annotations

import pytest

from kvmnb.core.errors import KvmnbError
from kvmnb.core.units import format_bytes, parse_kernel_size, parse_size


@pytest.mark.parametrize(
    ("number", "unit", "size"),
    [
        ("4", None, 4096),
        ("4", "KiB", 4096),
        ("4", "k", 4096),
        ("4", "KB", 4000),
        ("2", "GiB", 2 * 1024**3),
        ("2", "G", 2 * 1024**3),
        ("1", "TB", 10**12),
        ("7", "b", 7),
        (" 7 ", "bytes", 7),
    ],
)
def test_a_size_has_libvirts_unit(number: str, unit: str | None, size: int) -> None:
    assert parse_size(number, unit) == size


@pytest.mark.parametrize(
    ("number", "unit"), [("4", "furlong"), ("x", "KiB"), ("-1", "KiB"), ("1.5", "GiB"), ("9" * 30, "b")]
)
def test_what_is_no_size_is_refused(number: str, unit: str) -> None:
    with pytest.raises(KvmnbError, match="is not a size that libvirt knows"):
        parse_size(number, unit)


@pytest.mark.parametrize(
    ("text", "size"), [("32K", 32768), ("24576K", 25165824), ("8 kB", 8192), ("1M", 1024**2), ("12", 12)]
)
def test_a_kernel_size_is_read(text: str, size: int) -> None:
    assert parse_kernel_size(text) == size


def test_a_kernel_size_that_is_none_is_refused() -> None:
    with pytest.raises(KvmnbError, match="as the kernel writes it"):
        parse_kernel_size("many")


@pytest.mark.parametrize(
    ("size", "said"),
    [(0, "0 bytes"), (1536, "1.5 KiB"), (4 * 1024**3, "4 GiB"), (3 * 1024**4, "3 TiB"), (1310720, "1.25 MiB")],
)
def test_a_size_prints_in_its_largest_unit(size: int, said: str) -> None:
    assert format_bytes(size) == said
