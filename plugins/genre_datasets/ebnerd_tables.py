"""Rows of EB-NeRD's three tables: articles, behaviors, and the users' histories."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import polars as pl

from genre_datasets.behaviors import BEHAVIORS_SCHEMA
from genre_datasets.parquet import Holds, collect, refuse, scan_columns, slices

_IDS: Final = pl.List(pl.String)
_TEXTS: Final = {"title": "title", "abstract": "subtitle", "category": "category_str", "url": "url"}
"""Columns of news, and of articles."""


def read_articles(path: Path, *, body: bool) -> pl.DataFrame:
    """An `articles.parquet` as rows of news: the subtitle is the abstract.

    A category is its name, a subcategory the id of the first one: EB-NeRD has no names for them.

    Raises:
        UsageError: the file is not as it should be.
    """
    texts = _TEXTS | ({"body": "body"} if body else {})
    wanted: dict[str, Holds] = {"article_id": "id", **dict.fromkeys(texts.values(), "text")}
    rows = collect(path, scan_columns(path, wanted, {"subcategory": "ids"}))
    name = pl.col("article_id").cast(pl.String)
    refuse(rows, name.is_null() | name.str.contains(r"^$|\s"), path, "the article has no id", "leave the row out")
    first = pl.col("subcategory").list.first().cast(pl.String) if "subcategory" in rows.columns else pl.lit("")
    return rows.select(
        name.alias("id"),
        **{field: pl.col(column).fill_null("") for field, column in texts.items()},
        subcategory=first.fill_null(""),
        file=pl.lit(str(path)),
        line="line",
    )


def read_behaviors(folder: Path, split: str) -> Iterator[pl.DataFrame]:
    """Blocks of a split's impressions, as `BEHAVIORS_SCHEMA`; `line` is the row of behaviors.parquet.

    A user's history is that of history.parquet, and empty for a user who is not there. Candidates are labelled 1 when
    they were clicked; what was clicked without having been in view is not a candidate.

    Raises:
        UsageError: a file is not as it should be.
    """
    path = folder / "behaviors.parquet"
    frame = scan_columns(
        path,
        {"impression_id": "id", "user_id": "id", "impression_time": "time", "article_ids_inview": "ids"},
        {"article_ids_clicked": "ids"},
    )
    histories = _histories(folder / "history.parquet")
    for rows in slices(path, frame):
        for column in ("impression_id", "user_id"):
            refuse(rows, pl.col(column).is_null(), path, f"the {column} is missing", "leave the row out")
        named = rows.with_columns(user=pl.col("user_id").cast(pl.String))
        clicked = "article_ids_clicked" in rows.columns
        yield (
            named.join(histories, on="user", how="left", maintain_order="left")
            .with_columns(_labels(rows) if clicked else pl.lit(None).alias("labels"))
            .select(
                "user",
                "labels",
                "line",
                pl.col("history").cast(_IDS).fill_null([]),
                impression=pl.col("impression_id").cast(pl.String),
                split=pl.lit(split),
                time="impression_time",
                candidates=pl.col("article_ids_inview").cast(_IDS).fill_null([]),
                file=pl.lit(str(path)),
            )
            .select(BEHAVIORS_SCHEMA.names())
            .cast(BEHAVIORS_SCHEMA)
        )


def _histories(path: Path) -> pl.DataFrame:
    """`user` and `history`, the clicks before the split's time, oldest first."""
    rows = collect(path, scan_columns(path, {"user_id": "id", "article_id_fixed": "ids"}))
    user = pl.col("user_id")
    refuse(rows, user.is_null(), path, "the user_id is missing", "leave the row out")
    refuse(rows, ~user.is_first_distinct(), path, "the user stands in an earlier row already", "keep one of them")
    return rows.select(user=user.cast(pl.String), history="article_id_fixed")


def _labels(rows: pl.DataFrame) -> pl.Series:
    """1 for each candidate that was clicked, 0 for the others; null where it is not told."""
    inview = pl.col("article_ids_inview")
    shown = (
        rows.select("line", "article_ids_inview", "article_ids_clicked")
        .filter(pl.col("article_ids_clicked").is_not_null())
        .with_columns(inview.fill_null([]))
    )
    marked = (
        shown.explode("article_ids_inview", empty_as_null=False)
        .select("line", label=inview.is_in(pl.col("article_ids_clicked")).cast(pl.UInt8).fill_null(0))
        .group_by("line", maintain_order=True)
        .agg("label")
    )
    told = shown.select("line").join(marked, on="line", how="left").with_columns(pl.col("label").fill_null([]))
    return rows.select("line").join(told, on="line", how="left", maintain_order="left")["label"].alias("labels")
