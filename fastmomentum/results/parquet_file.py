"""Tables as Parquet files, by pyarrow, an optional dependency."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import numpy as np

from fastmomentum.errors import InputError
from fastmomentum.results.tables import Columns, Table
from fastmomentum.status import Status
from fastmomentum.store.whole_file import replacing

VALUES_AT_ONCE: Final = 2**16
"""Of a column, which are encoded together; pyarrow's 1,024 take twice as long."""


def require_pyarrow() -> None:
    """Refuse Parquet if pyarrow is not installed.

    Raises
    ------
    InputError
        Says how to install it.
    """
    try:
        import pyarrow.parquet  # noqa: F401
    except ImportError:
        raise InputError(
            "Parquet needs pyarrow: pip install 'fastmomentum[export]', or write .csv or .nc"
        ) from None


def write_parquet(table: Table, path: Path) -> None:
    """Write a table as Parquet, a group of rows at a time.

    Parameters
    ----------
    table : Table
        Is read once.
    path : Path
        The file; it is written whole or not at all.

    Raises
    ------
    StorageError
        It cannot be written.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    # A group is encoded, without Python's lock, while the next one is read.
    with replacing(path) as partial, partial.open("wb") as file, ThreadPoolExecutor(1) as other:
        writer: Any = None
        encoded: Future[None] | None = None
        try:
            for columns in table:
                group = _group(pa, columns)
                if writer is None:
                    few = [n for n, v in columns.items() if n == "status" or _repeats(v)]
                    packing = {n: "SNAPPY" if n in few else "NONE" for n in columns}
                    # Ranges of what is chosen by are kept, for readers that skip groups.
                    writer = pq.ParquetWriter(
                        file, group.schema, use_dictionary=few, compression=packing,
                        write_statistics=few, write_batch_size=VALUES_AT_ONCE,
                    )  # fmt: skip
                if encoded is not None:
                    encoded.result()
                encoded = other.submit(writer.write_table, group)
            if encoded is not None:
                encoded.result()
        finally:
            other.shutdown()
            if writer is not None:
                writer.close()


def _group(pa: Any, columns: Columns) -> Any:
    arrays = {name: pa.array(np.ascontiguousarray(values)) for name, values in columns.items()}
    if "status" in arrays:
        words = pa.array([status.words for status in Status])
        codes = pa.array(columns["status"].astype(np.int8))
        arrays["status"] = pa.DictionaryArray.from_arrays(codes, words)
    return pa.table(arrays)


def _repeats(values: np.ndarray[Any, Any]) -> bool:
    """Whether a few values repeat, as those of an axis do."""
    return bool(np.unique(values[:4096]).size < 1024)
