"""Metrics of a split's impressions, and their means."""

import attrs
import numpy as np
import polars as pl
from numpy.typing import NDArray

from genre.dataset import Dataset
from genre.modeling.features import Features, SplitFeatures
from genre.modeling.metrics import METRICS, SEGMENTS, impression_metrics, mean
from genre.modeling.recommender import Recommender
from genre.modeling.scoring import score_split
from genre.modeling.settings import EVALUATION_DEFAULTS, EvaluationSettings


@attrs.frozen(eq=False)
class Evaluation:
    """What a model made of a split.

    Attributes:
        scores: one score a candidate, impression after impression (T,).
        offsets: impression i has the scores `offsets[i]:offsets[i + 1]` (I + 1,).
        impressions: one row an impression: `impression`, `reader`, `is_new`, `candidates` (their number), and `auc`,
            `mrr`, `ndcg@5`, `ndcg@10`, null where there is nothing to rank or no label.
    """

    scores: NDArray[np.float32]
    offsets: NDArray[np.int64]
    impressions: pl.DataFrame

    @property
    def scored_impressions(self) -> pl.DataFrame:
        """`impressions` with the scores of each one's candidates as a list, `scores`."""
        rows = np.repeat(np.arange(len(self.offsets) - 1), np.diff(self.offsets))
        lists = pl.DataFrame({"row": rows, "scores": self.scores}).group_by("row", maintain_order=True).agg("scores")
        return self.impressions.hstack(lists.select("scores"))


def evaluate(
    recommender: Recommender, features: Features, split: str, settings: EvaluationSettings = EVALUATION_DEFAULTS
) -> Evaluation:
    """Scores and per-impression metrics of a split; `summarize` averages them.

    Raises:
        UsageError: there is no such split.
        RunError: a score is not finite.
    """
    rows = features.split(split)
    return evaluation_of(features.dataset, rows, score_split(recommender, features, rows, settings))


def evaluation_of(dataset: Dataset, split: SplitFeatures, scores: NDArray[np.float32]) -> Evaluation:
    """What scores of a split's candidates (T,) come to, wherever they are from.

    Raises:
        RunError: a score is not finite.
    """
    described = pl.DataFrame(
        {
            "impression": dataset.impressions["id"].gather(split.impressions),
            "reader": dataset.readers["id"].gather(split.readers),
            "is_new": dataset.is_new.gather(split.readers),
            "candidates": split.candidates.lengths,
        }
    )
    metrics = impression_metrics(scores, split.labels, split.candidates.offsets)
    return Evaluation(scores, split.candidates.offsets, described.hstack(metrics))


def summarize(impressions: pl.DataFrame) -> list[dict[str, str | int | float | None]]:
    """Means of `Evaluation.impressions` for the segments `all`, `new` and `warm`.

    Returns:
        Rows with `segment`, `auc`, `mrr`, `ndcg@5`, `ndcg@10` (None in a segment without impressions), and
        `impressions`: how many of them had something to rank.
    """
    members = {"all": impressions, "new": impressions.filter("is_new"), "warm": impressions.filter(~pl.col("is_new"))}
    return [
        {
            "segment": segment,
            **{name: mean(members[segment][name]) for name in METRICS},
            "impressions": int(members[segment]["auc"].count()),
        }
        for segment in SEGMENTS
    ]
