"""A compiled recommender trains as it does otherwise."""

import pytest
import torch
from modeling.trained_together import without_dropout
from torch._dynamo.utils import counters

from genre.modeling.composition import build_recommender
from genre.modeling.features import Features
from genre.modeling.settings import TrainingSettings
from genre.modeling.training import train
from genre.registry import Registry


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # the compiler warns of what it does itself
@pytest.mark.parametrize("baseline", ["naml", "lstur", "nrms", "bst", "dcn", "pnn", "din"])
def test_losses_of_a_compiled_baseline_are_those_of_the_same_baseline(
    registry: Registry, features: Features, baseline: str
) -> None:
    def losses(*, compiled: bool) -> list[float]:
        recommender = build_recommender(registry, baseline, features.vocabulary, features.settings, fusion=False)
        without_dropout(recommender)
        torch.compiler.reset()
        counters.clear()
        told: list[float] = []
        settings = TrainingSettings(epochs=3, stop_split=None, compile=compiled)
        train(recommender, features, settings, seed=0, on_step=lambda step: told.append(step.loss))
        assert not any("forward" in vars(module) for module in recommender.modules())
        assert bool(counters["stats"]["unique_graphs"]) is compiled
        return told

    torch.testing.assert_close(losses(compiled=True), losses(compiled=False), atol=1e-4, rtol=1e-4)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_dropout_is_compiled_too(registry: Registry, features: Features) -> None:
    recommender = build_recommender(registry, "naml", features.vocabulary, features.settings, fusion=False)
    torch.compiler.reset()
    counters.clear()
    train(recommender, features, TrainingSettings(epochs=1, stop_split=None, compile=True), seed=0)
    assert not [reason for reason in counters["graph_break"] if "random_" in reason]
    assert counters["stats"]["unique_graphs"]
