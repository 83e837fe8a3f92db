"""What a reader is interested in, asked for and stored: the user profiler."""

import functools
from collections.abc import Iterator, Mapping

import attrs
import polars as pl

from genre.dataset import Dataset
from genre.generation import ChatTemplate, parse_answer
from genre.parts import Json, Prompt, Record, Sampling
from genre_tasks.readers import ReaderPrompterOptions, chosen_readers, reader_views
from genre_tasks.vocabularies import TOPICS, US_STATES

KINDS = ("topics", "regions")


@attrs.frozen(kw_only=True)
class ReaderInterestsPrompterOptions(ReaderPrompterOptions):
    """Options of the prompter `reader-interests`, beside those of `ReaderPrompterOptions`.

    The template's variables are `history` (a list of news with `title`, `abstract`, `category`, `subcategory`),
    `topics`, `regions` and `most`.

    Attributes:
        topics: the closed vocabulary of topics; empty for words of the model's choice.
        with_regions: whether regions are asked for.
        regions: the closed vocabulary of regions.
        most: topics (and regions) that an answer may name.
        sampling: how answers are drawn.
    """

    topics: tuple[str, ...] = TOPICS
    with_regions: bool = True
    regions: tuple[str, ...] = US_STATES
    most: int = attrs.field(default=5, validator=attrs.validators.ge(1))
    sampling: Sampling = Sampling(max_tokens=160, temperature=0.2)


class ReaderInterestsPrompter:
    """Asks about each chosen reader, in the order of the data set."""

    def __init__(self, options: ReaderInterestsPrompterOptions, task: str) -> None:
        self._options = options
        self._task = task
        self._template = ChatTemplate.load(options.template)

    @functools.cached_property
    def schema(self) -> Mapping[str, Json]:
        """An object with a list of topics, most related first, and a list of regions, which may be empty."""
        options = self._options
        properties: dict[str, Json] = {"topics": _words(options.topics, least=1, most=options.most)}
        if options.with_regions:
            properties["regions"] = _words(options.regions, least=0, most=options.most)
        required: list[Json] = list(properties)
        return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}

    def count(self, dataset: Dataset, limit: int | None) -> int:
        """Number of prompts for the first `limit` readers."""
        count = chosen_readers(dataset, self._options).height
        return count if limit is None else min(count, limit)

    def prompts(self, dataset: Dataset) -> Iterator[Prompt]:
        """One prompt a reader."""
        options = self._options
        rows = chosen_readers(dataset, options)
        schema = self.schema
        for view in reader_views(dataset, rows, options):
            yield Prompt(
                task=self._task,
                subject=view.id,
                draw=0,
                messages=self._template.render(
                    history=view.history,
                    topics=options.topics,
                    regions=options.regions if options.with_regions else (),
                    most=options.most,
                ),
                sampling=options.sampling,
                schema=schema,
                version=self._template.version,
                user=view.user,
            )

    def parse(self, prompt: Prompt, text: str) -> Record:
        """The lists without repetitions, which a schema cannot prevent where it guides the model's decoding."""
        record = parse_answer(text, prompt.schema or self.schema)
        return {kind: list(dict.fromkeys(words)) for kind, words in record.items() if isinstance(words, list)}


def _words(vocabulary: tuple[str, ...], *, least: int, most: int) -> Json:
    word: dict[str, Json] = {"type": "string", "minLength": 1, "maxLength": 60}
    if vocabulary:
        word = {"type": "string", "enum": list(vocabulary)}
    return {"type": "array", "items": word, "minItems": least, "maxItems": most}


class InterestsUpdater:
    """Adds the topics and regions of the records to their readers, in the order of the answer."""

    def __init__(self, options: None) -> None:
        del options

    def update(self, dataset: Dataset, records: pl.LazyFrame) -> Dataset:
        """A data set with more interests."""
        positions = dataset.readers.select(subject="id").with_row_index("reader").lazy()
        named = records.collect_schema().names()
        kinds = [kind for kind in KINDS if kind in named]
        found = records.join(positions, on="subject", how="inner", maintain_order="left").collect()
        for kind in kinds:
            rows = (
                found.select("reader", "version", "model", value=pl.col(kind), kind=pl.lit(kind))
                .with_columns(rank=pl.int_ranges(pl.col("value").list.len(), dtype=pl.UInt32))
                .filter(pl.col("value").list.len() > 0)
                .explode("value", "rank")
            )
            dataset = dataset.with_interests(rows)
        return dataset
