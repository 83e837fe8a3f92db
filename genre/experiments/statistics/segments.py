"""Segments of impressions: by length of history, category and popularity of what was clicked, of the original data."""

from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from genre.dataset import Dataset
from genre.experiments.statistics.bootstrap import intervals, resampled_means, user_sums
from genre.experiments.statistics.figures import SplitFigures
from genre.experiments.statistics.gains import AUC
from genre.modeling.features import SplitFeatures, split_features
from genre.modeling.metrics import METRICS

HISTORY_BOUNDS: Final = (0, 5, 10, 20, 50)
"""The longest history of each bucket, in clicks; one more bucket holds the rest."""
POPULARITY_BOUNDS: Final = (0, 9, 99)
"""The most clicks in the train split of each bucket."""
TOP_CATEGORIES: Final = 8
OTHERS: Final = "(others)"
SEVERAL: Final = "(several)"
NONE: Final = "(none)"

Members = Mapping[str, NDArray[np.bool_]]
"""Which impressions (I,) belong to each segment, in the order in which they are shown."""


def history_segments(clicks: NDArray[np.integer]) -> Members:
    """Impressions by the original clicks of their reader's history (I,), which synthetic news do not count in."""
    return _buckets(clicks, HISTORY_BOUNDS)


def popularity_segments(split: SplitFeatures, train_clicks: NDArray[np.int64]) -> Members:
    """Impressions by clicks in the train split of what was clicked, the most popular if there are several.

    Args:
        train_clicks: of each news (N,).
    """
    clicked = split.labels == 1
    rows, clicks = split.candidates.rows[clicked], train_clicks[split.candidates.values[clicked]]
    most = np.zeros(len(split.readers), np.int64)
    np.maximum.at(most, rows, clicks)
    return _buckets(most, POPULARITY_BOUNDS)


def category_segments(split: SplitFeatures, categories: pl.Series, *, top: int = TOP_CATEGORIES) -> Members:
    """Impressions by the category of what was clicked.

    The categories of most impressions have a segment each, and the rest have one together, as have impressions with
    clicks of several categories, and those of news without a category. Each impression is in one of them.

    Args:
        categories: of each news (N,), `""` for none.
    """
    clicked = split.labels == 1
    clicks = pl.DataFrame(
        {
            "row": split.candidates.rows[clicked],
            "category": categories.gather(split.candidates.values[clicked]).fill_null(""),
        }
    )
    name = pl.when(pl.col("category").n_unique() > 1).then(pl.lit(SEVERAL)).otherwise(pl.col("category").first())
    named = clicks.group_by("row").agg(name.alias("name")).with_columns(pl.col("name").replace("", NONE))
    counted = named.filter(~pl.col("name").is_in([SEVERAL, NONE])).group_by("name").len()
    common = counted.sort(["len", "name"], descending=[True, False])["name"].head(top).to_list()
    rows, names = named["row"].to_numpy(), named["name"].to_numpy()
    of_row = np.full(len(split.readers), NONE, dtype=object)
    of_row[rows] = np.where(np.isin(names, [*common, SEVERAL, NONE]), names, OTHERS)
    return {each: of_row == each for each in (*common, OTHERS, SEVERAL, NONE) if (of_row == each).any()}


def segment_rows(
    figures: SplitFigures, dataset: Dataset, train_clicks: NDArray[np.int64]
) -> Iterator[dict[str, object]]:
    """A row for each segment, variant and baseline: mean metrics, and the interval of AUC over users.

    Args:
        dataset: whose clicks and categories are the original's, as those of every variant are.
        train_clicks: of each news (N,).
    """
    split = split_features(dataset, figures.split)
    clicks = dataset.readers["clicks"].to_numpy()[split.readers]
    ways: dict[str, Members] = {
        "history": history_segments(clicks),
        "category": category_segments(split, dataset.news["category"]),
        "popularity": popularity_segments(split, train_clicks),
    }
    aucs = np.column_stack([cell.metrics[:, AUC] for cell in figures.cells.values()])  # (I, cells)
    for by, segments in ways.items():
        for segment, everyone in segments.items():
            members = everyone[figures.impressions]
            if not members.any():
                continue
            shown = aucs[members]
            found = intervals(shown.mean(axis=0), resampled_means(user_sums(shown, figures.users[members])))
            for ((variant, baseline), cell), interval in zip(figures.cells.items(), found, strict=True):
                yield {
                    "variant": variant,
                    "baseline": baseline,
                    "split": figures.split,
                    "by": by,
                    "segment": segment,
                    **dict(zip(METRICS, cell.metrics[members].mean(axis=0).tolist(), strict=True)),
                    "auc_low": interval.low,
                    "auc_high": interval.high,
                    "impressions": int(members.sum()),
                    "leaked": cell.leaked,
                }


def _buckets(values: NDArray[np.integer], bounds: tuple[int, ...]) -> Members:
    """Values up to each bound, and those above the last: `0`, `1-5`, `>5`."""
    places = np.searchsorted(bounds, values, side="left")
    starts = [0, *(bound + 1 for bound in bounds)]
    names = [str(end) if start == end else f"{start}-{end}" for start, end in zip(starts, bounds, strict=False)]
    return {name: places == place for place, name in enumerate([*names, f">{bounds[-1]}"])}
