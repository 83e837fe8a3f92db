"""What a data set says about one news or one user, with where it comes from."""

import polars as pl

from genre.dataset import Dataset
from genre.errors import UsageError, nearest


def describe_news(dataset: Dataset, news_id: str) -> dict[str, object]:
    """A news with every version of its texts.

    Raises:
        UsageError: there is no such news.
    """
    position = _position_of(dataset, news_id)
    texts = dataset.texts.filter(pl.col("news") == position).select("field", "version", "model", "text")
    return {**dataset.news.row(position, named=True), "texts": texts.to_dicts()}


def describe_readers(dataset: Dataset, name: str) -> list[dict[str, object]]:
    """The readers of a user, or one reader: the history, which of it encoders read, and the interests.

    A news of the history has its latest `title`, which encoders read, and the `published` one, which was clicked.

    Args:
        name: id of a user or of a reader.

    Raises:
        UsageError: there is neither.
    """
    readers = dataset.readers.with_row_index("position")
    found = readers.filter((pl.col("id") == name) | (pl.col("user") == name))
    if found.is_empty():
        raise UsageError(f"there is no reader or user {name!r}", remedy=nearest(name, dataset.readers["user"]))
    titles, published = dataset.text("title"), dataset.text("title", "original")
    described: list[dict[str, object]] = []
    for position, reader, user, history, clicks, kept in found.iter_rows():
        news = dataset.news[history].select("id", "origin", "category") if history else dataset.news[:0]
        read = [index >= clicks or kept is None or index in kept for index in range(len(history))]
        rows = news.select("id", "origin", "category").with_columns(
            title=titles[history] if history else titles[:0],
            published=published[history] if history else published[:0],
            kept=pl.Series(read, dtype=pl.Boolean),
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


def describe_showings(dataset: Dataset, news_id: str, *, most: int = 20) -> dict[str, object]:
    """Where a news turns up: how often it was a candidate and was clicked in each split, and who has it in the history.

    Args:
        most: readers that are named; `readers` counts all.

    Raises:
        UsageError: there is no such news.
    """
    position = _position_of(dataset, news_id)
    impressions = dataset.impressions.filter(pl.col("candidates").list.contains(position))
    shown = impressions.select("split", "candidates", "labels").with_columns(
        labels=pl.coalesce("labels", pl.col("candidates").list.eval(pl.element() * 0).cast(pl.List(pl.UInt8)))
    )
    rows = shown.explode("candidates", "labels").filter(pl.col("candidates") == position)
    splits = rows.group_by("split").agg(shown=pl.len(), clicked=(pl.col("labels") == 1).sum()).sort("split")
    holders = dataset.readers.filter(pl.col("history").list.contains(position))
    return {
        "splits": splits.to_dicts(),
        "readers": holders.height,
        "some_readers": holders["id"].head(most).to_list(),
    }


def describe_impressions(dataset: Dataset, reader_id: str, *, most: int = 20) -> dict[str, object]:
    """What a reader was shown: the latest impressions, with titles of the candidates and which were clicked.

    Args:
        most: impressions that are described; `total` counts all.

    Raises:
        UsageError: there is no such reader.
    """
    readers = dataset.readers.with_row_index("position").filter(pl.col("id") == reader_id)
    if readers.is_empty():
        raise UsageError(f"there is no reader {reader_id!r}", remedy=nearest(reader_id, dataset.readers["id"]))
    found = dataset.impressions.filter(pl.col("reader") == readers["position"][0])
    titles = dataset.text("title", "original")
    described: list[dict[str, object]] = []
    latest = found.sort("time", descending=True, nulls_last=True, maintain_order=True).head(most)
    for name, split, time, candidates, labels in latest.select(
        "id", "split", "time", "candidates", "labels"
    ).iter_rows():
        news = dataset.news[candidates].select("id", "category")
        clicked = [None] * len(candidates) if labels is None else [label == 1 for label in labels]
        rows = news.with_columns(title=titles[candidates], clicked=pl.Series(clicked, dtype=pl.Boolean))
        described.append({"id": name, "split": split, "time": time, "candidates": rows.to_dicts()})
    return {"total": found.height, "latest": described}


def _position_of(dataset: Dataset, news_id: str) -> int:
    position = dataset.news["id"].index_of(news_id)
    if position is None:
        raise UsageError(f"there is no news {news_id!r}", remedy=nearest(news_id, dataset.news["id"]))
    return position
