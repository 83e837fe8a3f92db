"""What Adressa's events say of the articles that they opened."""

from collections.abc import Mapping

import attrs
import polars as pl


@attrs.define
class Article:
    """What events say of an article; the first one that says something counts."""

    place: int
    file: str
    line: int
    title: str = ""
    category: str = ""
    url: str = ""

    def learn(self, event: Mapping[str, object]) -> None:
        """Take what is not known yet."""
        self.title = self.title or _text(event, "title")
        self.category = self.category or _text(event, "category1")
        self.url = self.url or _text(event, "canonicalUrl") or _text(event, "url")


def news_of(articles: Mapping[str, Article]) -> pl.DataFrame:
    """Rows of news, by id; `category1` such as `nyheter|trondheim` is category and subcategory."""
    rows = [
        {
            "id": name,
            "title": each.title,
            "category": each.category.partition("|")[0],
            "subcategory": each.category.partition("|")[2].partition("|")[0],
            "url": each.url,
            "file": each.file,
            "line": each.line,
        }
        for name, each in articles.items()
    ]
    texts = dict.fromkeys(("id", "title", "category", "subcategory", "url", "file"), pl.String)
    return pl.DataFrame(rows, schema={**texts, "line": pl.UInt32})


def _text(event: Mapping[str, object], name: str) -> str:
    value = event.get(name)
    return value if isinstance(value, str) else ""
