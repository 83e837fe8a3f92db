"""Laws of data set readers, and those of every data set."""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, cast

import attrs
import polars as pl

from genre.dataset import Dataset, load_dataset, save_dataset
from genre.dataset.tables import TABLES
from genre.testing.check import Check, checks_of, require, shown
from genre.testing.example_data import content
from genre.testing.subject import Subject, require_misspelling_is_told

_REFERS: Final = {"news": "news", "reader": "readers", "history": "news", "candidates": "news"}
"""Columns of positions, and the table whose rows they name."""
_ASSEMBLE: Final = "build the data set with genre.dataset.assemble, or mend the positions"


def dataset_checks(subject: Subject) -> list[Check]:
    """The suite of a data set reader. Takes no inputs."""
    return checks_of(_Laws(subject))


@attrs.define(eq=False)
class _Laws:
    subject: Subject
    _dataset: Dataset | None = attrs.field(default=None, init=False)

    def reading_twice_gives_equal_data(self) -> None:
        once, again = self._shared(), self._read()
        require(
            once.fingerprint == again.fingerprint,
            "reading twice gives equal data",
            found=f"the fingerprints {once.fingerprint} and {again.fingerprint}",
            remedy="take every order and every random number from the options: sort what has no order, pass a seed",
        )

    def saving_and_loading_keeps_the_data(self) -> None:
        require_saving_keeps(self._shared())

    def every_reference_names_a_row(self) -> None:
        require_references(self._shared())

    def ids_name_one_row_each(self) -> None:
        dataset = self._shared()
        for table in ("news", "readers"):
            ids = getattr(dataset, table)["id"]
            twice = ids.filter(ids.is_duplicated() | ids.is_null() | (ids == ""))
            require(
                twice.is_empty(),
                f"an id names one row of {table}",
                found=f"the id {twice.first()!r} in {twice.len()} rows",
                remedy="give each row an id of its own: answers find their subject by it",
            )

    def labels_fit_the_candidates(self) -> None:
        rows = self._shared().impressions.filter(pl.col("labels").is_not_null())
        labels = pl.col("labels")
        odd = rows.filter(
            (labels.list.len() != pl.col("candidates").list.len())
            | labels.list.eval(pl.element().is_null() | (pl.element() > 1)).list.any()
        )
        require(
            odd.is_empty(),
            "an impression has a label, 0 or 1, for each candidate, or labels that are null",
            found=_row(odd, "id", "candidates", "labels"),
            remedy="write labels beside the candidates; null in an unlabelled split",
        )

    def every_impression_has_candidates(self) -> None:
        impressions = self._shared().impressions
        odd = impressions.filter(pl.col("candidates").list.len().fill_null(0) == 0)
        require(
            odd.is_empty(),
            "every impression has candidates",
            found=_row(odd, "id", "candidates"),
            remedy="leave impressions out that show nothing",
        )

    def generated_news_are_never_candidates(self) -> None:
        require_no_generated_candidates(self._shared())

    def clicks_count_the_original_history(self) -> None:
        dataset = self._shared()
        generated = set(dataset.news.with_row_index("row").filter(pl.col("origin") == "generated")["row"])
        for reader, history, clicks in dataset.readers.select("id", "history", "clicks").iter_rows():
            original = [news for news in history if news not in generated]
            require(
                clicks == len(original) and history[:clicks] == original,
                "`clicks` of a reader is the length of the original history, and generated news come after it",
                found=f"reader {reader!r} with {clicks} clicks and the history {history}",
                remedy="set clicks to the number of news that the user clicked",
            )

    def splits_are_not_empty(self) -> None:
        dataset = self._shared()
        require(
            dataset.impressions.height > 0 and "" not in dataset.splits and None not in dataset.splits,
            "there is a split, each has a name, and none is empty",
            found=f"{dataset.impressions.height} impressions in the splits {dataset.splits}",
            remedy="name the split of each impression, such as 'train', 'dev' or 'test'",
        )

    def kept_clicks_are_ascending_clicks(self) -> None:
        require_kept_clicks(self._shared())

    def vectors_of_a_field_have_one_width(self) -> None:
        for field, width, finite in (
            self._shared()
            .vectors.group_by("field", maintain_order=True)
            .agg(pl.col("vector").list.len().unique(), finite=pl.col("vector").list.eval(pl.element().is_finite()))
            .iter_rows()
        ):
            require(
                len(width) == 1 and width[0] and all(all(flags) for flags in finite),
                "vectors of one field have one width, and finite numbers",
                found=f"the widths {width} of {field!r}",
                remedy="add them with Dataset.with_vectors, which checks them",
            )

    def a_misspelt_option_is_told(self) -> None:
        require_misspelling_is_told(self.subject.option_names, self.subject.make)

    def _shared(self) -> Dataset:
        """The data set, read once for all checks that only look at it."""
        if self._dataset is None:
            self._dataset = self._read()
        return self._dataset

    def _read(self) -> Dataset:
        law = "a data set reader returns a genre.dataset.Dataset"
        return required_dataset(self.subject.make(), law, remedy="return what genre.dataset.assemble makes")


