"""The training loop: Adam, early stopping that keeps the best state, the same result for the same seed."""

import math
from collections.abc import Callable, Mapping
from typing import TypeAlias

import attrs
import torch
from torch import Tensor

from genre.errors import RunError
from genre.modeling.batches import GroupSampler
from genre.modeling.evaluation import DEFAULTS, evaluate, summarize
from genre.modeling.features import Features
from genre.modeling.losses import LOSSES
from genre.modeling.optimizer import RowwiseAdam
from genre.modeling.recommender import Recommender
from genre.modeling.settings import EvaluationSettings, TrainingSettings


@attrs.frozen
class StepReport:
    """One batch done: `step` of `steps` in this epoch (both from 1), and its loss."""

    epoch: int
    step: int
    steps: int
    loss: float


@attrs.frozen
class EpochReport:
    """One epoch done.

    Attributes:
        epoch: from 1.
        loss: mean over the epoch's batches.
        metrics: of the early-stopping split, over all its readers; empty without such a split.
        best: whether this is the best epoch so far.
    """

    epoch: int
    loss: float
    metrics: Mapping[str, float]
    best: bool


@attrs.frozen
class TrainingResult:
    """What a training came to; the recommender holds the state of `best_epoch`.

    Attributes:
        epochs: every epoch trained.
        best_epoch: from 1.
        groups: clicks trained on in an epoch.
        dropped: clicks without any negative to go with them.
    """

    epochs: tuple[EpochReport, ...]
    best_epoch: int
    groups: int
    dropped: int


OnStep: TypeAlias = Callable[[StepReport], None]
OnEpoch: TypeAlias = Callable[[EpochReport], None]


def train(
    recommender: Recommender,
    features: Features,
    settings: TrainingSettings,
    *,
    seed: int,
    evaluation: EvaluationSettings = DEFAULTS,
    on_step: OnStep | None = None,
    on_epoch: OnEpoch | None = None,
) -> TrainingResult:
    """Train in place. Afterwards the recommender is in evaluation mode, in its best state.

    Args:
        seed: of order, negatives and dropout. The global random state stays as it is.
        on_step, on_epoch: told of progress; an exception of theirs ends the training.

    Raises:
        UsageError: a split does not exist or has nothing to train on.
        RunError: the loss is no number any more.
    """
    sampler = GroupSampler(features, settings, seed)
    if settings.stop_split is not None:
        features.split(settings.stop_split)  # a missing split is told of before the first epoch, not after it
    optimizer = RowwiseAdam(recommender, settings)
    reports: list[EpochReport] = []
    best: tuple[float, int, dict[str, Tensor]] | None = None
    for epoch in range(1, settings.epochs + 1):
        with torch.random.fork_rng(devices=[]):
            # Seeded by epoch, so that a run that goes on from here draws the same dropout.
            torch.manual_seed(seed * 1_000_003 + epoch)
            loss = _train_epoch(recommender, sampler, optimizer, epoch=epoch, on_step=on_step)
        metrics = _stopping_metrics(recommender, features, settings, evaluation)
        figure = metrics.get(settings.stop_metric, float(epoch))  # without a split, the latest is the best
        improved = best is None or figure > best[0]
        if improved:
            best = (figure, epoch, {name: value.clone() for name, value in recommender.state_dict().items()})
        reports.append(EpochReport(epoch, loss, metrics, improved))
        if on_epoch is not None:
            on_epoch(reports[-1])
        assert best is not None
        if epoch - best[1] >= settings.patience:
            break
    assert best is not None
    recommender.load_state_dict(best[2])
    recommender.eval()
    return TrainingResult(tuple(reports), best[1], len(sampler.positives), sampler.dropped)


def _train_epoch(
    recommender: Recommender,
    sampler: GroupSampler,
    optimizer: RowwiseAdam,
    *,
    epoch: int,
    on_step: OnStep | None,
) -> float:
    """Mean loss of the epoch's batches."""
    loss_of = LOSSES[recommender.baseline.loss]
    recommender.train()
    total = 0.0
    for step, batch in enumerate(sampler.epoch(epoch), start=1):
        loss = loss_of(recommender(batch), batch.labels, batch.mask)
        value = loss.item()
        if not math.isfinite(value):
            raise RunError(f"the loss is {value} in epoch {epoch}, batch {step}", remedy="lower the learning rate")
        optimizer.step(loss)
        total += value
        if on_step is not None:
            on_step(StepReport(epoch, step, sampler.batches, value))
    return total / sampler.batches


def _stopping_metrics(
    recommender: Recommender, features: Features, settings: TrainingSettings, evaluation: EvaluationSettings
) -> dict[str, float]:
    if settings.stop_split is None:
        return {}
    row = summarize(evaluate(recommender, features, settings.stop_split, evaluation).impressions)[0]
    metrics = {name: value for name, value in row.items() if isinstance(value, float)}
    if settings.stop_metric not in metrics:
        raise RunError(
            f"no impression of the split {settings.stop_split!r} can be evaluated: each needs a click and a non-click",
            remedy="set stop_split to a labelled split, or to none",
        )
    return metrics
