"""The one place that loads pyarrow, which reads and writes the files and is not needed for anything else."""

from __future__ import annotations

from typing import Any

from kvmnb.core.errors import KvmnbError


def arrow() -> Any:
    """The module ``pyarrow``, with ``pyarrow.parquet``; KvmnbError that names the extra where it is missing."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as problem:
        raise KvmnbError(
            "recordings of series are Parquet files, and pyarrow, which reads and writes them, cannot be loaded "
            f"({problem}); `pip install 'kvmnb[record]'` installs it"
        ) from problem
    return pyarrow
