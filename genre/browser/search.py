"""Finding news and readers by what they say: bounded answers, in memory, over columns that are made once."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Literal, TypeAlias

import attrs
import polars as pl

from genre.dataset import Dataset

PAGE_SIZE: Final = 25
QUERY_LENGTH: Final = 200
"""Characters of a query that are looked at."""
CATEGORIES: Final = 500
"""Categories that are offered, the most frequent ones."""

NewsKind: TypeAlias = Literal["all", "original", "rewritten", "generated"]
ReaderKind: TypeAlias = Literal["all", "new", "warm", "profiled", "synthetic", "selected"]

_ORDER: Final = ("exact", "position")


@attrs.frozen
class Hits:
    """One page of what was found.

    Attributes:
        rows: of this page.
        total: how many there are on all pages.
        page: number of this one, from 1; the last one if there are not so many.
        pages: at least 1.
    """

    rows: Sequence[Mapping[str, object]]
    total: int
    page: int
    pages: int


class NewsSearch:
    """Finds news whose id, category or texts, of any version, have all words of a query.

    Attributes:
        categories: what news may be narrowed down to.
    """

    def __init__(self, dataset: Dataset) -> None:
        texts = dataset.texts
        said = texts.group_by("news").agg(
            said=pl.col("text").str.join("\n"), rewritten=(pl.col("version") != "original").any()
        )
        indexed = dataset.news.with_row_index("position").select("position", "id", "origin", "category", "subcategory")
        joined = indexed.join(said, left_on="position", right_on="news", how="left", maintain_order="left")
        original = pl.col("origin") == "original"
        self._table = joined.select(
            "position",
            "id",
            "origin",
            "category",
            "subcategory",
            title=dataset.text("title", "original"),
            latest=dataset.text("title"),
            rewritten=original & pl.col("rewritten").fill_null(value=False),
            haystack=_haystack("id", "category", "subcategory", "said"),
        )
        counts = dataset.news.filter(pl.col("category") != "").group_by("category").len()
        frequent = counts.sort("len", "category", descending=[True, False]).head(CATEGORIES)
        self.categories: tuple[str, ...] = tuple(frequent["category"].sort())

    def find(self, query: str, *, kind: NewsKind = "all", category: str = "", page: int = 1) -> Hits:
        """News of a query, an exact id first: `id`, `origin`, `category`, `subcategory`, `title` (as published),
        `latest` (title), `rewritten`.

        Args:
            query: words, each of which must stand somewhere, as parts of words too; `"in quotes"` they stand together.
            kind: original ones, those of them that a round rewrote, or those that an LLM made.
            category: of this category only; `""` for any.
        """
        chosen = {
            "all": pl.lit(value=True),
            "original": pl.col("origin") == "original",
            "rewritten": pl.col("rewritten"),
            "generated": pl.col("origin") == "generated",
        }[kind]
        if category:
            chosen &= pl.col("category") == category
        found = _matching(self._table.filter(chosen), query)
        return _page(found.with_columns(exact=pl.col("id") != query.strip()), page)


class ReaderSearch:
    """Finds readers by parts of their id or their user's."""

    def __init__(self, dataset: Dataset) -> None:
        profiled = dataset.interests["reader"].unique()
        readers = dataset.readers.with_row_index("position")
        self._table = readers.select(
            "position",
            "id",
            "user",
            "clicks",
            new=dataset.is_new,
            appended=pl.col("history").list.len() - pl.col("clicks"),
            profiled=pl.col("position").is_in(profiled.implode()),
            selected=pl.col("kept").is_not_null(),
            haystack=_haystack("id", "user"),
        )

    def find(self, query: str, *, kind: ReaderKind = "all", page: int = 1) -> Hits:
        """Readers of a query: `id`, `user`, `clicks`, `appended`, `new`, `profiled`, `selected`; an exact id or user
        comes first.

        Args:
            kind: new or warm ones, those with interests, with synthetic news, or with a selected history.
        """
        chosen = {
            "all": pl.lit(value=True),
            "new": pl.col("new"),
            "warm": ~pl.col("new"),
            "profiled": pl.col("profiled"),
            "synthetic": pl.col("appended") > 0,
            "selected": pl.col("selected"),
        }[kind]
        found = _matching(self._table.filter(chosen), query)
        exact = (pl.col("id") == query.strip()) | (pl.col("user") == query.strip())
        return _page(found.with_columns(exact=~exact), page)


def terms(query: str) -> list[str]:
    """What must stand in a text: words, and phrases in quotes, in lower case."""
    found: Iterable[tuple[str, str]] = re.findall(r'"([^"]+)"|([^\s"]+)', query[:QUERY_LENGTH])
    return [(phrase or word).lower() for phrase, word in found]


def _haystack(*columns: str) -> pl.Expr:
    return pl.concat_str(*columns, separator="\n", ignore_nulls=True).str.to_lowercase()


def _matching(table: pl.DataFrame, query: str) -> pl.DataFrame:
    for term in terms(query):
        table = table.filter(pl.col("haystack").str.contains(term, literal=True))
    return table


def _page(found: pl.DataFrame, page: int) -> Hits:
    pages = max(1, -(-found.height // PAGE_SIZE))
    number = min(max(page, 1), pages)
    # Only what the page shows is put in order.
    rows = found.bottom_k(number * PAGE_SIZE, by=list(_ORDER)).sort(_ORDER)[(number - 1) * PAGE_SIZE :]
    return Hits(rows.drop("haystack", *_ORDER).to_dicts(), found.height, number, pages)
