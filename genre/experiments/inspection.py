"""What a data set says about one news or one user, with where it comes from."""

import polars as pl

from genre.dataset import Dataset
from genre.errors import UsageError, nearest


def describe_news(dataset: Dataset, news_id: str) -> dict[str, object]:
    """A news with every version of its texts.

    Raises:
        UsageError: there is no such news.
    """
    found = dataset.news.with_row_index("position").filter(pl.col("id") == news_id)
    if found.is_empty():
        raise UsageError(f"there is no news {news_id!r}", remedy=nearest(news_id, dataset.news["id"]))
    row = found.row(0, named=True)
    texts = dataset.texts.filter(pl.col("news") == row.pop("position"))
    return {**row, "texts": texts.select("field", "version", "model", "text").to_dicts()}


def describe_readers(dataset: Dataset, name: str) -> list[dict[str, object]]:
    """The readers of a user, or one reader: the history with titles, which of it encoders read, and the interests.

    Args:
        name: id of a user or of a reader.

    Raises:
        UsageError: there is neither.
    """
    readers = dataset.readers.with_row_index("position")
    found = readers.filter((pl.col("id") == name) | (pl.col("user") == name))
    if found.is_empty():
        raise UsageError(f"there is no reader or user {name!r}", remedy=nearest(name, dataset.readers["user"]))
    titles = dataset.text("title")
    described: list[dict[str, object]] = []
    for position, reader, user, history, clicks, kept in found.iter_rows():
        news = dataset.news[history].select("id", "origin", "category") if history else dataset.news[:0]
        read = [index >= clicks or kept is None or index in kept for index in range(len(history))]
        rows = news.select("id", "origin", "category").with_columns(
            title=titles[history] if history else titles[:0], kept=pl.Series(read, dtype=pl.Boolean)
        )
        interests = dataset.interests.filter(pl.col("reader") == position)
        described.append(
            {
                "id": reader,
                "user": user,
                "segment": "new" if dataset.is_new[position] else "warm",
                "clicks": clicks,
                "history": rows.to_dicts(),
                "interests": interests.select("kind", "rank", "value", "version", "model").to_dicts(),
            }
        )
    return described
