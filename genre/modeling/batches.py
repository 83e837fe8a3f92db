"""Training batches: groups of one positive and k negatives, each distinct news of a batch encoded once."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, TypeAlias

import attrs
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from genre.errors import UsageError
from genre.modeling.features import Features, NewsFeatures, ReaderFeatures
from genre.modeling.ragged import IntArray, Ragged, concatenated_ranges
from genre.modeling.settings import TrainingSettings
from genre.parts import FieldBatch, NewsBatch

if TYPE_CHECKING:
    from numpy.random import Generator

# Second entropy word of a random stream: what it is for. (A shorter seed sequence equals one padded with zeros.)
_ORDER, _NEGATIVES = 1, 2

Drawn: TypeAlias = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]
"""Groups: impressions (B,), candidates (B, C) as news positions with the positive first, and their mask (B, C)."""


@attrs.frozen(eq=False)
class ReaderBatch:
    """B readers.

    Attributes:
        history: rows of the news vectors (B, H), oldest first; 0 where masked.
        history_mask: (B, H), True where there is a news.
        user: (B,)
        interests: ids (B, T) of each kind; 0 is padding.
    """

    history: Tensor
    history_mask: Tensor
    user: Tensor
    interests: Mapping[str, Tensor]


@attrs.frozen(eq=False)
class Batch:
    """B groups over U distinct news.

    Attributes:
        news: their fields, in portions of like length whose rows are counted through.
        readers: histories are rows of `news`.
        candidates: rows of `news` (B, C), the positive first.
        mask: (B, C), False where a group has fewer candidates.
        labels: (B, C), 1 for the positive.
    """

    news: tuple[NewsBatch, ...]
    readers: ReaderBatch
    candidates: Tensor
    mask: Tensor
    labels: Tensor


class GroupSampler:
    """Draws the groups of a split. Draws depend on (seed, epoch, batch) alone, so that a resumed run repeats them."""

    def __init__(self, features: Features, settings: TrainingSettings, seed: int, *, portions: int = 1) -> None:
        """
        Args:
            portions: how many portions of like length a batch's news are cut into, each as wide as its longest.

        Raises:
            UsageError: no click of the split has a negative to go with it.
        """
        self.features = features
        self.settings = settings
        self.seed = seed
        self._portions = portions
        split = features.split(settings.train_split)
        original = ~features.generated[split.candidates.values]
        clicked = (split.labels == 1) & original
        self.clicks = split.candidates.where(clicked)
        # Unlabelled impressions have no clicks and no negatives either.
        labelled = split.labelled[split.candidates.rows]
        self.others = split.candidates.where((split.labels == 0) & original & labelled)
        self.shown = np.sort(split.candidates.values[original])
        self.readers = split.readers
        impressions, positives = self.clicks.rows, self.clicks.values
        has_negative = self._available()[impressions] > 0
        self.impressions, self.positives = impressions[has_negative], positives[has_negative]
        self.dropped = int((~has_negative).sum())
        """Clicks without any negative to go with them."""
        if not len(self.positives):
            raise UsageError(
                f"the split {settings.train_split!r} has no click with a negative to go with it",
                remedy="train on a labelled split, or draw negatives with pool = 'split'",
            )

    @property
    def batches(self) -> int:
        """Number of batches in an epoch."""
        return -(-len(self.positives) // self.settings.batch_size)

    def epoch(self, number: int, *, first: int = 0) -> Iterator[Batch]:
        """The batches of an epoch, in its order, from the batch `first` (from 0) on."""
        for drawn in self.draws(number, first=first):
            yield self.collate(*drawn)

    def draws(self, number: int, *, first: int = 0) -> Iterator[Drawn]:
        """What `draw` draws for each batch of an epoch, from the batch `first` on: `collate` makes the batch of it."""
        order = np.random.default_rng([self.seed, _ORDER, number]).permutation(len(self.positives))
        size = self.settings.batch_size
        for batch in range(first, self.batches):
            yield self.draw(number, batch, order[batch * size : (batch + 1) * size])

    def draw(self, epoch: int, batch: int, groups: IntArray) -> Drawn:
        """Impressions (B,), candidates (B, C) as news positions with the positive first, and their mask (B, C)."""
        random = np.random.default_rng([self.seed, _NEGATIVES, epoch, batch])
        impressions = self.impressions[groups]
        draw = self._from_impressions if self.settings.pool == "impression" else self._from_split
        negatives, mask = draw(impressions, random)
        candidates = np.concatenate([self.positives[groups][:, None], negatives], axis=1)
        return impressions, candidates, np.concatenate([np.ones((len(groups), 1), np.bool_), mask], axis=1)

    def _available(self) -> NDArray[np.int64]:
        """Number of negatives that each impression could draw."""
        if self.settings.pool == "impression":
            return self.others.lengths
        starts, ends = self._click_ranges(np.arange(len(self.clicks)))
        available: NDArray[np.int64] = len(self.shown) - (ends - starts).sum(axis=1)
        return available

    def _from_impressions(
        self, impressions: IntArray, random: "Generator"
    ) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
        """Up to k of each impression's non-clicks, without repetition."""
        pool = self.others.take(impressions)
        order = np.lexsort((random.random(len(pool.values)), pool.rows))
        drawn = Ragged(pool.values[order], pool.offsets).first(self.settings.negatives)
        return drawn.padded()

    def _from_split(self, impressions: IntArray, random: "Generator") -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
        """k of all candidates shown, as often as they were shown, without the impression's clicks."""
        starts, ends = self._click_ranges(impressions)
        sizes = len(self.shown) - (ends - starts).sum(axis=1)
        drawn = random.integers(0, sizes[:, None], size=(len(impressions), self.settings.negatives))
        # `shown` is sorted, so each click is a range in it: step over the ranges, from the left.
        for start, end in zip(starts.T, ends.T, strict=True):
            drawn += np.where(drawn >= start[:, None], (end - start)[:, None], 0)
        return self.shown[drawn], np.ones(drawn.shape, np.bool_)

    def _click_ranges(self, impressions: IntArray) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Where each impression's distinct clicks lie in `shown` (B, W), from the left; empty ranges as padding."""
        values, mask = self.clicks.take(impressions).padded()
        values = np.sort(np.where(mask, values, np.iinfo(np.int32).max), axis=1)
        starts = np.searchsorted(self.shown, values, side="left")
        ends = np.searchsorted(self.shown, values, side="right")
        repeated = np.concatenate([np.zeros((len(values), 1), np.bool_), values[:, 1:] == values[:, :-1]], axis=1)
        return starts, np.where(repeated, starts, ends)

    def collate(self, impressions: NDArray[np.int64], candidates: NDArray[np.int64], mask: NDArray[np.bool_]) -> Batch:
        """The batch of some groups, as `draw` draws them."""
        rows = self.readers[impressions]
        history, history_mask = self.features.readers.history.take(rows).padded()
        wanted = np.concatenate([history[history_mask], candidates[mask]])
        distinct, local = np.unique(wanted, return_inverse=True)
        order = by_length(self.features.news, distinct)
        distinct, local = distinct[order], np.argsort(order)[local]
        local_history = np.zeros(history.shape, np.int64)
        local_candidates = np.zeros(candidates.shape, np.int64)
        read = int(history_mask.sum())
        local_history[history_mask], local_candidates[mask] = local[:read], local[read:]
        labels = np.zeros(candidates.shape, np.float32)
        labels[:, 0] = 1.0
        return Batch(
            news=tuple(
                news_batch(self.features.news, portion)
                for portion in np.array_split(distinct, min(self._portions, len(distinct)))
            ),
            readers=reader_batch(self.features.readers, rows, local_history, history_mask),
            candidates=torch.from_numpy(local_candidates),
            mask=torch.from_numpy(mask),
            labels=torch.from_numpy(labels),
        )


