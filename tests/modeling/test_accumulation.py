"""Batches in parts, and products in bfloat16: the model learned is the same, or nearly so."""

from pathlib import Path

import attrs
import pytest
from modeling.trained_together import Wanted, alone

from genre.dataset import Dataset, save_dataset
from genre.modeling.composition import build_recommender
from genre.modeling.evaluation import evaluate, summarize
from genre.modeling.features import prepare_features
from genre.modeling.settings import FeatureSettings, TrainingSettings
from genre.modeling.training import train
from genre.registry import Registry
from genre.testing.planted import planted_dataset


@pytest.mark.parametrize("baseline", ["nrms", "lstur", "dcn"])
@pytest.mark.parametrize("parts", [2, 9])
def test_a_batch_in_parts_has_the_losses_and_figures_of_the_whole(
    dataset: Dataset, tmp_path: Path, baseline: str, parts: int
) -> None:
    """Parts of unlike size, and, of nine, some without any group."""
    save_dataset(dataset, tmp_path)
    settings = TrainingSettings(epochs=2, batch_size=7)
    whole = alone(Wanted(data=tmp_path, baseline=baseline, training=settings))
    made = alone(Wanted(data=tmp_path, baseline=baseline, training=attrs.evolve(settings, accumulate=parts)))
    assert made.losses == pytest.approx(whole.losses, abs=1e-5)
    assert made.metrics == whole.metrics


@pytest.mark.parametrize("name", ["naml", "nrms", "dcn", "din"])
def test_a_model_trained_in_bfloat16_is_as_good(registry: Registry, name: str) -> None:
    features = prepare_features(
        planted_dataset(users=300), FeatureSettings(texts={"title": 6}, categories=(), history_length=6)
    )

    def auc(settings: TrainingSettings) -> float:
        model = build_recommender(registry, name, features.vocabulary, features.settings, fusion=False, dim=16)
        train(model, features, settings, seed=0)
        value = summarize(evaluate(model, features, "dev").impressions)[0]["auc"]
        assert isinstance(value, float)
        return value

    settings = TrainingSettings(epochs=6, batch_size=32, learning_rate=5e-3)
    fp32 = auc(settings)
    assert fp32 > 0.75
    assert auc(attrs.evolve(settings, precision="bf16")) == pytest.approx(fp32, abs=0.003)
