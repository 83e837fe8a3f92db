"""Looking at news: ids that stand for two news, and texts that are missing."""

from collections.abc import Iterable, Sequence
from typing import Final

import polars as pl

from genre.dataset.checks.findings import Kind, Tally
from genre.dataset.tables import NEWS_SCHEMA

TWO_NEWS: Final = Kind(
    "two-news-under-one-id",
    "error",
    "ids under which different texts stand; the first is read, and clicks on the other count for it",
    "read sets whose ids clash (such as MIND's small and large) apart",
)
TWO_DESCRIPTIONS: Final = Kind(
    "two-descriptions-of-a-news",
    "warning",
    "ids whose category, link or entities differ between rows; the first is read",
    "keep one row for each news",
)
NO_ID: Final = Kind("no-id", "error", "news without an id", "give each an id of its own")

_PLACE: Final = ("file", "line")
_OTHERS: Final = frozenset(NEWS_SCHEMA) - {"id", "origin"}


def missing_text(field: str, *, first: bool) -> Kind:
    """The kind of news without a text. Much rests on the first field, and many sets do without the others."""
    return Kind(
        f"no-{field}",
        "warning" if first else "note",
        f"news without {field}",
        f"let a task write it, or leave {field} out of [features]" if not first else "add the text, or drop the news",
    )


def check_news(blocks: Iterable[pl.DataFrame], text_fields: Sequence[str], tally: Tally) -> pl.Series:
    """Look at all news.

    Args:
        blocks: as of `Rows.news`.

    Returns:
        The distinct ids, in the order of their first rows.
    """
    kept: list[pl.DataFrame] = []
    for block in blocks:
        texts = [pl.col(name).fill_null("") for name in text_fields]
        others = [pl.col(name).fill_null("") for name in block.columns if name in _OTHERS]
        kept.append(
            block.select(
                "id",
                *_PLACE,
                texts=_hash(texts),
                others=_hash(others),
                **{f"no-{name}": pl.col(name).fill_null("").str.strip_chars() == "" for name in text_fields},
            )
        )
    if not kept:
        return pl.Series("id", [], dtype=pl.String)
    # Kept as they come, most rows repeat an earlier one and need not be looked at again.
    rows = pl.concat(kept, how="vertical_relaxed")
    nameless = rows.filter(pl.col("id").is_null())
    if nameless.height:
        tally.add(NO_ID, nameless.height, where=f"{nameless['file'][0]}:{nameless['line'][0]}")
        rows = rows.drop_nulls("id")
    distinct = rows.unique("id", keep="first", maintain_order=True)
    _count_twins(rows, distinct, tally)
    for place, field in enumerate(text_fields):
        lacking = distinct.filter(pl.col(f"no-{field}"))
        if lacking.height:
            tally.add(
                missing_text(field, first=place == 0),
                lacking.height,
                where=f"{lacking['file'][0]}:{lacking['line'][0]}",
                example=repr(lacking["id"][0]),
            )
    return distinct["id"]


def _hash(values: Sequence[pl.Expr]) -> pl.Expr:
    return pl.struct(values).hash() if values else pl.lit(0, dtype=pl.UInt64)


def _count_twins(rows: pl.DataFrame, distinct: pl.DataFrame, tally: Tally) -> None:
    compared = rows.join(distinct.select("id", first="texts", rest="others"), on="id", maintain_order="left")
    differs = compared.filter(pl.col("texts") != pl.col("first")).unique("id", keep="first", maintain_order=True)
    others = (
        compared.filter((pl.col("others") != pl.col("rest")) & ~pl.col("id").is_in(differs["id"].implode()))
    ).unique("id", keep="first", maintain_order=True)
    for kind, found in ((TWO_NEWS, differs), (TWO_DESCRIPTIONS, others)):
        if found.height:
            tally.add(kind, found.height, where=f"{found['file'][0]}:{found['line'][0]}", example=repr(found["id"][0]))
