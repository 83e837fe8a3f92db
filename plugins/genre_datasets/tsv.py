"""Tab-separated files without quoting, in blocks of whole lines: strict about columns and about UTF-8."""

import gzip
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import polars as pl

from genre.errors import UsageError

BLOCK_BYTES: Final = 2 * 2**20
"""Bytes read at a time: bounds the memory that texts take before ids have become positions."""

BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"


def find_file(folder: Path, name: str) -> Path:
    """`folder/name` or `folder/name.gz`.

    Raises:
        UsageError: there is none, or both.
    """
    found = [path for path in (folder / name, folder / f"{name}.gz") if path.is_file()]
    if not found:
        raise UsageError(
            "there is no such file, plain or with .gz",
            where=folder / name,
            remedy="check the folder: each split's has a news.tsv and a behaviors.tsv",
        )
    if len(found) > 1:
        raise UsageError("there is a plain and a .gz file of that name", where=folder / name, remedy="keep one of them")
    return found[0]


def read_rows(path: Path, columns: Sequence[str]) -> Iterator[pl.DataFrame]:
    """Blocks of rows: the columns as they stand (quotes too), and `line`, counted from 1.

    A carriage return at the end of a line is not part of its last column.

    Raises:
        UsageError: a row with too few or too many columns, a text that is not UTF-8, or a damaged .gz; the message
            names the file and the line.
    """
    first = 1
    for block in line_blocks(path):
        lines = _lines(block, path, first)
        rows = pl.DataFrame({"text": lines}).select(
            line=pl.int_range(first, first + lines.len(), dtype=pl.UInt32), text="text"
        )
        found = pl.col("text").str.count_matches("\t", literal=True) + 1
        wrong = rows.filter(found != len(columns)).head(1).select("line", found=found)
        if wrong.height:
            line, count = wrong.row(0)
            raise UsageError(
                f"{count} columns, expected {len(columns)}",
                where=f"{path}:{line}",
                remedy=f"the columns are {', '.join(columns)}; separated by tabs",
            )
        fields = rows["text"].str.split_exact("\t", len(columns) - 1).struct.rename_fields(list(columns))
        yield fields.struct.unnest().with_columns(rows["line"])
        first += lines.len()


def line_blocks(path: Path) -> Iterator[bytes]:
    """Whole lines of a file, plain or `.gz`, some at a time.

    Raises:
        UsageError: the file cannot be read.
    """
    try:
        with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
            while block := file.read(BLOCK_BYTES):
                yield block + file.readline()
    except (OSError, EOFError, zlib.error) as error:
        raise UsageError(f"the file cannot be read: {error}", where=path, remedy="fetch or export it again") from error


def _lines(block: bytes, path: Path, first: int) -> pl.Series:
    if first == 1 and block.startswith(BYTE_ORDER_MARK):
        raise UsageError(
            "the file starts with a byte order mark, which would become part of the first id",
            where=f"{path}:1",
            remedy="save the file as UTF-8 without one",
        )
    try:
        text = block.decode("utf-8")
    except UnicodeDecodeError as error:
        line = first + block.count(b"\n", 0, error.start)
        raise UsageError(
            f"not valid UTF-8: the byte 0x{block[error.start]:02x}",
            where=f"{path}:{line}",
            remedy="convert the file to UTF-8",
        ) from error
    lines = pl.Series([text.removesuffix("\n")]).str.split("\n").explode(empty_as_null=False)
    return lines.str.strip_suffix("\r")
