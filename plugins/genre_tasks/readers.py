"""Which readers a task asks about, and what a prompt may show of their histories."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal, TypeAlias

import attrs
import polars as pl

from genre.dataset import Dataset

Readers: TypeAlias = Literal["all", "new", "warm"]


@attrs.frozen(kw_only=True)
class ReaderPrompterOptions:
    """Options of every prompter that asks about readers.

    Attributes:
        template: the chat template.
        readers: who is asked about; readers without any click never are.
        splits: only readers with an impression in one of these splits; empty for all.
        longest: latest news of the history that the prompt shows.
        reads: version of the texts that the prompt shows.
    """

    template: Path
    readers: Readers = "all"
    splits: tuple[str, ...] = ()
    longest: int = attrs.field(default=30, validator=attrs.validators.ge(1))
    reads: str = "original"


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


def chosen_readers(dataset: Dataset, options: ReaderPrompterOptions) -> pl.DataFrame:
    """Rows of `dataset.readers` (with their position as `reader`) that clicked anything and are asked about."""
    rows = dataset.readers.with_row_index("reader").with_columns(is_new=dataset.is_new).filter(pl.col("clicks") > 0)
    if options.readers != "all":
        rows = rows.filter(pl.col("is_new") == (options.readers == "new"))
    if options.splits:
        seen = dataset.impressions.filter(pl.col("split").is_in(options.splits))["reader"].unique()
        rows = rows.filter(pl.col("reader").is_in(seen.implode()))
    return rows


def reader_views(dataset: Dataset, rows: pl.DataFrame, options: ReaderPrompterOptions) -> Iterator[ReaderView]:
    """A view of each row's *original* visible history: synthetic news describe nobody.

    Args:
        rows: as `chosen_readers` returns them.
    """
    news = dataset.news.select("category", "subcategory").with_columns(
        title=dataset.text("title", options.reads), abstract=dataset.text("abstract", options.reads)
    )
    table = news.to_dicts()
    for reader, user, history, clicks in rows.select("id", "user", "history", "clicks").iter_rows():
        clicked = history[:clicks][-options.longest :]
        yield ReaderView(reader, user, [table[position] for position in clicked])
