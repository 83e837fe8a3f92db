"""Files of dense vectors: Parquet with `id` and `vector`, or a NumPy matrix with its ids in a text file beside it."""

import tokenize
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from genre.dataset.tables import UNREADABLE
from genre.dataset.vectors import checked_vectors
from genre.errors import UsageError

IDS_SUFFIX: Final = ".ids.txt"
"""`cover.npy` has its ids in `cover.ids.txt`, one a line, in the order of the rows."""

_COLUMNS: Final = ("id", "vector")


def read_vectors(path: Path) -> tuple[list[str], NDArray[np.float32]]:
    """Read vectors of news from a file; nothing in it is run.

    Args:
        path: a Parquet file (`id`, and `vector`: lists or arrays of floats; other columns are not read), or a `.npy`
            file that holds a matrix of floats, with the ids beside it.

    Returns:
        M ids, and their vectors (M, V).

    Raises:
        UsageError: the file is missing, damaged, empty or of another kind, or a row is not as it should be.
    """
    readers = {".parquet": _read_parquet, ".npy": _read_numpy}
    read = readers.get(path.suffix)
    if read is None:
        raise UsageError(
            f"vectors are not read from files that end with {path.suffix!r}",
            where=path,
            remedy=f"write them as {' or '.join(readers)}",
        )
    ids, matrix = read(path)
    if not ids:
        raise UsageError("the file holds no vectors", where=path, remedy="write a row for each news that has a vector")
    return ids, checked_vectors(ids, matrix, where=path)


def _read_parquet(path: Path) -> tuple[list[str], NDArray[Any]]:
    try:
        file = pl.scan_parquet(path, glob=False)
        schema = file.collect_schema()
        if missing := [name for name in _COLUMNS if name not in schema]:
            raise UsageError(
                f"there is no column {missing[0]!r} among {', '.join(schema)}",
                where=path,
                remedy="name the columns `id` and `vector`",
            )
        table = file.select(_COLUMNS).collect()
    except UNREADABLE as error:
        raise UsageError(f"the vectors cannot be read: {error}", where=path, remedy="check the file") from error
    ids, vectors = table["id"], table["vector"]
    if ids.dtype != pl.String:
        raise UsageError(f"the column `id` holds {ids.dtype}", where=path, remedy="write ids as texts")
    if not (isinstance(vectors.dtype, pl.List | pl.Array) and vectors.dtype.inner.is_float()):
        raise UsageError(
            f"the column `vector` holds {vectors.dtype}", where=path, remedy="write vectors as lists of floats"
        )
    if isinstance(vectors.dtype, pl.Array):
        vectors = vectors.arr.to_list()
    _refuse(ids.is_null(), ids, "has no id", path)
    _refuse(vectors.is_null(), ids, "has no vector", path)
    _refuse(vectors.list.eval(pl.element().is_null()).list.any(), ids, "has a vector with missing numbers", path)
    widths = vectors.list.len()
    width = int(widths[0]) if table.height else 1  # what is empty is refused later, whatever its width
    _refuse(widths != width, ids, f"has a vector of another width than row 1 ({width})", path)
    return ids.to_list(), vectors.explode(empty_as_null=False).to_numpy().reshape(table.height, width)


def _refuse(bad: pl.Series, ids: pl.Series, reason: str, path: Path) -> None:
    if bad.any():
        row = int(bad.arg_max() or 0)
        raise UsageError(
            f"row {row + 1} (id {ids[row]!r}) {reason}", where=path, remedy="correct the row or leave it out"
        )


def _read_numpy(path: Path) -> tuple[list[str], NDArray[Any]]:
    try:
        # Mapped: objects, which would be unpickled, are refused, and so is a header that promises more than the file
        # holds, before memory is asked for.
        matrix = np.lib.format.open_memmap(path, mode="r")
    except (OSError, ValueError, EOFError, SyntaxError, TypeError, OverflowError, tokenize.TokenError) as error:
        raise UsageError(
            f"the matrix cannot be read: {error}", where=path, remedy="write it with numpy.save, without objects"
        ) from error
    return _read_ids(path.with_suffix(IDS_SUFFIX)), matrix


def _read_ids(path: Path) -> list[str]:
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except OSError as error:
        raise UsageError(
            f"the ids of the matrix's rows cannot be read: {error.strerror}",
            where=path,
            remedy="write this file beside the matrix, with one id a line",
        ) from error
    except UnicodeDecodeError as error:
        raise UsageError(f"not UTF-8 text: {error.reason}", where=path, remedy="save the file as UTF-8") from error
    if not lines[-1]:
        lines.pop()
    for number, name in enumerate(lines, start=1):
        if not name or name != name.strip():
            raise UsageError(
                f"{name!r} is not an id", where=f"{path}:{number}", remedy="write one id a line, without blanks"
            )
    return lines