def required_dataset(made: object, law: str, *, remedy: str) -> Dataset:
    """What a part returned, which by its law is a data set.

    Raises:
        ConformanceError: it is something else.
    """
    require(isinstance(made, Dataset), law, found=type(made).__name__, remedy=remedy)
    return cast(Dataset, made)


def require_references(dataset: Dataset) -> None:
    """The law that every position names a row that is there.

    Raises:
        ConformanceError: one does not.
    """
    for table, column, target in _references(dataset):
        positions = getattr(dataset, table)[column]
        while isinstance(positions.dtype, pl.List):
            positions = positions.explode(empty_as_null=False)
        height = getattr(dataset, target).height
        odd = positions.filter(positions.is_null() | (positions >= height))
        require(
            odd.is_empty(),
            f"every position in {table}.{column} names a row of {target}",
            found=f"{odd.len()} positions such as {odd.first()!r}, and {target} has {height} rows",
            remedy=_ASSEMBLE,
        )


def require_no_generated_candidates(dataset: Dataset) -> None:
    """The law that news made by an LLM are never shown for a click.

    Raises:
        ConformanceError: one is a candidate.
    """
    generated = dataset.news.with_row_index("row").filter(pl.col("origin") == "generated")["row"]
    shown = dataset.impressions["candidates"].explode(empty_as_null=False)
    odd = shown.filter(shown.is_in(generated.implode()))
    require(
        odd.is_empty(),
        "generated news are never candidates",
        found=f"{odd.len()} candidates such as position {odd.first()!r}",
        remedy="append generated news to histories only: what was never shown has no label",
    )


def require_kept_clicks(dataset: Dataset) -> None:
    """The law that `kept` picks some of a reader's clicks, each once, oldest first.

    Raises:
        ConformanceError: it does something else.
    """
    for reader, kept, clicks in dataset.readers.select("id", "kept", "clicks").iter_rows():
        require(
            kept is None or (kept == sorted(set(kept)) and all(index < clicks for index in kept)),
            "`kept` of a reader is null, or ascending indices of clicks",
            found=f"{kept} of {clicks} clicks of {reader!r}",
            remedy="choose with Dataset.with_kept_history, which checks it",
        )


def require_saving_keeps(dataset: Dataset) -> None:
    """The law that what is saved is what is loaded.

    Raises:
        ConformanceError: it is something else.
    """
    with tempfile.TemporaryDirectory() as folder:
        save_dataset(dataset, Path(folder) / "saved")
        loaded = load_dataset(Path(folder) / "saved")
    require(
        loaded.fingerprint == dataset.fingerprint,
        "saving and loading keeps the data",
        found=f"the fingerprint {dataset.fingerprint} became {loaded.fingerprint}",
        remedy="keep to the columns' types of genre.dataset, and to JSON values in the lineage and in options",
    )


def require_untouched(dataset: Dataset, work: Callable[[Dataset], object], what: str) -> None:
    """The law that a part leaves the data set that it is given as it is.

    Args:
        work: uses the part on the data set.
        what: the part's work, such as `judging`.

    Raises:
        ConformanceError: its tables hold something else afterwards.
    """
    before = content(dataset)
    work(dataset)
    require(
        content(dataset) == before,
        f"{what} leaves the data set as it is",
        found="its tables hold something else afterwards",
        remedy="make new frames, or a new Dataset; never assign into the frames of the one that is given",
    )


def _references(dataset: Dataset) -> Iterator[tuple[str, str, str]]:
    for table in TABLES:
        for column, target in _REFERS.items():
            if column in getattr(dataset, table).columns:
                yield table, column, target


def _row(rows: pl.DataFrame, *columns: str) -> str:
    return f"{rows.height} rows such as {shown(rows.select(columns).head(1).to_dicts())}"
