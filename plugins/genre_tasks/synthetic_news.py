"""News asked for on behalf of readers with few clicks: the news generator and the chain-based generator."""

import functools
from collections.abc import Iterator, Mapping

import attrs
import polars as pl

from genre.dataset import Dataset
from genre.errors import UsageError
from genre.generation import ChatTemplate, parse_answer
from genre.parts import Json, Prompt, Record, Sampling
from genre_tasks.append_history import text_fields
from genre_tasks.readers import ReaderPrompterOptions, Readers, chosen_readers, reader_views


@attrs.frozen(kw_only=True)
class SyntheticNewsPrompterOptions(ReaderPrompterOptions):
    """Options of the prompter `synthetic-news`, beside those of `ReaderPrompterOptions`.

    The template's variables are `history` (a list of news with `title`, `abstract`, `category`, `subcategory`),
    `categories`, `topics` and `regions` (of this reader), and `fields`.

    Attributes:
        draws: synthetic news for each reader: 0, 1, 2, ...
        fields: the answer's properties, and the text field that each becomes.
        max_lengths: characters that each property may have.
        with_category: whether the answer names one of the data set's categories.
        with_interests: show the reader's topics and regions, and ask only about readers that have some (chains).
        sampling: how answers are drawn.
    """

    readers: Readers = "new"
    draws: int = attrs.field(default=2, validator=attrs.validators.ge(0))
    fields: dict[str, str] = attrs.field(factory=text_fields)
    max_lengths: dict[str, int] = attrs.field(factory=lambda: {"title": 120, "abstract": 400})
    with_category: bool = True
    with_interests: bool = False
    sampling: Sampling = Sampling(max_tokens=220, temperature=0.9)


class SyntheticNewsPrompter:
    """Asks `draws` times about each chosen reader, in the order of the data set."""

    def __init__(self, options: SyntheticNewsPrompterOptions, task: str) -> None:
        self._options = options
        self._task = task
        self._template = ChatTemplate.load(options.template)

    @functools.cached_property
    def schema(self) -> Mapping[str, Json]:
        """An object with the texts and, if asked for, the category."""
        return self._schema(())

    def count(self, dataset: Dataset, limit: int | None) -> int:
        """Number of prompts for the first `limit` readers."""
        readers = self._readers(dataset).height
        return self._options.draws * (readers if limit is None else min(readers, limit))

    def prompts(self, dataset: Dataset) -> Iterator[Prompt]:
        """The draws of each reader, one after another.

        Raises:
            UsageError: profiles are asked for, and the data set has none.
        """
        options = self._options
        rows = self._readers(dataset)
        if options.with_interests and dataset.interests.is_empty():
            raise UsageError(
                f"the task {self._task!r} reads readers' profiles, and the data set has none",
                remedy="put a round that makes them (such as `user-profiler`) before it",
            )
        categories = tuple(sorted(set(dataset.news["category"]) - {""}))
        schema = self._schema(categories)
        topics, regions = (_values_by_reader(dataset, kind, options.with_interests) for kind in ("topics", "regions"))
        views = reader_views(dataset, rows, options)
        for reader, view in zip(rows["reader"], views, strict=True):
            messages = self._template.render(
                history=view.history,
                categories=categories,
                topics=topics.get(reader, []),
                regions=regions.get(reader, []),
                fields=tuple(options.fields),
            )
            for draw in range(options.draws):
                yield Prompt(
                    task=self._task,
                    subject=view.id,
                    draw=draw,
                    messages=messages,
                    sampling=options.sampling,
                    schema=schema,
                    version=self._template.version,
                    user=view.user,
                )

    def parse(self, prompt: Prompt, text: str) -> Record:
        """The texts, and the category if it was asked for."""
        return parse_answer(text, prompt.schema or self.schema)

    def _readers(self, dataset: Dataset) -> pl.DataFrame:
        rows = chosen_readers(dataset, self._options)
        if self._options.with_interests:
            rows = rows.filter(pl.col("reader").is_in(dataset.interests["reader"].unique().implode()))
        return rows

    def _schema(self, categories: tuple[str, ...]) -> Mapping[str, Json]:
        lengths = self._options.max_lengths
        properties: dict[str, Json] = {
            name: {"type": "string", "minLength": 1, "maxLength": lengths.get(name, 400)}
            for name in self._options.fields
        }
        if self._options.with_category:
            category: dict[str, Json] = {"type": "string"}
            properties["category"] = {**category, "enum": list(categories)} if categories else category
        required: list[Json] = list(properties)
        return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _values_by_reader(dataset: Dataset, kind: str, wanted: bool) -> dict[int, list[str]]:
    if not wanted:
        return {}
    rows = dataset.interests_of(kind).group_by("reader", maintain_order=True).agg("value")
    return dict(rows.iter_rows())
