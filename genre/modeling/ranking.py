"""One reader's candidates in the order of a model's scores."""

import attrs
import numpy as np
import polars as pl
from numpy.typing import NDArray

from genre.dataset import Dataset
from genre.errors import RunError
from genre.modeling.features import Features, SplitFeatures
from genre.modeling.ragged import IntArray, Ragged
from genre.modeling.recommender import Recommender
from genre.modeling.scoring import score_split
from genre.modeling.settings import EVALUATION_DEFAULTS, EvaluationSettings


@attrs.frozen(eq=False)
class Ranking:
    """Candidates, best first; those of equal scores in the order of the data set.

    Attributes:
        news: their positions (K,).
        scores: what the model gives them (K,).
    """

    news: NDArray[np.int64]
    scores: NDArray[np.float32]


def rank_news(
    recommender: Recommender,
    features: Features,
    reader: Dataset,
    candidates: IntArray,
    settings: EvaluationSettings = EVALUATION_DEFAULTS,
) -> Ranking:
    """Rank candidates for one reader. Every news is encoded once, and memory is bounded as in evaluation.

    Args:
        features: of the data set that news and vocabulary are of.
        reader: the same data set with one reader only, see `only_reader` and `new_reader`.
        candidates: distinct positions of news (K,), in any order: it decides nothing.

    Raises:
        RunError: a score is not finite.
    """
    pool = np.sort(candidates).astype(np.int64)
    one = np.zeros(1, np.int64)
    asked = SplitFeatures(
        impressions=one,
        readers=one,
        candidates=Ragged.from_lengths(pool, np.array([len(pool)])),
        labels=np.zeros(len(pool), np.int64),
        labelled=np.zeros(1, np.bool_),
    )
    # Of the readers only this one is looked at: a site may have a hundred million others.
    scores = score_split(recommender, attrs.evolve(features, dataset=reader), asked, settings)
    if not np.isfinite(scores).all():
        raise RunError("the model gives scores that are no numbers", remedy="train it again with a lower learning rate")
    order = np.argsort(-scores, kind="stable")
    return Ranking(pool[order], scores[order])


def only_reader(dataset: Dataset, position: int) -> Dataset:
    """The data set as one of its readers sees it: no other readers, and no impressions."""
    interests = dataset.interests.filter(pl.col("reader") == position)
    return attrs.evolve(
        dataset,
        readers=dataset.readers[position : position + 1],
        interests=interests.with_columns(reader=pl.lit(0, dtype=pl.UInt32)),
        impressions=dataset.impressions.clear(),
    )


def new_reader(dataset: Dataset, history: IntArray) -> Dataset:
    """The data set as somebody sees it who is not in it, and of whom only clicks are known: the oldest first."""
    row = {"id": "", "user": "", "history": [int(news) for news in history], "clicks": len(history), "kept": None}
    return attrs.evolve(
        dataset,
        readers=pl.DataFrame([row], schema=dataset.readers.schema),
        interests=dataset.interests.clear(),
        impressions=dataset.impressions.clear(),
    )
