"""`distinct`: one text, one record."""

import attrs

from genre.dataset import Dataset
from genre.parts import Prompt, Record
from genre_gates.texts import owners_of_texts


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
        self._known = owners_of_texts(dataset, options.field, str.lower, gate="distinct")
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
