import attrs
import numpy as np
import polars as pl
import pytest
import torch
from modeling.toy_parts import TOY, with_toys

from genre.dataset import Dataset
from genre.errors import UsageError
from genre.modeling.batches import GroupSampler
from genre.modeling.composition import build_recommender
from genre.modeling.evaluation import evaluate, summarize
from genre.modeling.features import Features, prepare_features
from genre.modeling.recommender import Recommender
from genre.modeling.scoring import score_split
from genre.modeling.settings import EvaluationSettings, FeatureSettings, TrainingSettings
from genre.parts import Baseline
from genre.registry import Registry

SMALL = EvaluationSettings(news_per_chunk=3, readers_per_chunk=2, pairs_per_chunk=7)


@pytest.fixture(params=["nrms", "dcn", TOY], ids=["nrms", "dcn", "candidate-aware"])
def model(request: pytest.FixtureRequest, registry: Registry, features: Features) -> Recommender:
    baseline: Baseline | str = request.param
    return build_recommender(with_toys(registry), baseline, features.vocabulary, features.settings, fusion=True, dim=16)


def test_scores_do_not_depend_on_the_chunks(model: Recommender, features: Features) -> None:
    split = features.split("dev")
    np.testing.assert_allclose(
        score_split(model, features, split, SMALL), score_split(model, features, split), atol=1e-5
    )


def test_scores_equal_the_direct_forward(model: Recommender, features: Features) -> None:
    model.eval()
    split = features.split("dev")
    scores = score_split(model, features, split)
    sampler = GroupSampler(features, TrainingSettings(train_split="dev"), 0)
    candidates, mask = split.candidates.padded()
    with torch.inference_mode():
        batch = sampler.collate(np.arange(len(candidates)), candidates.astype(np.int64), mask)
        direct = model(batch)[batch.mask].numpy()
    np.testing.assert_allclose(scores, direct, atol=1e-5)


def test_evaluation_describes_each_impression_and_leaves_the_mode_alone(model: Recommender, features: Features) -> None:
    model.train()
    result = evaluate(model, features, "dev")
    assert model.training
    expected = features.dataset.impressions.filter(pl.col("split") == "dev")
    assert result.impressions.columns == [
        "impression", "reader", "is_new", "candidates", "auc", "mrr", "ndcg@5", "ndcg@10",
    ]  # fmt: skip
    assert result.impressions["impression"].to_list() == expected["id"].to_list()
    assert result.impressions["candidates"].sum() == len(result.scores) == result.offsets[-1]


def test_an_unlabelled_split_has_scores_and_no_metrics(model: Recommender, dataset: Dataset) -> None:
    hidden = dataset.impressions.with_columns(labels=pl.when(pl.col("split") == "train").then(pl.col("labels")))
    features = prepare_features(attrs.evolve(dataset, impressions=hidden), FeatureSettings())
    result = evaluate(model, features, "dev")
    assert np.isfinite(result.scores).all()
    assert summarize(result.impressions)[0] == {
        "segment": "all", "auc": None, "mrr": None, "ndcg@5": None, "ndcg@10": None, "impressions": 0,
    }  # fmt: skip


def test_segments_split_the_impressions_that_can_be_evaluated() -> None:
    table = pl.DataFrame(
        {
            "is_new": [True, True, False, False],
            "auc": [1.0, None, 0.5, 0.0],
            "mrr": [1.0, None, 0.5, 0.25],
            "ndcg@5": [1.0, None, 0.5, 0.0],
            "ndcg@10": [1.0, None, 0.5, 0.0],
        }
    )
    rows = {row["segment"]: row for row in summarize(table)}
    assert [rows[name]["impressions"] for name in ("all", "new", "warm")] == [3, 1, 2]
    assert [rows[name]["auc"] for name in ("all", "new", "warm")] == [0.5, 1.0, 0.25]
    assert rows["warm"]["mrr"] == 0.375


def test_a_split_that_does_not_exist_is_an_error(model: Recommender, features: Features) -> None:
    with pytest.raises(UsageError, match="no split 'test'"):
        evaluate(model, features, "test")
