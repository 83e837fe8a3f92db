"""Training and evaluating one model: a baseline on a data set, and a trained model on another."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import attrs
import polars as pl

from genre.dataset import Dataset
from genre.errors import UsageError
from genre.experiments.observer import Observer
from genre.experiments.plan import BaselineOverride
from genre.experiments.results import Cell
from genre.modeling import (
    EpochReport,
    FeatureSettings,
    StepReport,
    TrainedModel,
    TrainingResult,
    TrainingSettings,
    build_recommender,
    evaluate,
    prepare_features,
    summarize,
    train,
)
from genre.parts import Baseline, EpochFinished, Kind, canonical_json
from genre.registry import Registry
from genre.settings import structure
from genre.version import __version__


@attrs.frozen
class CellPlan:
    """Everything that decides a training, its data set apart.

    Attributes:
        cell: names the training, and has its seed.
        baseline: the recommender.
        features: what its encoders see.
        training: how it is trained.
        fusion: whether readers' interests are fused into the user vector (equations 1 and 2).
        report: splits that the trained model is evaluated on.
        releases: who provides the baseline's parts, with versions.

    Raises:
        UsageError: words and users are to be learned from another split than the one that is trained on.
    """

    cell: Cell
    baseline: Baseline
    features: FeatureSettings
    training: TrainingSettings
    fusion: bool = False
    report: tuple[str, ...] = ()
    releases: tuple[str, ...] = ()

    def __attrs_post_init__(self) -> None:
        if self.features.train_split != self.training.train_split:
            raise UsageError(
                f"features.train_split is {self.features.train_split!r}, and training.train_split is "
                f"{self.training.train_split!r}",
                remedy="words, users and interests are learned from the split that is trained on: set both alike",
            )

    def key(self, dataset: Dataset) -> str:
        """Hash of what decides the figures; equal keys need not be trained again."""
        decisive = {**attrs.asdict(self), "genre": __version__, "dataset": dataset.fingerprint}
        return hashlib.blake2b(canonical_json(decisive).encode(), digest_size=16).hexdigest()


@attrs.frozen(eq=False)
class Trained:
    """A model, and how its training went."""

    model: TrainedModel
    result: TrainingResult


@attrs.frozen(eq=False)
class Evaluated:
    """A model's figures on a split.

    Attributes:
        summary: a row a segment (`all`, `new`, `warm`) with the four metrics and the number of impressions.
        impressions: the metrics of every impression.
    """

    split: str
    summary: Sequence[Mapping[str, object]]
    impressions: pl.DataFrame


def train_model(
    registry: Registry,
    dataset: Dataset,
    plan: CellPlan,
    *,
    cache: Path | None = None,
    observer: Observer | None = None,
) -> Trained:
    """Train a baseline.

    Args:
        cache: folder for prepared features.

    Raises:
        UsageError: a wrong option, or a split that does not exist.
        RunError: the training diverged.
    """
    watcher = observer or Observer()
    cell = plan.cell
    prepared = prepare_features(dataset, plan.features, cache=cache)
    recommender = build_recommender(
        registry, plan.baseline, prepared.vocabulary, plan.features, fusion=plan.fusion, seed=cell.seed
    )

    def on_step(report: StepReport) -> None:
        watcher.on_steps(cell.name, report.epoch, report.step, report.steps)

    def on_epoch(report: EpochReport) -> None:
        watcher.on_epoch(cell.name, report.epoch, report.loss, report.metrics)
        event = EpochFinished(cell.variant, cell.baseline, cell.seed, report.epoch, report.loss, report.metrics)
        registry.announce("genre_epoch_finished", event=event)

    result = train(recommender, prepared, plan.training, seed=cell.seed, on_step=on_step, on_epoch=on_epoch)
    return Trained(TrainedModel(recommender, prepared.vocabulary, plan.features, cell.seed, dataset.leaked), result)


def evaluate_model(
    model: TrainedModel, dataset: Dataset, splits: Sequence[str], *, cache: Path | None = None
) -> list[Evaluated]:
    """Evaluate a trained model on splits of a data set, which need not be the one it was trained on.

    Raises:
        UsageError: there is no such split.
    """
    prepared = prepare_features(dataset, model.settings, vocabulary=model.vocabulary, cache=cache)
    evaluated = []
    for split in splits:
        impressions = evaluate(model.recommender, prepared, split).impressions
        evaluated.append(Evaluated(split, summarize(impressions), impressions))
    return evaluated


def releases(registry: Registry, baseline: Baseline) -> tuple[str, ...]:
    """Who provides the parts of a baseline, with versions."""
    parts: tuple[tuple[Kind, str], ...] = (
        ("news-encoder", baseline.news_encoder),
        ("user-encoder", baseline.user_encoder),
        ("interaction", baseline.interaction),
    )
    return tuple(sorted({registry.release(kind, name) for kind, name in parts}))


def overridden(baseline: Baseline, override: BaselineOverride) -> Baseline:
    """A baseline with an experiment's changes."""
    return attrs.evolve(
        baseline,
        dim=baseline.dim if override.dim is None else override.dim,
        news_options={**baseline.news_options, **override.news_options},
        user_options={**baseline.user_options, **override.user_options},
        interaction_options={**baseline.interaction_options, **override.interaction_options},
    )


def overridden_training(training: TrainingSettings, override: BaselineOverride, where: str) -> TrainingSettings:
    """Training settings with an experiment's changes for one baseline.

    Raises:
        UsageError: an unknown option, or a wrong value.
    """
    if not override.training:
        return training
    return structure({**attrs.asdict(training), **override.training}, TrainingSettings, where)
