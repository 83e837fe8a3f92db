"""What makes training fast changes nothing: for every baseline, the loss and every gradient are the plain loop's.

The plain loop pads every position, encodes every news of every sample by itself, and has dense gradients. In bfloat16
they are nearly those of fp32.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from benchmarks.plain import plain_batch, plainly
from genre.modeling.batches import Batch, GroupSampler
from genre.modeling.composition import build_recommender
from genre.modeling.features import Features
from genre.modeling.losses import LOSSES
from genre.modeling.recommender import Recommender
from genre.modeling.settings import TrainingSettings
from genre.registry import Registry

BASELINES = ("naml", "lstur", "nrms", "plmnr", "bst", "dcn", "pnn", "din")


@contextmanager
def without_dropout(model: Recommender) -> Iterator[None]:
    """Training mode, but for what is random in it."""
    model.train()
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
        if hasattr(module, "user_dropout"):
            module.user_dropout = 0.0
    yield


def loss_and_gradients(model: Recommender, batch: Batch, *, half: bool = False) -> tuple[Tensor, dict[str, Tensor]]:
    model.zero_grad()
    with torch.autocast("cpu", torch.bfloat16, enabled=half):
        logits = model(batch)
    loss = LOSSES[model.baseline.loss](logits.float(), batch.labels, batch.mask)
    loss.backward()
    gradients = {name: weight.grad for name, weight in model.named_parameters() if weight.grad is not None}
    return loss.detach(), {name: each.to_dense() if each.is_sparse else each for name, each in gradients.items()}


@pytest.mark.parametrize("name", BASELINES)
def test_loss_and_gradients_equal_the_plain_loop_s(name: str, features: Features) -> None:
    settings = TrainingSettings(batch_size=16)
    model = build_recommender(Registry.load(), name, features.vocabulary, features.settings, fusion=False)
    sampler = GroupSampler(features, settings, seed=3, portions=model.news_tower.portions)
    drawn = sampler.draw(1, 0, np.arange(settings.batch_size))
    with without_dropout(model):
        loss, gradients = loss_and_gradients(model, sampler.collate(*drawn))
        with plainly():
            plain_loss, plain_gradients = loss_and_gradients(model, plain_batch(sampler, drawn))
    assert math.isfinite(loss)
    torch.testing.assert_close(loss, plain_loss, rtol=1e-5, atol=1e-6)
    assert gradients.keys() == plain_gradients.keys()
    for weight, gradient in gradients.items():
        scale = plain_gradients[weight].abs().max().item()
        torch.testing.assert_close(gradient, plain_gradients[weight], rtol=1e-5, atol=1e-5 * max(scale, 1e-3))


@pytest.mark.parametrize("name", BASELINES)
def test_bfloat16_gives_nearly_the_same_loss_and_gradient(name: str, features: Features) -> None:
    model = build_recommender(Registry.load(), name, features.vocabulary, features.settings, fusion=False)
    batch = next(GroupSampler(features, TrainingSettings(), seed=3).epoch(1))
    with without_dropout(model):
        loss, gradients = loss_and_gradients(model, batch)
        half_loss, half_gradients = loss_and_gradients(model, batch, half=True)
    torch.testing.assert_close(half_loss, loss, rtol=2e-2, atol=0.0)
    error = torch.cat([(half_gradients[weight] - gradients[weight]).flatten() for weight in gradients]).norm()
    assert error < 2e-2 * torch.cat([gradient.flatten() for gradient in gradients.values()]).norm()
    assert half_loss != loss
