"""`vocabulary`: the values of a property are those of a closed list."""

from typing import Final, Literal

import attrs

from genre.dataset import Dataset
from genre.errors import UsageError
from genre.parts import Prompt, Record

_COLUMNS: Final = {"categories": "category", "subcategories": "subcategory"}


@attrs.frozen
class VocabularyOptions:
    """
    Attributes:
        property: the answer's property: a text or a list of texts.
        values: the closed list; empty for that of `values_from`.
        values_from: the list that the news of the data set have.
    """

    property: str = "category"
    values: tuple[str, ...] = ()
    values_from: Literal["categories", "subcategories"] = "categories"


class Vocabulary:
    """Compares letter by letter: what readers of the records take for another value is another value here."""

    def __init__(self, options: VocabularyOptions, dataset: Dataset) -> None:
        self._property = options.property
        known = options.values or dataset.news[_COLUMNS[options.values_from]]
        self._known = frozenset(known) - {""}
        if not self._known:
            raise UsageError(
                f"the gate 'vocabulary' has no values: the news have no {options.values_from}",
                where="gates.vocabulary",
                remedy='name them: values = ["health", "travel"]',
            )

    def reject(self, prompt: Prompt, record: Record) -> str | None:  # noqa: ARG002  the contract passes it
        """A reason when some value is not in the list. An empty list of values has none that is not."""
        given = record.get(self._property)
        values = given if isinstance(given, list) else [given]
        if not all(isinstance(value, str) for value in values):
            return f"{self._property} is neither a text nor a list of texts"
        if not self._known.issuperset(map(str, values)):
            return f"{self._property} outside the vocabulary"
        return None
