import math

import attrs
import polars as pl
import pytest
import torch

from genre.dataset import Dataset
from genre.errors import RunError, UsageError
from genre.modeling.composition import build_recommender
from genre.modeling.evaluation import evaluate, summarize
from genre.modeling.features import Features, prepare_features
from genre.modeling.recommender import Recommender
from genre.modeling.settings import FeatureSettings, TrainingSettings
from genre.modeling.training import EpochReport, StepReport, train
from genre.modeling.untrained import evaluate_untrained
from genre.registry import Registry
from genre.testing.planted import planted_dataset

BASELINES = ["nrms", "dcn"]


@pytest.fixture(scope="module")
def planted() -> Features:
    """Titles alone: a category would give the preferences away."""
    settings = FeatureSettings(texts={"title": 6}, categories=(), history_length=6)
    return prepare_features(planted_dataset(users=300), settings)


def build(registry: Registry, features: Features, name: str) -> Recommender:
    return build_recommender(registry, name, features.vocabulary, features.settings, fusion=False, dim=16)


def auc_of(model: Recommender, features: Features, split: str) -> float:
    value = summarize(evaluate(model, features, split).impressions)[0]["auc"]
    assert isinstance(value, float)
    return value


class LearnedError(Exception):
    """A figure is good enough: no need to train on."""


@pytest.mark.parametrize("name", ["naml", "lstur", "nrms", "plmnr", "bst", "dcn", "pnn", "din"])
def test_each_baseline_learns_planted_preferences(registry: Registry, planted: Features, name: str) -> None:
    model = build(registry, planted, name)

    def stop(report: EpochReport) -> None:
        if report.metrics["auc"] > 0.75:
            raise LearnedError

    settings = TrainingSettings(epochs=20, batch_size=32, learning_rate=5e-3, patience=20)
    with pytest.raises(LearnedError):
        train(model, planted, settings, seed=0, on_epoch=stop)
    assert auc_of(model, planted, "dev") > 0.75


def test_popularity_does_not_explain_planted_preferences(planted: Features) -> None:
    impressions = evaluate_untrained("popularity", planted.dataset, planted.settings, ["dev"])["dev"].impressions
    auc = summarize(impressions)[0]["auc"]
    assert isinstance(auc, float)
    assert auc <= 0.6


@pytest.mark.parametrize("name", BASELINES)
def test_the_same_seed_gives_the_same_model_and_another_seed_another(
    registry: Registry, features: Features, name: str
) -> None:
    states = []
    for seed in (1, 1, 2):
        model = build(registry, features, name)
        train(model, features, TrainingSettings(epochs=2), seed=seed)
        states.append(model.state_dict())
    assert all(torch.equal(states[0][key], states[1][key]) for key in states[0])
    assert any(not torch.equal(states[0][key], states[2][key]) for key in states[0])


@pytest.mark.parametrize("name", BASELINES)
def test_every_weight_learns(registry: Registry, dataset: Dataset, name: str) -> None:
    """Fusion included: readers with topics, and readers without."""
    features = prepare_features(dataset, FeatureSettings())
    model = build_recommender(registry, name, features.vocabulary, features.settings, fusion=True, dim=16)
    before = {key: value.clone() for key, value in model.named_parameters()}
    train(model, features, TrainingSettings(epochs=1, stop_split=None), seed=0)
    same = {key for key, value in model.named_parameters() if torch.equal(value, before[key])}
    assert same == {"fusion.embeddings.regions.weight"}  # nobody has regions: id 0 is all there is


def test_training_stops_early_and_keeps_the_best_state(registry: Registry, features: Features) -> None:
    model = build(registry, features, "nrms")
    seen: list[EpochReport] = []
    settings = TrainingSettings(epochs=40, learning_rate=0.02, patience=2)
    result = train(model, features, settings, seed=0, on_epoch=seen.append)
    assert tuple(seen) == result.epochs
    best = max(seen, key=lambda report: report.metrics["auc"])
    assert result.best_epoch == best.epoch
    assert len(seen) == min(best.epoch + 2, 40)
    assert auc_of(model, features, "dev") == best.metrics["auc"]


def test_without_a_stopping_split_all_epochs_are_trained_and_the_last_is_kept(
    registry: Registry, features: Features
) -> None:
    result = train(
        build(registry, features, "nrms"), features, TrainingSettings(epochs=4, stop_split=None, patience=1), seed=0
    )
    assert result.best_epoch == len(result.epochs) == 4
    assert result.epochs[0].metrics == {}


def test_every_step_is_told_of(registry: Registry, features: Features) -> None:
    steps: list[StepReport] = []
    settings = TrainingSettings(epochs=2, batch_size=16, stop_split=None)
    result = train(build(registry, features, "dcn"), features, settings, seed=0, on_step=steps.append)
    per_epoch = math.ceil(result.groups / 16)
    assert [(step.epoch, step.step) for step in steps] == [(e, s) for e in (1, 2) for s in range(1, per_epoch + 1)]


def test_an_interrupt_ends_the_training(registry: Registry, features: Features) -> None:
    def stop(report: StepReport) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(build(registry, features, "nrms"), features, TrainingSettings(), seed=0, on_step=stop)


def test_a_missing_stopping_split_is_an_error_before_the_first_step(registry: Registry, features: Features) -> None:
    steps: list[StepReport] = []
    with pytest.raises(UsageError, match="no split 'valid'"):
        train(
            build(registry, features, "nrms"),
            features,
            TrainingSettings(stop_split="valid"),
            seed=0,
            on_step=steps.append,
        )
    assert not steps


def test_a_stopping_split_without_labels_is_an_error(registry: Registry, dataset: Dataset) -> None:
    hidden = dataset.impressions.with_columns(labels=pl.when(pl.col("split") == "train").then(pl.col("labels")))
    features = prepare_features(attrs.evolve(dataset, impressions=hidden), FeatureSettings())
    with pytest.raises(RunError, match="no impression of the split 'dev' can be evaluated"):
        train(build(registry, features, "nrms"), features, TrainingSettings(epochs=1), seed=0)


def test_a_training_that_diverges_says_so(registry: Registry, features: Features) -> None:
    model = build(registry, features, "nrms")
    with torch.no_grad():
        next(model.parameters()).fill_(math.nan)
    with pytest.raises(RunError, match="the loss is nan in epoch 1"):
        train(model, features, TrainingSettings(epochs=1), seed=0)
