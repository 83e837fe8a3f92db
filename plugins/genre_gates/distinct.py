"""`distinct`: one text, one record."""

import attrs
import polars as pl

from genre.dataset import Dataset
from genre.parts import Prompt, Record


@attrs.frozen
class DistinctOptions:
    """
    Attributes:
        property: the answer's property that must not repeat.
        field: text field of the data set's news that it must not repeat either, in any version; `""` for none.
    """

    property: str = "title"
    field: str = "title"


class Distinct:
    """Remembers what it has seen in the round, without regard to case; the first of equal answers stays."""

    def __init__(self, options: DistinctOptions, dataset: Dataset) -> None:
        self._property = options.property
        texts = dataset.texts.filter(pl.col("field") == options.field)["text"]
        self._known = set(texts.str.to_lowercase())
        self._seen: set[str] = set()

    def reject(self, prompt: Prompt, record: Record) -> str | None:  # noqa: ARG002  the contract passes it
        """A reason when the text is known."""
        text = str(record.get(self._property, "")).lower()
        if text in self._known:
            return f"{self._property} of a news in the data set"
        if text in self._seen:
            return f"{self._property} of an earlier answer"
        self._seen.add(text)
        return None
