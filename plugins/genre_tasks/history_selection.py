"""Which few titles of a reader's history matter, asked for and stored: the history compressor."""

import functools
from collections.abc import Iterator, Mapping

import attrs
import polars as pl

from genre.dataset import Dataset
from genre.generation import ChatTemplate, parse_answer
from genre.parts import Json, MalformedOutput, Prompt, Record, Sampling
from genre_tasks.readers import ReaderPrompterOptions, chosen_readers, reader_views


def _leaves_a_choice(options: ReaderPrompterOptions, _attribute: object, select: int) -> None:
    if select >= options.longest:
        raise ValueError(f"select is {select}, and the prompt shows {options.longest} titles at most (option longest)")


@attrs.frozen(kw_only=True)
class HistorySelectionPrompterOptions(ReaderPrompterOptions):
    """Options of the prompter `history-selection`, beside those of `ReaderPrompterOptions`.

    The template's variables are `history` (a list of news with `title`, `abstract`, `category`, `subcategory`), whose
    first title has the number 1, and `select`.

    Attributes:
        select: titles that an answer may name; readers with at most so many clicks are not asked about.
        sampling: how answers are drawn.
    """

    select: int = attrs.field(default=5, validator=[attrs.validators.ge(1), _leaves_a_choice])
    sampling: Sampling = Sampling(max_tokens=96, temperature=0.2)


class HistorySelectionPrompter:
    """Asks about each chosen reader with more clicks than may be named, in the order of the data set."""

    def __init__(self, options: HistorySelectionPrompterOptions, task: str) -> None:
        self._options = options
        self._task = task
        self._template = ChatTemplate.load(options.template)

    @functools.cached_property
    def schema(self) -> Mapping[str, Json]:
        """An object with a list of whole numbers; a record counts titles backwards, -1 being the latest click."""
        return self._schema({"type": "integer"})

    def count(self, dataset: Dataset, limit: int | None) -> int:
        """Number of prompts for the first `limit` readers."""
        count = self._readers(dataset).height
        return count if limit is None else min(count, limit)

    def prompts(self, dataset: Dataset) -> Iterator[Prompt]:
        """One prompt a reader; its schema knows how many titles it shows."""
        options = self._options
        for view in reader_views(dataset, self._readers(dataset), options):
            yield Prompt(
                task=self._task,
                subject=view.id,
                draw=0,
                messages=self._template.render(history=view.history, select=options.select),
                sampling=options.sampling,
                schema=self._schema({"type": "integer", "minimum": 1, "maximum": len(view.history)}),
                version=self._template.version,
                user=view.user,
            )

    def parse(self, prompt: Prompt, text: str) -> Record:
        """The numbers, counted backwards from the latest click, which every prompt shows last.

        So a record says which clicks are meant whatever number of titles its prompt showed.
        """
        # The numbers are judged here: a schema takes 2.0 for a whole number, and tells every place in the list apart.
        numbers = parse_answer(text, self._schema({}))["titles"]
        assert isinstance(numbers, list)
        whole = [number for number in numbers if isinstance(number, int) and not isinstance(number, bool)]
        shown = _shown(prompt)
        if len(whole) < len(numbers):
            raise MalformedOutput("a title by something else than a whole number")
        if not all(1 <= number <= shown for number in whole):
            raise MalformedOutput("a title that was not shown")
        if len(set(whole)) < len(whole):
            raise MalformedOutput("a title twice")
        return {"titles": [number - shown - 1 for number in whole]}

    def _readers(self, dataset: Dataset) -> pl.DataFrame:
        return chosen_readers(dataset, self._options).filter(pl.col("clicks") > self._options.select)

    def _schema(self, item: dict[str, Json]) -> Mapping[str, Json]:
        titles: Json = {"type": "array", "items": item, "minItems": 1, "maxItems": self._options.select}
        return {
            "type": "object",
            "properties": {"titles": titles},
            "required": ["titles"],
            "additionalProperties": False,
        }


def _shown(prompt: Prompt) -> int:
    """How many titles a prompt shows."""
    found: Json = dict(prompt.schema or {})
    for key in ("properties", "titles", "items", "maximum"):
        assert isinstance(found, dict)
        found = found[key]
    assert isinstance(found, int)
    return found


class KeepHistoryUpdater:
    """Keeps the clicks of the records for encoders; prompts go on to see the whole history."""

    def __init__(self, options: None) -> None:
        del options

    def update(self, dataset: Dataset, records: pl.LazyFrame) -> Dataset:
        """A data set in which encoders read the named clicks of each record's reader, in the order of the clicks."""
        readers = dataset.readers.select(pl.col("clicks").cast(pl.Int64), subject="id").with_row_index("reader").lazy()
        # Lists of numbers are kept as JSON text in records.
        backwards = pl.col("titles").str.json_decode(pl.List(pl.Int64))
        rows = records.join(readers, on="subject", how="inner", maintain_order="left").select(
            "reader", kept=(backwards + pl.col("clicks")).list.sort()
        )
        return dataset.with_kept_history(rows.collect())
