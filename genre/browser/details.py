"""What the page of one news or one reader shows."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

import polars as pl

from genre.dataset import Dataset
from genre.errors import UsageError, nearest
from genre.experiments.inspection import describe_impressions, describe_news, describe_readers, describe_showings

CLICKS: Final = 300
"""Latest clicks of a history that a page shows."""
STATES: Final = 20
"""States of one user that a page names."""


def news_details(dataset: Dataset, news_id: str) -> Mapping[str, object]:
    """A news with the versions of each text field side by side, oldest first, and where it turns up.

    Raises:
        UsageError: there is no such news.
    """
    news = describe_news(dataset, news_id)
    fields: dict[str, list[Mapping[str, object]]] = {}
    for text in cast(Sequence[Mapping[str, object]], news.pop("texts")):
        fields.setdefault(str(text["field"]), []).append(text)
    position = dataset.news["id"].index_of(news_id)
    vectors = dataset.vectors.filter(pl.col("news") == position)["field"].to_list()
    title = fields["title"][0]["text"] if "title" in fields else ""
    return {
        "news": news,
        "title": title,
        "fields": dict(sorted(fields.items(), key=lambda item: (item[0] != "title", item[0]))),
        "vectors": vectors,
        "showings": describe_showings(dataset, news_id),
    }


def reader_details(dataset: Dataset, reader_id: str) -> Mapping[str, object]:
    """A reader: the history, newest first, what encoders read of it, interests by kind and round, and impressions.

    Raises:
        UsageError: there is no such reader.
    """
    if dataset.readers["id"].index_of(reader_id) is None:  # a user of that name is no reader
        raise UsageError(f"there is no reader {reader_id!r}", remedy=nearest(reader_id, dataset.readers["id"]))
    reader: dict[str, Any] = next(each for each in describe_readers(dataset, reader_id) if each["id"] == reader_id)
    history = [
        {**news, "state": "appended" if index >= reader["clicks"] else "read" if news["kept"] else "left out"}
        for index, news in enumerate(reader.pop("history"))
    ]
    interests: dict[tuple[str, str, str], list[str]] = {}
    for each in reader.pop("interests"):
        interests.setdefault((each["kind"], each["version"], each["model"]), []).append(each["value"])
    others = dataset.readers.filter((pl.col("user") == reader["user"]) & (pl.col("id") != reader_id))
    return {
        "reader": reader,
        "history": history[::-1][:CLICKS],
        "length": len(history),
        "interests": interests,
        "impressions": describe_impressions(dataset, reader_id),
        "others": others.select("id", "clicks").head(STATES).to_dicts(),
        "other_states": others.height,
    }