def by_length(news: NewsFeatures, rows: IntArray) -> NDArray[np.int64]:
    """The order that puts news of like length together."""
    lengths = np.zeros(len(rows), np.int64)
    for tokens in news.texts.values():
        lengths += tokens.lengths_of(rows)
    return np.argsort(lengths, kind="stable")


def news_batch(news: NewsFeatures, rows: IntArray) -> NewsBatch:
    """Fields of some news; texts and entities are as wide as the longest among them."""
    fields = {}
    for name, tokens in (*news.texts.items(), *news.entities.items()):
        values, mask = tokens.take(rows).padded()
        states = None
        if name in news.states:
            flat = concatenated_ranges(tokens.offsets[rows], tokens.lengths_of(rows))
            padded = np.zeros((*mask.shape, news.states[name].shape[1]), np.float32)
            padded[mask] = news.states[name][flat]
            states = torch.from_numpy(padded)
        fields[name] = FieldBatch(torch.from_numpy(values), torch.from_numpy(mask), states)
    for name, ids in news.categories.items():
        column = torch.from_numpy(ids[rows][:, None])
        fields[name] = FieldBatch(column, column != 0)
    for name, (vectors, present) in news.vectors.items():
        fields[name] = FieldBatch(torch.from_numpy(vectors[rows]), torch.from_numpy(present[rows][:, None]))
    return fields


def reader_batch(
    readers: ReaderFeatures, rows: IntArray, history: NDArray[np.int64], mask: NDArray[np.bool_]
) -> ReaderBatch:
    """Readers whose histories are given as rows of some table of news vectors."""
    interests = {
        kind: torch.from_numpy(ids.take(rows).padded()[0].astype(np.int64)) for kind, ids in readers.interests.items()
    }
    return ReaderBatch(
        history=torch.from_numpy(history),
        history_mask=torch.from_numpy(mask),
        user=torch.from_numpy(readers.user[rows].astype(np.int64)),
        interests=interests,
    )
