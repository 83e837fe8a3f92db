"""One text of each news, asked for and stored as a new version: the news summarizer and the book describer."""

import functools
from collections.abc import Iterator, Mapping
from pathlib import Path

import attrs
import polars as pl

from genre.dataset import Dataset
from genre.generation import ChatTemplate, parse_answer
from genre.parts import Json, Prompt, Record, Sampling


@attrs.frozen
class NewsTextPrompterOptions:
    """Options of the prompter `news-text`.

    Attributes:
        template: the chat template; its variables are `title`, `abstract`, `category`, `subcategory`, `max_length`.
        answer: name of the answer's only property.
        max_length: characters that the answer may have.
        reads: version of the texts that the prompt shows.
        sampling: how answers are drawn.
    """

    template: Path
    answer: str = "title"
    max_length: int = attrs.field(default=120, validator=attrs.validators.ge(1))
    reads: str = "original"
    sampling: Sampling = Sampling(max_tokens=96, temperature=0.2)


class NewsTextPrompter:
    """Asks about each original news that has any text, in the order of the data set."""

    def __init__(self, options: NewsTextPrompterOptions, task: str) -> None:
        self._options = options
        self._task = task
        self._template = ChatTemplate.load(options.template)

    @functools.cached_property
    def schema(self) -> Mapping[str, Json]:
        """An object with one text."""
        text: Json = {"type": "string", "minLength": 1, "maxLength": self._options.max_length}
        name = self._options.answer
        return {"type": "object", "properties": {name: text}, "required": [name], "additionalProperties": False}

    def count(self, dataset: Dataset, limit: int | None) -> int:
        """Number of prompts for the first `limit` news."""
        count = self._subjects(dataset).height
        return count if limit is None else min(count, limit)

    def prompts(self, dataset: Dataset) -> Iterator[Prompt]:
        """One prompt a news."""
        for news in self._subjects(dataset).iter_rows(named=True):
            subject = news.pop("id")
            yield Prompt(
                task=self._task,
                subject=subject,
                draw=0,
                messages=self._template.render(**news, max_length=self._options.max_length),
                sampling=self._options.sampling,
                schema=self.schema,
                version=self._template.version,
            )

    def parse(self, prompt: Prompt, text: str) -> Record:
        """The answer's text."""
        return parse_answer(text, prompt.schema or self.schema)

    def _subjects(self, dataset: Dataset) -> pl.DataFrame:
        reads = self._options.reads
        return (
            dataset.news.select("id", "origin", "category", "subcategory")
            .with_columns(title=dataset.text("title", reads), abstract=dataset.text("abstract", reads))
            .filter((pl.col("origin") == "original") & ((pl.col("title") != "") | (pl.col("abstract") != "")))
            .drop("origin")
        )


@attrs.frozen
class TextVersionUpdaterOptions:
    """Options of the updater `text-version`.

    Attributes:
        answer: property of the records that holds the text.
        field: text field that it becomes a version of.
    """

    answer: str = "title"
    field: str = "title"


class TextVersionUpdater:
    """Adds the answers as a version of a text field, named after the round."""

    def __init__(self, options: TextVersionUpdaterOptions) -> None:
        self._options = options

    def update(self, dataset: Dataset, records: pl.LazyFrame) -> Dataset:
        """A data set with one more version of the field for every record."""
        positions = dataset.news.select(subject="id").with_row_index("news").lazy()
        rows = records.join(positions, on="subject", how="inner", maintain_order="left").select(
            "news", "version", "model", field=pl.lit(self._options.field), text=pl.col(self._options.answer)
        )
        return dataset.with_texts(rows.collect())
