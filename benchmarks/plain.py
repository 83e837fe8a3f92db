"""The plain loop of popular implementations: every position padded, every news of a sample encoded, dense Adam.

The same model, the same groups and the same loss; what differs is the shape of the work, and torch's own dropout.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from genre.modeling.batches import Batch, Drawn, GroupSampler, news_batch, reader_batch
from genre.modeling.features import Features
from genre.modeling.metrics import METRICS
from genre.modeling.news_tower import NewsVectors
from genre.modeling.recommender import Recommender
from genre.modeling.settings import TrainingSettings
from genre.parts import FieldBatch, NewsBatch
from genre_baselines.din import DINUserEncoder


@contextmanager
def plainly() -> Iterator[None]:
    """Within it, models read padded sequences, and drop out by torch's own dropout."""
    with (
        patch("genre.modeling.blocks.packs", return_value=False),
        patch("genre_baselines.embeddings.packs", return_value=False),
        patch("genre_baselines.bst.packs", return_value=False),
        patch("genre_baselines.lstur.packs", return_value=False),
        patch("genre_baselines.din.DINUserEncoder.forward", _din_of_all_pairs),
        patch("genre.modeling.blocks.softmax", lambda logits: torch.softmax(logits, dim=-1)),
        patch("genre.modeling.dropout.Dropout.forward", nn.Dropout.forward),
    ):
        yield


def _din_of_all_pairs(  # noqa: PLR0917  it stands for a method
    self: DINUserEncoder,
    history: Tensor,
    mask: Tensor,
    user: Tensor,  # noqa: ARG001
    candidates: Tensor,
    candidate_mask: Tensor,
) -> Tensor:
    """As the paper draws it: `[c; h; c - h; c * h]` of each pair goes through the MLP."""
    clicks = history.masked_fill(~mask.unsqueeze(-1), 0.0)
    candidate = candidates.unsqueeze(2).expand(-1, -1, clicks.shape[1], -1)  # (B, C, H, D)
    click = clicks.unsqueeze(1).expand_as(candidate)
    pairs = torch.cat([candidate, click, candidate - click, candidate * click], dim=-1)  # (B, C, H, 4 D)
    weights = self.weight(self.hidden(pairs, mask.unsqueeze(1) & candidate_mask.unsqueeze(2))).squeeze(-1)
    attended: Tensor = (weights * mask.unsqueeze(1)) @ clicks
    return attended


class DenseAdam:
    """Adam over every weight, tables of words included."""

    def __init__(self, model: nn.Module, settings: TrainingSettings) -> None:
        for module in model.modules():
            if isinstance(module, nn.Embedding):
                module.sparse = False
        self._adam = torch.optim.Adam(model.parameters(), lr=settings.learning_rate)

    def step(self, loss: Tensor) -> None:
        """One step down the gradient of `loss`."""
        self._adam.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch's own
        self._adam.step()


def plain_batch(sampler: GroupSampler, drawn: Drawn) -> Batch:
    """The groups that `GroupSampler.draw` drew, with a row of its own for each position of each sample."""
    impressions, candidates, mask = drawn
    features = sampler.features
    readers = sampler.readers[impressions]
    history, history_mask = _to_width(features, readers)
    positions = np.concatenate([history.ravel(), candidates.ravel()])
    rows = np.arange(len(positions))
    local_history = rows[: history.size].reshape(history.shape)
    local_candidates = rows[history.size :].reshape(candidates.shape)
    labels = np.zeros(candidates.shape, np.float32)
    labels[:, 0] = 1.0
    return Batch(
        news=(padded_news(features, positions),),
        readers=reader_batch(features.readers, readers, local_history, history_mask),
        candidates=torch.from_numpy(local_candidates),
        mask=torch.from_numpy(mask),
        labels=torch.from_numpy(labels),
    )


def padded_news(features: Features, positions: NDArray[np.int64]) -> NewsBatch:
    """Fields of news, each text as wide as the settings allow."""
    batch = dict(news_batch(features.news, positions))
    for name, width in features.settings.texts.items():
        field = batch[name]
        missing = width - field.values.shape[1]
        batch[name] = FieldBatch(F.pad(field.values, (0, missing)), F.pad(field.mask, (0, missing)))
    return batch


def _to_width(features: Features, readers: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Histories as wide as the settings allow; news 0 as padding."""
    history, mask = features.readers.history.take(readers).padded()
    missing = features.settings.history_length - history.shape[1]
    padding = ((0, 0), (0, missing))
    return np.pad(history, padding).astype(np.int64), np.pad(mask, padding)


def one_by_one(
    recommender: Recommender,
    features: Features,
    split: str,
    impressions: NDArray[np.int64],
    table: NewsVectors | None = None,
) -> dict[str, float]:
    """Means of the metrics of some impressions, each scored by itself.

    Args:
        table: vectors of all news; without it each impression's news are encoded.
    """
    rows = features.split(split)
    totals = dict.fromkeys(METRICS, 0.0)
    for impression in impressions:
        start, end = rows.candidates.offsets[impression : impression + 2]
        candidates = rows.candidates.values[start:end].astype(np.int64)
        readers = rows.readers[impression : impression + 1]
        history, mask = _to_width(features, readers)
        news = table
        if news is None:
            positions = np.concatenate([history[0], candidates])
            news = recommender.encode_news(padded_news(features, positions))
            local = np.arange(len(positions))
            history, candidates = local[None, : history.size], local[history.size :]
        batch = reader_batch(features.readers, readers, history, mask)
        shown = torch.from_numpy(candidates)[None]
        scores = recommender.score(news, recommender.encode_users(news, batch, shown), shown)[0].numpy()
        for name, value in _metrics(scores, rows.labels[start:end]).items():
            totals[name] += value
    return {name: total / len(impressions) for name, total in totals.items()}


def _metrics(scores: NDArray[np.float32], labels: NDArray[np.int64]) -> dict[str, float]:
    """As scripts of MIND compute them, one impression at a time; ties are as the sort leaves them."""
    ranked = labels[np.argsort(-scores, kind="stable")]
    clicks = int(ranked.sum())
    above = np.cumsum(ranked)[ranked == 0].sum()
    gains = ranked / np.log2(np.arange(2, len(ranked) + 2))
    best = 1 / np.log2(np.arange(2, clicks + 2))
    return {
        "auc": float(above / (clicks * (len(ranked) - clicks))),
        "mrr": float((ranked / np.arange(1, len(ranked) + 1)).sum() / clicks),
        **{f"ndcg@{cutoff}": float(gains[:cutoff].sum() / best[:cutoff].sum()) for cutoff in (5, 10)},
    }
