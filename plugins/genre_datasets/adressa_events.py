"""Adressa's event logs: a JSON object a line, one for each page that somebody opened."""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

import attrs
import numpy as np
import orjson
import polars as pl
from numpy.typing import NDArray

from genre.errors import UsageError
from genre_datasets.adressa_news import Article, news_of
from genre_datasets.tsv import line_blocks

_LATEST: Final = 4_102_444_800
"""Seconds until the year 2100: later times are milliseconds, or nonsense."""


@attrs.frozen(eq=False)
class Events:
    """The E events that opened an article, in the order of their times, and of the lines among equal ones.

    Attributes:
        users, articles: their ids.
        user, article: whose event it is, and of what, as places in these (E,).
        time: seconds since 1970, UTC (E,).
        file, line: where the event stands; the file as its number (E,).
        news: the articles as rows of news.
        elsewhere: how many events opened no article.
    """

    users: Sequence[str]
    articles: Sequence[str]
    user: NDArray[np.int64]
    article: NDArray[np.int64]
    time: NDArray[np.int64]
    file: NDArray[np.int64]
    line: NDArray[np.int64]
    news: pl.DataFrame
    elsewhere: int


def read_events(paths: Sequence[Path]) -> Events:
    """Read day files.

    Raises:
        UsageError: a line is no event; names file and line.
    """
    users: dict[str, int] = {}
    news: dict[str, Article] = {}
    columns = {name: array("q") for name in ("user", "article", "time", "file", "line")}
    elsewhere = 0
    for file, line, event in _events(paths):
        where = f"{paths[file]}:{line}"
        user, time, name = _user(event, where), _time(event, where), _article_id(event, where)
        if name is None:
            elsewhere += 1
            continue
        article = news.setdefault(name, Article(len(news), str(paths[file]), line))
        article.learn(event)
        row = (users.setdefault(user, len(users)), article.place, time, file, line)
        for column, value in zip(columns.values(), row, strict=True):
            column.append(value)
    arrays = {name: np.array(column, dtype=np.int64) for name, column in columns.items()}
    order = np.argsort(arrays["time"], kind="stable")
    ordered = {name: column[order] for name, column in arrays.items()}
    return Events(tuple(users), tuple(news), **ordered, news=news_of(news), elsewhere=elsewhere)


def _events(paths: Iterable[Path]) -> Iterator[tuple[int, int, dict[str, object]]]:
    """Number of the file, line, and event."""
    for file, path in enumerate(paths):
        line = 0
        for block in line_blocks(path):
            for text in block.removesuffix(b"\n").split(b"\n"):
                line += 1
                try:
                    event = orjson.loads(text)
                except orjson.JSONDecodeError as error:
                    raise _no_event(f"{path}:{line}", f"not JSON: {error}") from error
                if not isinstance(event, dict):
                    raise _no_event(f"{path}:{line}", "no JSON object")
                yield file, line, event


def _user(event: dict[str, object], where: str) -> str:
    user = event.get("userId")
    if not (isinstance(user, str) and user):
        raise _no_event(where, f"userId is {user!r}, and a text is expected")
    return user


def _time(event: dict[str, object], where: str) -> int:
    time = event.get("time")
    if not (isinstance(time, int) and not isinstance(time, bool) and 0 <= time < _LATEST):
        raise _no_event(where, f"time is {time!r}, and seconds since 1970 are expected")
    return time


def _article_id(event: dict[str, object], where: str) -> str | None:
    """The article's id; None for a page that is none, such as the front page."""
    name = event.get("id")
    if name is None:
        return None
    if not (isinstance(name, str) and name and name.split() == [name]):
        raise _no_event(where, f"id is {name!r}, and a text without blanks is expected")
    return name


def _no_event(where: str, reason: str) -> UsageError:
    return UsageError(reason, where=where, remedy="Adressa's logs have one JSON object a line, with userId and time")
