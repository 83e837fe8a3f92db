"""`distinct`: one text, one record."""

from typing import Final

import attrs
import polars as pl

from genre.dataset import Dataset
from genre.errors import UsageError, nearest
from genre.parts import Prompt, Record

USUAL: Final = ("title", "abstract")
"""Fields that may be named even when no news has them: the round may be the first to write them."""


@attrs.frozen
class DistinctOptions:
    """
    Attributes:
        property: the answer's property that must not repeat.
        field: text field of the data set's other news that it must not repeat either, in any version; `""` for none.
    """

    property: str = "title"
    field: str = "title"


class Distinct:
    """Remembers what it has seen in the round, without regard to case; the first of equal answers stays.

    An answer about a news may repeat that news' own text.
    """

    def __init__(self, options: DistinctOptions, dataset: Dataset) -> None:
        self._property = options.property
        fields = {*dataset.text_fields, *USUAL}
        if options.field and options.field not in fields:
            raise UsageError(
                f"no news has a text field {options.field!r}",
                where="gates.distinct.field",
                remedy=nearest(options.field, fields),
            )
        texts = dataset.texts.filter(pl.col("field") == options.field)
        ids = dataset.news["id"].gather(texts["news"])
        # The only news that has a text, or None when several have it.
        self._known: dict[str, str | None] = {}
        for text, news in zip(map(str.lower, texts["text"]), ids, strict=True):
            self._known[text] = news if self._known.get(text, news) == news else None
        self._seen: set[str] = set()

    def reject(self, prompt: Prompt, record: Record) -> str | None:
        """A reason when the text is known, or when there is none."""
        value = record.get(self._property)
        if value is None:
            return f"{self._property} is missing"
        text = str(value).lower()
        if text in self._known and self._known[text] != prompt.subject:
            return f"{self._property} of a news in the data set"
        if text in self._seen:
            return f"{self._property} of an earlier answer"
        self._seen.add(text)
        return None
