"""Dense vectors of news: from ids and a matrix to rows of the table `vectors`, and back to a matrix."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from genre.errors import UsageError

_AS_IT_SHOULD_BE = "a matrix has a row of floats for each id"


def checked_vectors(
    ids: Sequence[str], matrix: NDArray[np.generic], *, where: Path | None = None
) -> NDArray[np.float32]:
    """The matrix as 32-bit floats, if its rows can be the vectors of these news.

    Args:
        ids: M ids of news.
        matrix: floats (M, V).
        where: the file that says them, for messages; row numbers start at 1.

    Raises:
        UsageError: another shape, no floats, an id that is no text or stands twice, or a number that is not finite
            as a 32-bit float.
    """
    if matrix.ndim != 2 or not matrix.shape[1]:
        raise UsageError(
            f"the vectors have the shape {matrix.shape}, and (news, width) is expected",
            where=where,
            remedy=_AS_IT_SHOULD_BE,
        )
    if matrix.dtype.kind != "f":
        raise UsageError(
            f"the vectors are of type {matrix.dtype}, and floats are expected", where=where, remedy=_AS_IT_SHOULD_BE
        )
    if len(ids) != len(matrix):
        raise UsageError(f"there are {len(ids)} ids and {len(matrix)} vectors", where=where, remedy=_AS_IT_SHOULD_BE)
    rows: dict[str, int] = {}
    for row, name in enumerate(ids, start=1):
        if not isinstance(name, str):
            raise UsageError(f"row {row}: the id {name!r} is not a text", where=where, remedy="write ids as texts")
        if name in rows:
            raise UsageError(
                f"row {row}: the id {name!r} stands in row {rows[name]} already", where=where, remedy="keep one of them"
            )
        rows[name] = row
    with np.errstate(over="ignore"):  # what overflows becomes infinite, and is refused as such
        floats: NDArray[np.float32] = matrix.astype(np.float32)
    if not (finite := np.isfinite(floats)).all():
        row, place = (int(index) for index in np.argwhere(~finite)[0])
        raise UsageError(
            f"row {row + 1}: the vector of {ids[row]!r} holds {matrix[row, place]} (number {place + 1} of it)",
            where=where,
            remedy="a vector holds finite 32-bit floats only; leave the news out if it has none",
        )
    return floats


def vector_column(matrix: NDArray[np.float32]) -> pl.Series:
    """Rows of a matrix (M, V) as a column of M lists."""
    return pl.Series("vector", matrix, dtype=pl.Array(pl.Float32, matrix.shape[1])).arr.to_list()


def vector_matrix(rows: pl.DataFrame, height: int) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """The vectors of one field, and which news have one.

    Args:
        rows: `news` and `vector`, at least one row.
        height: N, the number of news.

    Returns:
        A matrix (N, V) that is zero where a news has no vector, and a mask (N,).

    Raises:
        UsageError: the vectors differ in width.
    """
    widths = rows["vector"].list.len()
    width = int(widths[0])
    if (other := widths.filter(widths != width)).len():
        raise UsageError(f"the vectors of one field have widths {width} and {other[0]}")
    matrix = np.zeros((height, width), dtype=np.float32)
    mask = np.zeros(height, dtype=np.bool_)
    positions = rows["news"].to_numpy()
    matrix[positions] = rows["vector"].explode(empty_as_null=False).to_numpy().reshape(-1, width)
    mask[positions] = True
    return matrix, mask
