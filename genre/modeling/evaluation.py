"""Scores and metrics of a split: every news and every reader encoded once, ragged candidates never padded."""

from collections.abc import Iterator, Sequence
from typing import Final

import attrs
import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray

from genre.dataset import Dataset
from genre.modeling.batches import ReaderBatch, by_length, news_batch, reader_batch
from genre.modeling.features import Features, SplitFeatures
from genre.modeling.metrics import METRICS, impression_metrics, mean
from genre.modeling.news_tower import NewsVectors
from genre.modeling.ragged import IntArray, Ragged
from genre.modeling.recommender import Recommender
from genre.modeling.settings import EvaluationSettings

SEGMENTS: Final = ("all", "new", "warm")
DEFAULTS: Final = EvaluationSettings()


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


def evaluate(
    recommender: Recommender, features: Features, split: str, settings: EvaluationSettings = DEFAULTS
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


@torch.inference_mode()
def score_split(
    recommender: Recommender, features: Features, split: SplitFeatures, settings: EvaluationSettings = DEFAULTS
) -> NDArray[np.float32]:
    """One score a candidate (T,), labels or none. The recommender's mode (training or evaluation) is left as it was."""
    training = recommender.training
    recommender.eval()
    try:
        readers, reader_of = np.unique(split.readers, return_inverse=True)
        histories = features.readers.history.take(readers)
        table = _NewsTable.encode(recommender, features, [histories.values, split.candidates.values], settings)
        known_readers = _Readers(
            features, readers, Ragged.from_lengths(table.rows_of(histories.values), histories.lengths)
        )
        candidates = table.rows_of(split.candidates.values)
        pair_readers = reader_of[split.candidates.rows]
        score = _score_aware if recommender.candidate_aware else _score_once
        return score(recommender, table.vectors, known_readers, pair_readers, candidates, settings=settings)
    finally:
        recommender.train(training)


def _score_once(
    recommender: Recommender,
    news: NewsVectors,
    readers: "_Readers",
    pair_readers: IntArray,
    candidates: IntArray,
    *,
    settings: EvaluationSettings,
) -> NDArray[np.float32]:
    """User vectors do not depend on the candidate: one for each reader."""
    users = []
    for rows in _chunks(len(readers.positions), settings.readers_per_chunk):
        none = torch.zeros((len(rows), 0), dtype=torch.long)
        users.append(recommender.encode_users(news, readers.batch(rows), none))
    table = torch.cat(users)  # (R, 1, D)
    scores = np.empty(len(candidates), np.float32)
    for pairs in _chunks(len(candidates), settings.pairs_per_chunk):
        user = table[torch.from_numpy(pair_readers[pairs])]
        scores[pairs] = recommender.score(news, user, torch.from_numpy(candidates[pairs])[:, None]).squeeze(1)
    return scores


def _score_aware(
    recommender: Recommender,
    news: NewsVectors,
    readers: "_Readers",
    pair_readers: IntArray,
    candidates: IntArray,
    *,
    settings: EvaluationSettings,
) -> NDArray[np.float32]:
    """A user vector for each pair of reader and candidate."""
    scores = np.empty(len(candidates), np.float32)
    for pairs in _chunks(len(candidates), settings.pairs_per_chunk):
        rows = torch.from_numpy(candidates[pairs])[:, None]  # (P, 1)
        user = recommender.encode_users(news, readers.batch(pair_readers[pairs]), rows)
        scores[pairs] = recommender.score(news, user, rows).squeeze(1)
    return scores


@attrs.frozen(eq=False)
class _NewsTable:
    """The news that a split needs, encoded. `positions` is sorted; row r of the vectors is news `positions[r]`."""

    positions: NDArray[np.int64]
    vectors: NewsVectors

    @classmethod
    def encode(
        cls, recommender: Recommender, features: Features, wanted: Sequence[IntArray], settings: EvaluationSettings
    ) -> "_NewsTable":
        positions = np.unique(np.concatenate(wanted)).astype(np.int64)
        order = by_length(features.news, positions)
        back = torch.from_numpy(np.argsort(order, kind="stable"))
        chunks = [
            recommender.encode_news(news_batch(features.news, positions[order[rows]]))
            for rows in _chunks(len(positions), settings.news_per_chunk)
        ]
        table = NewsVectors.join(chunks)
        fields = None if table.fields is None else table.fields[back]
        return cls(positions, NewsVectors(table.vectors[back], fields))

    def rows_of(self, positions: IntArray) -> NDArray[np.int64]:
        return np.searchsorted(self.positions, positions)


@attrs.frozen(eq=False)
class _Readers:
    """The distinct readers of a split, with histories as rows of the news table."""

    features: Features
    positions: NDArray[np.int64]
    histories: Ragged

    def batch(self, rows: IntArray) -> ReaderBatch:
        history, mask = self.histories.take(rows).padded()
        return reader_batch(self.features.readers, self.positions[rows], history.astype(np.int64), mask)


def _chunks(total: int, size: int) -> Iterator[NDArray[np.int64]]:
    for start in range(0, total, size):
        yield np.arange(start, min(start + size, total))
