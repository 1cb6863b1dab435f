"""The one place that loads pyarrow, which reads and writes the files and is not needed for anything else.

Columns are handed over as buffers: what pyarrow offers to turn numpy's arrays and lists into its own, and back, loads
pandas, and that takes 50 MB.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

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


def numbers(values: NDArray[Any], kind: Any) -> Any:
    """A column of numbers; the array's type is that of the column."""
    pa = arrow()
    return pa.Array.from_buffers(kind, len(values), [None, pa.py_buffer(np.ascontiguousarray(values))])


def words(codes: NDArray[np.int32], known: Sequence[str]) -> Any:
    """A column of texts: of each row the number of its text."""
    pa = arrow()
    raw = [text.encode("utf-8", "replace") for text in known]
    ends = np.cumsum([0, *map(len, raw)]).astype(np.int32)
    texts = pa.Array.from_buffers(pa.string(), len(raw), [None, pa.py_buffer(ends), pa.py_buffer(b"".join(raw))])
    return pa.DictionaryArray.from_arrays(numbers(codes, pa.int32()), texts)


def values_of(column: Any, kind: type[np.generic]) -> NDArray[Any]:
    """The numbers of a column; where a row has none, NaN, and ValueError where that cannot be said in this kind."""
    array = column.combine_chunks() if hasattr(column, "combine_chunks") else column
    if not len(array):
        return np.empty(0, kind)
    valid, content = array.buffers()
    size = np.dtype(kind).itemsize
    values = np.frombuffer(content, kind, len(array), array.offset * size)
    if not array.null_count:
        return values
    if not np.issubdtype(kind, np.floating):
        raise ValueError("a row has no number where each has one")
    # What pyarrow offers for this loads all of its kernels, and that takes 45 MB.
    bits = np.unpackbits(np.frombuffer(valid, np.uint8), bitorder="little")
    return np.where(bits[array.offset : array.offset + len(array)], values, np.array(np.nan, kind))
