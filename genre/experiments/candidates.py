"""Which news may be recommended to a reader: the pool of candidates. Generated news never are."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from genre.dataset import Dataset
from genre.errors import UsageError, nearest

_ORIGINAL: Final = pl.col("origin") == "original"


def original_news(dataset: Dataset) -> NDArray[np.int64]:
    """Positions of all news that no LLM made."""
    return _positions(dataset.news.with_row_index("news").filter(_ORIGINAL)["news"])


def shown_news(dataset: Dataset, *, split: str | None = None, since: datetime | None = None) -> NDArray[np.int64]:
    """Positions of the news that were candidates of some impression.

    Args:
        split: of this split only.
        since: at this time or later; impressions without a time do not count then.

    Raises:
        UsageError: there is no such split, or nothing was shown then.
    """
    if split is not None and split not in dataset.splits:
        raise UsageError(f"there is no split {split!r}", remedy=nearest(split, dataset.splits))
    impressions = dataset.impressions
    if split is not None:
        impressions = impressions.filter(pl.col("split") == split)
    if since is not None:
        if since.tzinfo is not None:
            raise UsageError(f"the time {since.isoformat()} has a time zone, and those of data sets have none")
        latest = impressions["time"].max()
        impressions = impressions.filter(pl.col("time") >= since)
        if impressions.is_empty():
            raise UsageError(
                f"nothing was shown since {since.isoformat()}",
                remedy=f"the latest impression is of {latest}"
                if isinstance(latest, datetime)
                else "no impression has a time",
            )
    shown = impressions["candidates"].explode(empty_as_null=False).unique()
    original = dataset.news.with_row_index("news").filter(_ORIGINAL & pl.col("news").is_in(shown.implode()))
    return _positions(original["news"])


def listed_news(dataset: Dataset, pool: Path | Sequence[str]) -> NDArray[np.int64]:
    """Positions of the news that a file lists, an id a line; or of a list of ids. Empty lines are passed over.

    Raises:
        UsageError: the file cannot be read, or an id names no news or a generated one; names the line.
    """
    named = list(_lines(pool) if isinstance(pool, Path) else _entries(pool))
    found = _found(dataset, (news for _, news in named))
    for (where, news), position, origin in zip(named, found["news"], found["origin"], strict=True):
        if position is None:
            raise UsageError(f"there is no news {news!r}", where=where, remedy=nearest(news, dataset.news["id"]))
        if origin != "original":
            raise UsageError(
                f"the news {news!r} was generated, and generated news are never recommended",
                where=where,
                remedy="leave it out",
            )
    return np.unique(_positions(found["news"]))


def clicked_news(dataset: Dataset, history: Sequence[str]) -> NDArray[np.int64]:
    """Positions of a history's news, in its order.

    Raises:
        UsageError: an id names no news.
    """
    found = _found(dataset, history)["news"]
    if found.null_count():
        unknown = history[int(found.is_null().arg_max() or 0)]
        raise UsageError(
            f"the history names the news {unknown!r}, which the data set has not",
            remedy=nearest(unknown, dataset.news["id"]),
        )
    return _positions(found)


def _found(dataset: Dataset, ids: Iterable[str]) -> pl.DataFrame:
    """Position and origin of each id, null where it names no news."""
    news = dataset.news.with_row_index("news").select("id", "news", "origin")
    return pl.DataFrame({"id": pl.Series(list(ids), dtype=pl.String)}).join(
        news, on="id", how="left", maintain_order="left"
    )


def _lines(path: Path) -> Iterator[tuple[str, str]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"the pool cannot be read: {error}", where=path, remedy="write an id of a news a line"
        ) from error
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            yield f"{path}:{number}", line.strip()


def _entries(ids: Sequence[str]) -> Iterator[tuple[str, str]]:
    for number, news in enumerate(ids):
        yield f"pool[{number}]", news


def _positions(news: pl.Series) -> NDArray[np.int64]:
    return news.to_numpy().astype(np.int64)
