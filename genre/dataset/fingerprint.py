"""A hash of what tables say: independent of chunks, of Parquet and of the version of polars that holds them."""

import hashlib
from collections.abc import Iterable, Iterator
from typing import Final

import polars as pl

_NUMBERS_AT_A_TIME: Final = 2**17
_TEXTS_AT_A_TIME: Final = 2**14
"""Rows that are copied at one time; the hash does not depend on it."""


def fingerprint(tables: Iterable[pl.DataFrame]) -> str:
    """Hash of the tables' columns, row by row, as 32 hexadecimal digits."""
    digest = hashlib.blake2b(digest_size=16)
    for table in tables:
        for column in table:
            digest.update(f"{column.name}:{column.dtype}:{column.len()};".encode())
            _update(digest, column)
    return digest.hexdigest()


def _update(digest: hashlib.blake2b, column: pl.Series) -> None:
    # Little endian everywhere, so that the hash is the same on every machine.
    for rows in _slices(column, _NUMBERS_AT_A_TIME):
        digest.update(rows.is_null().to_numpy().astype("<u1").tobytes())
    if isinstance(column.dtype, pl.List):
        for rows in _slices(column, _NUMBERS_AT_A_TIME):
            digest.update(rows.list.len().fill_null(0).to_numpy().astype("<u4").tobytes())
        _update(digest, column.explode(empty_as_null=False, keep_nulls=False))
    elif column.dtype == pl.String:
        # With the lengths before them, the joined texts can be cut in one way only.
        for rows in _slices(column, _NUMBERS_AT_A_TIME):
            digest.update(rows.str.len_bytes().fill_null(0).to_numpy().astype("<u4").tobytes())
        for rows in _slices(column, _TEXTS_AT_A_TIME):
            digest.update((rows.str.join("").item() or "").encode())
    elif column.dtype.is_float():
        for rows in _slices(column, _NUMBERS_AT_A_TIME):
            floats = rows.fill_null(0).to_numpy()
            digest.update(floats.astype(floats.dtype.newbyteorder("<")).tobytes())
    else:
        for rows in _slices(column, _NUMBERS_AT_A_TIME):
            digest.update(rows.to_physical().fill_null(0).to_numpy().astype("<i8").tobytes())


def _slices(column: pl.Series, count: int) -> Iterator[pl.Series]:
    for start in range(0, column.len(), count):
        yield column.slice(start, count)
