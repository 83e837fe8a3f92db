"""The plain loop of popular implementations: every position padded, every news of a sample encoded, dense Adam.

The same model, the same groups and the same loss; what differs is the shape of the work.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from genre.modeling.batches import Batch, GroupSampler, news_batch, reader_batch
from genre.modeling.features import Features
from genre.modeling.settings import TrainingSettings
from genre.parts import FieldBatch, NewsBatch


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


def plain_batch(sampler: GroupSampler, drawn: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]) -> Batch:
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
