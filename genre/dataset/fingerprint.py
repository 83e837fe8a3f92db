"""A hash of what tables say: independent of chunks, of Parquet and of the version of polars that holds them."""

import hashlib
from collections.abc import Iterable

import polars as pl


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
    digest.update(column.is_null().to_numpy().astype("<u1").tobytes())
    if isinstance(column.dtype, pl.List):
        digest.update(column.list.len().fill_null(0).to_numpy().astype("<u4").tobytes())
        _update(digest, column.explode(empty_as_null=False, keep_nulls=False))
    elif column.dtype == pl.String:
        # With the lengths before them, the joined texts can be cut in one way only.
        digest.update(column.str.len_bytes().fill_null(0).to_numpy().astype("<u4").tobytes())
        digest.update("".join(column.drop_nulls()).encode())
    elif column.dtype.is_float():
        floats = column.fill_null(0).to_numpy()
        digest.update(floats.astype(floats.dtype.newbyteorder("<")).tobytes())
    else:
        digest.update(column.to_physical().fill_null(0).to_numpy().astype("<i8").tobytes())
