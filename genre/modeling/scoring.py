"""Scores of a split's candidates: every news and every reader encoded once, and next to no work on padding.

Memory holds one vector for each news and reader; all else comes in chunks of a size that the settings bound.
"""

from collections.abc import Iterator, Sequence

import attrs
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from genre.modeling.batches import ReaderBatch, by_length, news_batch, reader_batch
from genre.modeling.devices import device_of, moved
from genre.modeling.features import Features, SplitFeatures
from genre.modeling.news_tower import NewsVectors
from genre.modeling.ragged import IntArray, Ragged, concatenated_ranges
from genre.modeling.recommender import Recommender
from genre.modeling.settings import EVALUATION_DEFAULTS, EvaluationSettings


@torch.inference_mode()
def score_split(
    recommender: Recommender,
    features: Features,
    split: SplitFeatures,
    settings: EvaluationSettings = EVALUATION_DEFAULTS,
) -> NDArray[np.float32]:
    """One score a candidate (T,), labels or none. The recommender's mode (training or evaluation) is left as it was."""
    training = recommender.training
    recommender.eval()
    try:
        scoring = _Scoring.prepared(recommender, features, split, settings)
        return scoring.aware() if recommender.candidate_aware else scoring.once()
    finally:
        recommender.train(training)


@attrs.frozen(eq=False)
class _Scoring:
    """What scoring needs, with all news encoded.

    Attributes:
        news: vectors of the news that the split needs.
        readers: those of the split.
        pair_readers: row of `readers` for each pair of an impression and a candidate (T,).
        candidates: row of `news` for each pair (T,).
    """

    recommender: Recommender
    settings: EvaluationSettings
    news: NewsVectors
    readers: "_Readers"
    pair_readers: IntArray
    candidates: IntArray

    @classmethod
    def prepared(
        cls, recommender: Recommender, features: Features, split: SplitFeatures, settings: EvaluationSettings
    ) -> "_Scoring":
        """Encode the news."""
        readers, reader_of = np.unique(split.readers, return_inverse=True)
        histories = features.readers.history.take(readers)
        table = _NewsTable.encode(recommender, features, [histories.values, split.candidates.values], settings)
        histories = Ragged.from_lengths(table.rows_of(histories.values), histories.lengths)
        return cls(
            recommender,
            settings,
            table.vectors,
            _Readers(features, readers, histories),
            reader_of[split.candidates.rows],
            table.rows_of(split.candidates.values),
        )

    def once(self) -> NDArray[np.float32]:
        """User vectors do not depend on the candidate: one for each reader."""
        users = self._users()  # (R, 1, D)
        scores, device = np.empty(len(self.candidates), np.float32), device_of(self.recommender)
        for pairs in _chunks(len(self.candidates), self.settings.pairs_per_chunk):
            user = users[moved(torch.from_numpy(self.pair_readers[pairs]), device)]
            candidates = moved(torch.from_numpy(self.candidates[pairs]), device)[:, None]  # (P, 1)
            scores[pairs] = self.recommender.score(self.news, user, candidates).squeeze(1).cpu()
        return scores

    def aware(self) -> NDArray[np.float32]:
        """A user vector for each pair of reader and candidate: a reader's candidates together, so that what does not
        depend on them is done once.
        """
        scores, device = np.empty(len(self.candidates), np.float32), device_of(self.recommender)
        clicks = np.maximum(self.readers.histories.lengths, 1)
        rows = _CandidateRows.of(self.pair_readers, clicks, self.settings.pairs_per_chunk)
        for chosen in rows.chunks(self.settings.pairs_per_chunk):
            pairs, mask = rows.pairs(chosen)  # (B, C)
            candidates, seen = moved((torch.from_numpy(self.candidates[pairs]), torch.from_numpy(mask)), device)
            readers = moved(self.readers.batch(rows.readers[chosen]), device)
            user = self.recommender.encode_users(self.news, readers, candidates, seen)
            scores[pairs[mask]] = self.recommender.score(self.news, user, candidates, seen)[seen].cpu()
        return scores

    def _users(self) -> Tensor:
        """(R, 1, D), computed in the order of the histories' lengths."""
        order, device = np.argsort(self.readers.histories.lengths, kind="stable"), device_of(self.recommender)
        users = []
        for rows in _chunks(len(order), self.settings.readers_per_chunk):
            none = torch.zeros((len(rows), 0), dtype=torch.long, device=device)
            readers = moved(self.readers.batch(order[rows]), device)
            users.append(self.recommender.encode_users(self.news, readers, none))
        back = moved(torch.from_numpy(np.argsort(order, kind="stable")), device)
        return torch.cat(users)[back]


