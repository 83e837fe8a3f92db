"""The reader `goodreads`: books and who read them, in MIND's format."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import attrs
import polars as pl

from genre.dataset import Dangling, Rows, RowsReader
from genre_datasets.mind import MindOptions, mind_rows


@attrs.frozen
class GoodreadsOptions:
    """Options of the data set `goodreads`.

    Attributes:
        folder: holds one sub-folder for each split, with `news.tsv` (the books) and `behaviors.tsv` (or `.tsv.gz`).
        splits: which sub-folder is which split; empty for those of train, dev and test that are there.
        dangling: `"error"` refuses ids that name no book; `"drop"` leaves them out and counts them in the lineage.
    """

    folder: Path
    splits: Mapping[str, str] = attrs.field(factory=dict)
    dangling: Dangling = "error"


def goodreads_rows(options: GoodreadsOptions) -> Rows:
    """Open a folder of books in MIND's format. A category that says no more than `books` is left empty.

    Raises:
        UsageError: as `mind`.
    """
    rows = mind_rows(MindOptions(options.folder, dict(options.splits), options.dangling))
    return attrs.evolve(rows, news=map(_books, rows.news), source={**rows.source, "reader": "goodreads"})


read_goodreads: Final = RowsReader(goodreads_rows)


def _books(news: pl.DataFrame) -> pl.DataFrame:
    columns = ("category", "subcategory")
    return news.with_columns(pl.when(pl.col(name) != "books").then(name).otherwise(pl.lit("")) for name in columns)
