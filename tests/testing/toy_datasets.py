"""A data set reader that keeps to the laws, or breaks one of them."""

import uuid
from collections.abc import Callable
from pathlib import Path

import attrs
import polars as pl
from small_data import small_dataset

from genre.dataset import Dataset


@attrs.frozen
class ToyOptions:
    """Which law is broken; none."""

    flaw: str = ""


def read_toy(options: ToyOptions) -> object:
    """The small data set of the tests, after the flaw."""
    return FLAWS[options.flaw](small_dataset()) if options.flaw else small_dataset()


def _with(table: str, *columns: pl.Expr, **named: pl.Expr) -> Callable[[Dataset], Dataset]:
    def change(dataset: Dataset) -> Dataset:
        frame: pl.DataFrame = getattr(dataset, table)
        return attrs.evolve(dataset, **{table: frame.with_columns(*columns, **named).cast(frame.schema)})

    return change


def _interest_of_nobody(dataset: Dataset) -> Dataset:
    row = {"reader": [99], "kind": ["topics"], "version": ["r"], "model": ["m"], "rank": [0], "value": ["sports"]}
    return dataset.with_interests(pl.DataFrame(row))


def _vectors(dataset: Dataset, vectors: list[list[float]]) -> Dataset:
    rows = pl.DataFrame({"news": [0, 1], "field": ["cover", "cover"], "vector": vectors})
    return attrs.evolve(dataset, vectors=rows.cast(dataset.vectors.schema))  # type: ignore[arg-type]


FLAWS: dict[str, Callable[[Dataset], object]] = {
    "random": lambda dataset: attrs.evolve(dataset, news=dataset.news.with_columns(url=pl.lit(uuid.uuid4().hex))),
    "no json": lambda dataset: dataset.with_lineage("read", folder=Path("data")),
    "dangling history": _with("readers", history=pl.lit([99])),
    "dangling candidate": _with("impressions", candidates=pl.lit([0, 99])),
    "dangling reader": _with("impressions", reader=pl.lit(99)),
    "dangling text": _with("texts", news=pl.lit(99)),
    "dangling interest": _interest_of_nobody,
    "null reference": _with("texts", news=pl.lit(None)),
    "repeated news": _with("news", id=pl.lit("N1")),
    "repeated reader": _with("readers", id=pl.lit("R1")),
    "one label": _with("impressions", labels=pl.lit([1])),
    "label of two": _with("impressions", labels=pl.lit([0, 2])),
    "nothing shown": _with("impressions", candidates=pl.lit([], dtype=pl.List(pl.UInt32))),
    "generated": _with("news", origin=pl.lit("generated")),
    "no clicks": _with("readers", clicks=pl.lit(0)),
    "keeping what is no click": _with("readers", kept=pl.lit([6])),
    "keeping twice": _with("readers", kept=pl.lit([0, 0])),
    "two widths": lambda dataset: _vectors(dataset, [[1.0], [1.0, 2.0]]),
    "not finite": lambda dataset: _vectors(dataset, [[1.0, 2.0], [1.0, float("inf")]]),
    "no name": _with("impressions", split=pl.lit("")),
    "no impressions": lambda dataset: attrs.evolve(dataset, impressions=dataset.impressions.clear()),
    "no data set": lambda dataset: dataset.news,
}
