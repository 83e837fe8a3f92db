"""`history-similarity`: a synthetic news is like what its reader clicked, and no copy of it."""

import attrs
import numpy as np
import polars as pl
from numpy.typing import NDArray

from genre.dataset import Dataset
from genre.errors import UsageError, nearest
from genre.parts import Prompt, Record
from genre_gates.texts import must_be_field, no_text, text_of
from genre_gates.tf_idf import NewsVectors


@attrs.frozen
class HistorySimilarityOptions:
    """
    Attributes:
        properties: the answer's properties that are compared, joined; those that an answer lacks are left out.
        fields: text fields of the clicked news that they are compared with, joined.
        reads: version of these texts.
        at_least: an answer whose most similar clicked news is less similar than this is rejected; 0 for none.
        at_most: an answer whose most similar clicked news is more similar than this is rejected; 1 for none.
    """

    properties: tuple[str, ...] = attrs.field(default=("title", "abstract"), validator=attrs.validators.min_len(1))
    fields: tuple[str, ...] = attrs.field(default=("title", "abstract"), validator=attrs.validators.min_len(1))
    reads: str = "original"
    at_least: float = attrs.field(default=0.0, validator=[attrs.validators.ge(0), attrs.validators.le(1)])
    at_most: float = attrs.field(default=0.9, validator=[attrs.validators.ge(0), attrs.validators.le(1)])

    def __attrs_post_init__(self) -> None:
        if self.at_least > self.at_most:
            raise ValueError(f"at_least {self.at_least} is above at_most {self.at_most}")


class HistorySimilarity:
    """Looks at the largest TF-IDF cosine between the answer and one news of its reader's original visible history.

    An answer about a reader without clicks, or about a news, has nothing to be compared with, and passes.
    """

    def __init__(self, options: HistorySimilarityOptions, dataset: Dataset) -> None:
        self._options = options
        where = "gates.history-similarity.fields"
        for field in options.fields:
            must_be_field(dataset, field, where=where)
        if not set(options.fields) & set(dataset.text_fields):
            raise UsageError(
                f"no news has a text field {options.fields[0]!r}",
                where=where,
                remedy=nearest(options.fields[0], dataset.text_fields),
            )
        columns = [dataset.text(field, options.reads).alias(str(number)) for number, field in enumerate(options.fields)]
        texts = pl.DataFrame(columns).select(pl.concat_str(pl.all(), separator=" ")).to_series()
        self._news = NewsVectors.fit(texts, (dataset.news["origin"] == "original").to_numpy())
        self._readers = {reader: position for position, reader in enumerate(dataset.readers["id"])}
        # Without what rounds appended: synthetic news may be like each other.
        visible = pl.col("history").list.head(pl.col("clicks"))
        self._histories = dataset.readers.select(visible).to_series()

    def reject(self, prompt: Prompt, record: Record) -> str | None:
        """A reason when the answer is too unlike all clicked news, or almost one of them."""
        options = self._options
        given = [text for name in options.properties if (text := text_of(record, name)) is not None]
        if not given:
            return no_text(" or ".join(options.properties))
        history = self._history(prompt.subject)
        if not len(history):
            return None
        similarity = float(self._news.cosines(" ".join(given), history).max())
        if similarity < options.at_least:
            return "too unlike the history"
        if similarity > options.at_most:
            return "almost a news of the history"
        return None

    def _history(self, subject: str) -> NDArray[np.int64]:
        position = self._readers.get(subject)
        clicked = [] if position is None else self._histories[position].to_list()
        return np.array(clicked, dtype=np.int64)
