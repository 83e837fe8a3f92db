"""A hash of what tables say: independent of chunks, of Parquet and of the version of polars that holds them."""

import hashlib
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain
from typing import Final

import polars as pl

_NUMBERS_AT_A_TIME: Final = 2**17
_TEXTS_AT_A_TIME: Final = 2**14
"""Rows that are copied at one time; the hash does not depend on it."""


def fingerprint(tables: Iterable[pl.DataFrame]) -> str:
    """Hash of the tables' columns, row by row, as 32 hexadecimal digits."""
    digest = hashlib.blake2b(digest_size=16)
    hashing: Future[None] | None = None
    with ThreadPoolExecutor(1, thread_name_prefix="genre-fingerprint") as thread:
        for piece in chain.from_iterable(_pieces(column) for table in tables for column in table):
            if hashing is not None:
                hashing.result()
            hashing = thread.submit(digest.update, piece)  # and the next piece is made meanwhile
        if hashing is not None:
            hashing.result()
    return digest.hexdigest()


def _pieces(column: pl.Series) -> Iterator[bytes]:
    """What the hash reads of a column."""
    yield f"{column.name}:{column.dtype}:{column.len()};".encode()
    yield from _values(column)


def _values(column: pl.Series) -> Iterator[bytes]:
    # Little endian everywhere, so that the hash is the same on every machine.
    for rows in _slices(column, _NUMBERS_AT_A_TIME):
        yield rows.is_null().to_numpy().astype("<u1").tobytes()
    if isinstance(column.dtype, pl.List):
        for rows in _slices(column, _NUMBERS_AT_A_TIME):
            yield rows.list.len().fill_null(0).to_numpy().astype("<u4").tobytes()
        yield from _values(column.explode(empty_as_null=False, keep_nulls=False))
    elif column.dtype == pl.String:
        # With the lengths before them, the joined texts can be cut in one way only.
        for rows in _slices(column, _NUMBERS_AT_A_TIME):
            yield rows.str.len_bytes().fill_null(0).to_numpy().astype("<u4").tobytes()
        for rows in _slices(column, _TEXTS_AT_A_TIME):
            yield (rows.str.join("").item() or "").encode()
    elif column.dtype.is_float():
        for rows in _slices(column, _NUMBERS_AT_A_TIME):
            floats = rows.fill_null(0).to_numpy()
            yield floats.astype(floats.dtype.newbyteorder("<")).tobytes()
    else:
        for rows in _slices(column, _NUMBERS_AT_A_TIME):
            yield rows.to_physical().fill_null(0).to_numpy().astype("<i8").tobytes()


def _slices(column: pl.Series, count: int) -> Iterator[pl.Series]:
    for start in range(0, column.len(), count):
        yield column.slice(start, count)
