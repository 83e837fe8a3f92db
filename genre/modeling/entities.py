"""The entities of news: MIND's JSON lists, each entity with its Wikidata id."""

import json
from collections.abc import Iterator

import polars as pl

from genre.dataset import Dataset
from genre.errors import UsageError


def news_entities(dataset: Dataset, field: str, news: pl.Series | None = None) -> Iterator[list[str]]:
    """The distinct Wikidata ids of each news, in the order of the text.

    Args:
        field: `title_entities` or `abstract_entities`.
        news: positions of the news; all by default.

    Raises:
        UsageError: a news has something else there; names the news.
    """
    rows = dataset.news.select("id", field)
    for name, text in (rows if news is None else rows[news]).iter_rows():
        try:
            yield _ids(text)
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise UsageError(
                f"the {field} of the news {name!r} are no list of entities with a WikidataId: {error!r}",
                remedy="mend the news file, and import it again",
            ) from error


def _ids(text: str) -> list[str]:
    if not text:
        return []
    entities = json.loads(text)
    if not isinstance(entities, list):
        raise TypeError(f"{text[:40]!r} is no list")
    ids = [entity["WikidataId"] for entity in entities]
    for each in ids:
        if not (isinstance(each, str) and each):
            raise TypeError(f"{each!r} is no id")
    return list(dict.fromkeys(ids))
