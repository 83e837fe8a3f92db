"""Parquet files whose columns are checked before any row is read."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, Literal, TypeAlias

import polars as pl

from genre.dataset import UNREADABLE
from genre.errors import UsageError

Holds: TypeAlias = Literal["id", "ids", "text", "time"]
"""What a column holds: an id (a whole number or a text), a list of ids, a text, a time."""

ROWS_AT_A_TIME: Final = 20_000


def scan_columns(path: Path, columns: Mapping[str, Holds], optional: Mapping[str, Holds] | None = None) -> pl.LazyFrame:
    """These columns of a file, and those of `optional` that it has; times are in microseconds.

    Raises:
        UsageError: the file is missing or damaged, or a column is missing or holds something else.
    """
    if not path.is_file():
        raise UsageError("there is no such file", where=path, remedy="check the folder")
    try:
        frame = pl.scan_parquet(path, glob=False)
        schema = frame.collect_schema()
    except UNREADABLE as error:
        raise _unreadable(path, error) from error
    wanted = {**columns, **{name: holds for name, holds in (optional or {}).items() if name in schema}}
    for name, holds in wanted.items():
        if name not in schema:
            raise UsageError(
                f"there is no column {name!r} among {', '.join(schema)}", where=path, remedy="check the file"
            )
        if not _holds(schema[name], holds):
            raise UsageError(
                f"the column {name!r} holds {schema[name]}, and {_SAYS[holds]} are expected",
                where=path,
                remedy="convert the column",
            )
    times = [pl.col(name).cast(pl.Datetime("us")) for name, holds in wanted.items() if holds == "time"]
    return frame.select(list(wanted)).with_columns(times)


def collect(path: Path, frame: pl.LazyFrame) -> pl.DataFrame:
    """The rows of `path`, with `line`: their numbers, counted from 1.

    Raises:
        UsageError: the file is damaged.
    """
    try:
        return frame.with_row_index("line", offset=1).collect()
    except UNREADABLE as error:
        raise _unreadable(path, error) from error


def slices(path: Path, frame: pl.LazyFrame) -> Iterator[pl.DataFrame]:
    """As `collect`, some rows at a time.

    Raises:
        UsageError: the file is damaged.
    """
    try:
        height = int(frame.select(pl.len()).collect().item())
        for start in range(0, height, ROWS_AT_A_TIME):
            yield frame.slice(start, ROWS_AT_A_TIME).collect().with_row_index("line", offset=start + 1)
    except UNREADABLE as error:
        raise _unreadable(path, error) from error


def refuse(rows: pl.DataFrame, bad: pl.Expr, path: Path, message: str, remedy: str) -> None:
    """Refuse a file because of its first bad row.

    Raises:
        UsageError: there is one; names its number.
    """
    found = rows.filter(bad)
    if found.height:
        raise UsageError(message, where=f"{path}, row {found['line'][0]}", remedy=remedy)


_SAYS: Final[Mapping[Holds, str]] = {
    "id": "whole numbers or texts",
    "ids": "lists of whole numbers or texts",
    "text": "texts",
    "time": "times",
}


def _holds(dtype: pl.DataType, holds: Holds) -> bool:
    match holds:
        case "id":
            return dtype.is_integer() or dtype == pl.String
        case "ids":
            return isinstance(dtype, pl.List) and (dtype.inner.is_integer() or dtype.inner == pl.String)
        case "text":
            return dtype == pl.String
        case "time":
            return isinstance(dtype, pl.Datetime) and dtype.time_zone is None


def _unreadable(path: Path, error: BaseException) -> UsageError:
    return UsageError(f"the file cannot be read: {error}", where=path, remedy="fetch or export it again")
