"""Which readers a task asks about, and what a prompt may show of their histories."""

from collections.abc import Iterator
from typing import Literal, TypeAlias

import attrs
import polars as pl

from genre.dataset import Dataset

Readers: TypeAlias = Literal["all", "new", "warm"]


@attrs.frozen
class ReaderView:
    """What a prompt may know of one reader.

    Attributes:
        id, user: the reader, and the user behind it.
        history: the latest clicked news, oldest first: `title`, `abstract`, `category`, `subcategory`.
    """

    id: str
    user: str
    history: list[dict[str, str]]


def chosen_readers(dataset: Dataset, readers: Readers, splits: tuple[str, ...]) -> pl.DataFrame:
    """Rows of `dataset.readers` (with their position as `reader`) that clicked anything and are asked about.

    Args:
        readers: new readers, warm readers, or both.
        splits: only readers with an impression in one of these splits; empty for all.
    """
    rows = dataset.readers.with_row_index("reader").with_columns(is_new=dataset.is_new).filter(pl.col("clicks") > 0)
    if readers != "all":
        rows = rows.filter(pl.col("is_new") == (readers == "new"))
    if splits:
        seen = dataset.impressions.filter(pl.col("split").is_in(splits))["reader"].unique()
        rows = rows.filter(pl.col("reader").is_in(seen.implode()))
    return rows


def reader_views(dataset: Dataset, rows: pl.DataFrame, *, reads: str, longest: int) -> Iterator[ReaderView]:
    """A view of each row's *original* visible history: synthetic news describe nobody.

    Args:
        rows: as `chosen_readers` returns them.
        reads: version of the texts.
        longest: number of latest news shown.
    """
    news = dataset.news.select("category", "subcategory").with_columns(
        title=dataset.text("title", reads), abstract=dataset.text("abstract", reads)
    )
    table = news.to_dicts()
    for reader, user, history, clicks in rows.select("id", "user", "history", "clicks").iter_rows():
        clicked = history[:clicks][-longest:]
        yield ReaderView(reader, user, [table[position] for position in clicked])
