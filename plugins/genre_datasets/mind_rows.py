"""Rows of MIND's news.tsv and behaviors.tsv: ids, times, and labels if there are any, strictly checked."""

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Final

import polars as pl

from genre.dataset import BEHAVIORS_COLUMNS, NEWS_COLUMNS, TIME_FORMAT
from genre.errors import UsageError
from genre_datasets.behaviors import BEHAVIORS_SCHEMA
from genre_datasets.tsv import read_rows

NEWS_SCHEMA: Final = pl.Schema({**dict.fromkeys(NEWS_COLUMNS, pl.String()), "file": pl.String(), "line": pl.UInt32()})

_LABELLED: Final = {
    "candidates": pl.col("tokens").list.eval(pl.element().str.head(-2)),
    "labels": pl.col("tokens").list.eval(pl.element().str.ends_with("-1").cast(pl.UInt8)),
}
"""Of tokens that all end with a label."""


def read_news(path: Path) -> pl.DataFrame:
    """The rows of a news.tsv, as `NEWS_SCHEMA`.

    Raises:
        UsageError: a row is not what MIND's format says; names file and line.
    """
    blocks = [pl.DataFrame(schema=NEWS_SCHEMA)]
    for rows in read_rows(path, NEWS_COLUMNS):
        _refuse(
            rows.filter((pl.col("id") == "") | pl.col("id").str.contains(" ", literal=True)),
            path,
            "id",
            "the news id {!r} is empty or has blanks in it",
            "behaviors.tsv separates ids by blanks; give the news another id",
        )
        blocks.append(rows.with_columns(file=pl.lit(str(path))).select(NEWS_SCHEMA.names()))
    return pl.concat(blocks)


def read_behaviors(path: Path, split: str, known: Collection[str]) -> Iterator[pl.DataFrame]:
    """Blocks of a behaviors.tsv, as `BEHAVIORS_SCHEMA`.

    Args:
        split: what the rows' split is called.
        known: ids of all news, which tell a wrong label from an id with a hyphen.

    Raises:
        UsageError: a row is not what MIND's format says; names file and line.
    """
    for rows in read_rows(path, BEHAVIORS_COLUMNS):
        for column in ("impression", "user"):
            _refuse(rows.filter(pl.col(column) == ""), path, column, f"the {column} id is empty", "every row has one")
        timed = rows.with_columns(parsed=pl.col("time").str.to_datetime(TIME_FORMAT, time_unit="us", strict=False))
        _refuse(
            timed.filter(pl.col("parsed").is_null()),
            path,
            "time",
            "the time {!r} is not a time as MIND writes it",
            "write it like 11/11/2019 9:05:58 AM",
        )
        yield (
            _with_candidates(timed, path, known)
            .with_columns(
                split=pl.lit(split),
                time="parsed",
                history=_ids("history"),
                file=pl.lit(str(path)),
            )
            .select(BEHAVIORS_SCHEMA.names())
            .cast(BEHAVIORS_SCHEMA)
        )


def _with_candidates(rows: pl.DataFrame, path: Path, known: Collection[str]) -> pl.DataFrame:
    """The column `candidates` as lists of ids, and `labels`: null in a row none of whose candidates ends in a label."""
    rows = rows.with_columns(tokens=_ids("candidates"))
    _refuse(
        rows.filter(pl.col("tokens").list.len() == 0),
        path,
        "candidates",
        "the impression has no candidates",
        "remove the row: nothing is recommended in it",
    )
    token = pl.element()
    ends = pl.col("tokens").list.eval(token.str.ends_with("-0") | token.str.ends_with("-1"))
    rows = rows.with_columns(labelled=ends.list.all(), mixed=ends.list.any())
    if rows["labelled"].all():  # as in all of MIND but its test split: a choice row by row would copy every list
        return rows.with_columns(**_LABELLED)
    _refuse_bad_labels(rows.filter(~pl.col("labelled")), path, known)
    return rows.with_columns(
        candidates=pl.when("labelled").then(_LABELLED["candidates"]).otherwise("tokens"),
        labels=pl.when("labelled").then(_LABELLED["labels"]),
    )


def _refuse_bad_labels(rows: pl.DataFrame, path: Path, known: Collection[str]) -> None:
    """Among rows that are not labelled throughout, refuse those that are not unlabelled throughout either.

    A label is what follows the last hyphen. Since an id may hold a hyphen too, `A-2` is taken as a wrong label only
    when `A` is a news and `A-2` is none.
    """
    suspects = rows.filter(pl.col("mixed") | pl.col("candidates").str.contains("-", literal=True))
    for line, mixed, tokens in suspects.select("line", "mixed", "tokens").iter_rows():
        odd = [token for token in tokens if not token.endswith(("-0", "-1"))]
        for token in odd:
            name, hyphen, label = token.rpartition("-")
            if hyphen and name in known and token not in known:
                raise UsageError(
                    f"the label {label!r} of the candidate {token!r} is neither 0 nor 1",
                    where=f"{path}:{line}",
                    remedy="write 1 for a click and 0 for none",
                )
        if mixed:
            raise UsageError(
                f"labelled and unlabelled candidates in one impression: {odd[0]!r} has no label",
                where=f"{path}:{line}",
                remedy="label all of them, such as N1-1 N2-0, or none",
            )


def _ids(column: str) -> pl.Expr:
    """Ids separated by blanks -> a list; a text of blanks only is no id."""
    text = pl.col(column).str.strip_chars(" ").str.replace_all(" {2,}", " ")
    return pl.when(text == "").then(pl.lit([], dtype=pl.List(pl.String))).otherwise(text.str.split(" "))


def _refuse(bad: pl.DataFrame, path: Path, column: str, message: str, remedy: str) -> None:
    if bad.height:
        raise UsageError(message.format(bad[column][0]), where=f"{path}:{bad['line'][0]}", remedy=remedy)