@attrs.frozen(eq=False)
class _CandidateRows:
    """A reader's candidates in rows, those of readers with few clicks first.

    Attributes:
        order: the pairs of a reader and a candidate, reader by reader (T,).
        readers: whose row it is (R,).
        starts, lengths: the row's part of `order` (R,).
        clicks: of the row's reader (R,).
    """

    order: NDArray[np.int64]
    readers: NDArray[np.int64]
    starts: NDArray[np.int64]
    lengths: NDArray[np.int64]
    clicks: NDArray[np.int64]

    @classmethod
    def of(cls, pair_readers: IntArray, clicks: NDArray[np.int64], most: int) -> "_CandidateRows":
        """Rows of at most so much work, if a row of one candidate is not more.

        Args:
            pair_readers: whose candidate it is (T,).
            clicks: of each reader, at least 1.
        """
        counts = np.bincount(pair_readers, minlength=len(clicks))
        longest = np.maximum(most // clicks, 1)
        pieces = -(-counts // longest)
        readers = np.repeat(np.arange(len(counts)), pieces)
        before = concatenated_ranges(np.zeros_like(pieces), pieces) * longest[readers]
        starts = (np.cumsum(counts) - counts)[readers] + before
        lengths = np.minimum(counts[readers] - before, longest[readers])
        chosen_order = np.lexsort((lengths, clicks[readers]))
        order = np.argsort(pair_readers, kind="stable")
        return cls(order, *(each[chosen_order] for each in (readers, starts, lengths, clicks[readers])))

    def chunks(self, size: int) -> Iterator[NDArray[np.int64]]:
        """Rows that together, padded, are no more than `size` pairs of a candidate and a click, or a single row."""
        start = 0
        while start < len(self.lengths):
            lengths, clicks = self.lengths[start : start + size], self.clicks[start : start + size]
            padded = np.arange(1, len(lengths) + 1) * np.maximum.accumulate(lengths) * clicks  # clicks only grow
            count = max(1, int(np.searchsorted(padded, size, side="right")))
            yield np.arange(start, start + count)
            start += count

    def pairs(self, rows: IntArray) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Pairs (B, C), the first one where there is none, and where there is one."""
        places = np.arange(self.lengths[rows].max())
        mask = places < self.lengths[rows][:, None]
        return self.order[np.where(mask, self.starts[rows][:, None] + places, 0)], mask


@attrs.frozen(eq=False)
class _NewsTable:
    """The news that a split needs, encoded. `positions` is sorted; row r of the vectors is news `positions[r]`."""

    positions: NDArray[np.int64]
    vectors: NewsVectors

    @classmethod
    def encode(
        cls, recommender: Recommender, features: Features, wanted: Sequence[IntArray], settings: EvaluationSettings
    ) -> "_NewsTable":
        """Encode them in the order of their lengths."""
        positions = np.unique(np.concatenate(wanted)).astype(np.int64)
        order = by_length(features.news, positions)
        device = device_of(recommender)
        back = moved(torch.from_numpy(np.argsort(order, kind="stable")), device)
        chunks = [
            recommender.encode_news(moved(news_batch(features.news, positions[order[rows]]), device))
            for rows in _chunks(len(positions), settings.news_per_chunk)
        ]
        table = NewsVectors.join(chunks)
        fields = None if table.fields is None else table.fields[back]
        return cls(positions, NewsVectors(table.vectors[back], fields))

    def rows_of(self, positions: IntArray) -> NDArray[np.int64]:
        """Rows of news (...)."""
        return np.searchsorted(self.positions, positions)


@attrs.frozen(eq=False)
class _Readers:
    """The distinct readers of a split, with histories as rows of the news table."""

    features: Features
    positions: NDArray[np.int64]
    histories: Ragged

    def batch(self, rows: IntArray) -> ReaderBatch:
        """Some of them."""
        history, mask = self.histories.take(rows).padded()
        return reader_batch(self.features.readers, self.positions[rows], history.astype(np.int64), mask)


def _chunks(total: int, size: int) -> Iterator[NDArray[np.int64]]:
    for start in range(0, total, size):
        yield np.arange(start, min(start + size, total))
