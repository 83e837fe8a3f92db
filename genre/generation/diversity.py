"""How much the texts of a round repeat each other."""

from collections.abc import Mapping
from typing import Final

import attrs
import numpy as np
import polars as pl
from numpy.typing import NDArray

from genre.generation.answers import record_columns
from genre.parts import Json

MOST_PAIRS: Final = 10_000
"""Pairs of texts that are compared; where there are more, so many are drawn."""


@attrs.frozen
class Diversity:
    """How different the texts of a round are, by property of the answers. A property without any text is left out.

    Attributes:
        distinct: how many different values there are.
        most_repeated: share of the texts that the most frequent value has.
        self_similarity: mean Jaccard similarity of the word sets of two texts; left out where there is one text only.
    """

    distinct: Mapping[str, int] = attrs.field(factory=dict)
    most_repeated: Mapping[str, float] = attrs.field(factory=dict)
    self_similarity: Mapping[str, float] = attrs.field(factory=dict)


def diversity(records: pl.LazyFrame, schema: Mapping[str, Json]) -> Diversity:
    """The figures of every property that is a text; upper and lower case are alike."""
    distinct: dict[str, int] = {}
    most_repeated: dict[str, float] = {}
    self_similarity: dict[str, float] = {}
    for name, column in record_columns(schema).items():
        if column != pl.String:
            continue
        texts = records.select(text=pl.col(name).str.to_lowercase()).drop_nulls()
        counts = (
            texts.group_by("text").len().select(values=pl.len(), most=pl.col("len").max(), texts=pl.col("len").sum())
        )
        values, most, count = counts.collect().row(0)
        if not values:
            continue
        distinct[name] = values
        most_repeated[name] = round(most / count, 6)
        if count > 1:
            self_similarity[name] = round(_mean_jaccard(texts, count), 6)
    return Diversity(distinct, most_repeated, self_similarity)


def _mean_jaccard(texts: pl.LazyFrame, count: int) -> float:
    """Only the texts of the pairs are in memory. Two texts without words are equal."""
    left, right = _pairs(count)
    wanted = np.unique(np.concatenate([left, right]))
    rows = texts.with_row_index("row").filter(pl.col("row").is_in(pl.Series(wanted, dtype=pl.UInt32).implode()))
    words = rows.select(pl.col("text").str.extract_all(r"\w+").list.unique()).collect().to_series()
    pairs = pl.DataFrame(
        {"left": words.gather(np.searchsorted(wanted, left)), "right": words.gather(np.searchsorted(wanted, right))}
    )
    shared = pl.col("left").list.set_intersection("right").list.len()
    together = pl.col("left").list.set_union("right").list.len()
    sizes = pairs.select(shared=shared, together=together)
    shares = np.where(sizes["together"] == 0, 1.0, sizes["shared"] / np.maximum(sizes["together"], 1))
    return float(shares.mean())


def _pairs(count: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Every pair of two of `count` texts, or `MOST_PAIRS` of them, the same each time."""
    if count * (count - 1) // 2 <= MOST_PAIRS:
        left, right = np.triu_indices(count, 1)
        return left.astype(np.int64), right.astype(np.int64)
    draw = np.random.default_rng(0)
    left = draw.integers(count, size=MOST_PAIRS)
    right = draw.integers(count - 1, size=MOST_PAIRS)
    return left, right + (right >= left)
