"""What the files of a data set say, before ids become positions: readers hand it over, and checks look at it."""

from collections.abc import Callable, Collection, Iterable
from typing import Generic, TypeVar

import attrs
import polars as pl

from genre.dataset.assembly import Dangling, assemble
from genre.dataset.tables import Dataset

Options = TypeVar("Options")


@attrs.frozen(eq=False)
class Rows:
    """Rows with ids as texts, as files have them.

    Attributes:
        news: blocks with the columns that `assemble` takes, and `file` and `line` for messages. An id may stand in
            several blocks; the first one counts. Taken once.
        behaviors: called with the ids of all news, gives blocks with the columns that `assemble` takes.
        source: what the lineage's first entry says.
        text_fields: the columns of `news` that are texts, the most telling one first.
        dangling: what becomes of ids that name no news.
    """

    news: Iterable[pl.DataFrame]
    behaviors: Callable[[Collection[str]], Iterable[pl.DataFrame]]
    source: dict[str, object]
    text_fields: tuple[str, ...] = ("title", "abstract")
    dangling: Dangling = "error"

    def assembled(self) -> Dataset:
        """The data set that the rows make.

        Raises:
            UsageError: as `assemble`, or a row is not what the format says.
        """
        news = _distinct(self.news)
        return assemble(
            news,
            self.behaviors(frozenset(news["id"])),
            text_fields=self.text_fields,
            dangling=self.dangling,
            source=self.source,
        )


def _distinct(blocks: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """The first row of each news. Splits repeat most news, and their texts are most of the memory: no block stays."""
    news = pl.DataFrame({"id": []}, schema={"id": pl.String})
    for block in blocks:
        new = block.drop("file", "line").join(news, on="id", how="anti", maintain_order="left")
        news = pl.concat([news, new]) if news.height else new
    return news


@attrs.frozen(eq=False)
class RowsReader(Generic[Options]):
    """The target of a part that reads files: called, it gives a data set; `genre data check` looks at its `rows`.

    Attributes:
        rows: opens the files that the options name.
    """

    rows: Callable[[Options], Rows]

    def __call__(self, options: Options) -> Dataset:
        """The data set that the files hold.

        Raises:
            UsageError: a file is missing or not what the format says.
        """
        return self.rows(options).assembled()
