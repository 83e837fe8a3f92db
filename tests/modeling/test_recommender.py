import attrs
import numpy as np
import pytest
import torch

from genre.dataset import Dataset
from genre.errors import UsageError
from genre.modeling.batches import GroupSampler
from genre.modeling.composition import build_recommender
from genre.modeling.evaluation import evaluate
from genre.modeling.features import Features, prepare_features
from genre.modeling.recommender import Recommender
from genre.modeling.scoring import score_split
from genre.modeling.settings import FeatureSettings, TrainingSettings
from genre.parts import Baseline
from genre.registry import Registry
from genre.testing.planted import planted_dataset, with_topics

BASELINES = ["naml", "lstur", "nrms", "plmnr", "bst", "dcn", "pnn", "din"]


def build(registry: Registry, features: Features, name: str, *, fusion: bool = True, seed: int = 0) -> Recommender:
    return build_recommender(
        registry, name, features.vocabulary, features.settings, fusion=fusion, dim=16, seed=seed
    ).eval()


@pytest.mark.parametrize("name", BASELINES)
def test_changing_one_readers_topics_changes_that_readers_scores_and_nobody_elses(
    registry: Registry, dataset: Dataset, features: Features, name: str
) -> None:
    model = build(registry, features, name)
    changed = prepare_features(
        with_topics(dataset, {0: ["money"]}, version="again"), FeatureSettings(), vocabulary=features.vocabulary
    )
    split = features.split("dev")
    before, after = (score_split(model, made, split) for made in (features, changed))
    of_reader = split.readers[split.candidates.rows] == 0
    assert of_reader.any()
    assert (before[of_reader] != after[of_reader]).all()
    assert (before[~of_reader] == after[~of_reader]).all()


@pytest.mark.parametrize("name", BASELINES)
def test_without_fusion_topics_change_nothing(
    registry: Registry, dataset: Dataset, features: Features, name: str
) -> None:
    model = build(registry, features, name, fusion=False)
    changed = prepare_features(
        with_topics(dataset, {0: ["money"]}, version="again"), FeatureSettings(), vocabulary=features.vocabulary
    )
    split = features.split("dev")
    assert (score_split(model, features, split) == score_split(model, changed, split)).all()


@pytest.mark.parametrize("name", BASELINES)
def test_the_make_up_of_a_batch_changes_no_score(registry: Registry, features: Features, name: str) -> None:
    """Other rows bring longer texts, longer histories, other news and more candidates."""
    model = build(registry, features, name)
    sampler = GroupSampler(features, TrainingSettings(), 0)
    impressions, candidates, mask = sampler.draw(1, 0, np.arange(12))
    with torch.inference_mode():
        together = model(sampler.collate(impressions, candidates, mask))
        for row in range(12):
            one = slice(row, row + 1)
            alone = model(sampler.collate(impressions[one], candidates[one, :3], mask[one, :3]))
            torch.testing.assert_close(alone[0], together[row, :3], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("name", BASELINES)
def test_empty_histories_and_texts_without_known_words_give_finite_scores(registry: Registry, name: str) -> None:
    dataset = planted_dataset(users=12)
    odd = attrs.evolve(
        dataset,
        texts=dataset.texts.filter(~dataset.texts["news"].is_in([0, 1, 2])),
        readers=dataset.readers.with_columns(history=dataset.readers["history"].list.head(0)),
    )
    features = prepare_features(odd, FeatureSettings())
    scores = evaluate(build(registry, features, name), features, "dev").scores
    assert np.isfinite(scores).all()


@pytest.mark.parametrize("name", BASELINES)
def test_the_same_seed_gives_the_same_weights_and_leaves_the_global_state_alone(
    registry: Registry, features: Features, name: str
) -> None:
    state = torch.random.get_rng_state()
    first, second, other = (build(registry, features, name, seed=seed).state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(first[key], second[key]) for key in first)
    assert any(not torch.equal(first[key], other[key]) for key in first)
    assert torch.equal(state, torch.random.get_rng_state())


def test_a_field_of_a_kind_that_its_encoder_does_not_read_is_an_error(registry: Registry, features: Features) -> None:
    record = attrs.evolve(registry.baseline("nrms"), field_encoders={"text": "cnn", "category": "cnn"})
    with pytest.raises(UsageError, match=r"'cnn' reads text, and 'category' is of the kind 'category'"):
        build_recommender(registry, record, features.vocabulary, features.settings, fusion=False)


def test_a_field_that_nothing_reads_is_an_error_that_names_the_encoders(registry: Registry, features: Features) -> None:
    record = attrs.evolve(registry.baseline("nrms"), field_encoders={"text": "cnn"})
    with pytest.raises(UsageError, match=r"no encoder for the field 'category'[\s\S]*embedding"):
        build_recommender(registry, record, features.vocabulary, features.settings, fusion=False)


def test_options_for_an_encoder_that_reads_nothing_are_an_error(registry: Registry, features: Features) -> None:
    record = attrs.evolve(registry.baseline("nrms"), field_options={"self-atention": {"heads": 4}})
    with pytest.raises(UsageError, match=r"'self-atention', which reads no field[\s\S]*'self-attention'"):
        build_recommender(registry, record, features.vocabulary, features.settings, fusion=False)


def test_tokens_of_another_tokenizer_are_an_error(registry: Registry, features: Features) -> None:
    settings = attrs.evolve(features.settings, tokenizers={"title": "pieces"})
    tokenizers = features.vocabulary.tokenizers
    other = attrs.evolve(features.vocabulary, tokenizers={**tokenizers, "pieces": tokenizers["words"]})
    with pytest.raises(UsageError, match=r"reads tokens of 'words'.*'pieces'"):
        build_recommender(registry, "nrms", other, settings, fusion=False)


def test_a_wrong_option_of_a_part_names_the_baseline_and_the_nearest_option(
    registry: Registry, features: Features
) -> None:
    record = attrs.evolve(registry.baseline("nrms"), user_options={"head": 2})
    with pytest.raises(UsageError, match=r"baseline nrms, user_options.*'head'[\s\S]*'heads'"):
        build_recommender(registry, record, features.vocabulary, features.settings, fusion=False)


@pytest.mark.parametrize("text", ["embedding", "cnn", "self-attention"])
@pytest.mark.parametrize("user", ["pooling", "naml", "lstur", "nrms", "bst", "din"])
@pytest.mark.parametrize("interaction", ["dot", "deep", "dcn", "pnn"])
@pytest.mark.parametrize("news", ["attention", "concatenation", "mean"])
def test_every_cross_product_of_parts_scores(
    registry: Registry, features: Features, text: str, user: str, interaction: str, news: str
) -> None:
    record = Baseline(
        name="cross",
        summary="A cross product",
        field_encoders={"text": text, "category": "embedding"},
        news_encoder=news,
        user_encoder=user,
        interaction=interaction,
        loss="binary",
        dim=16,
        interaction_options={} if interaction == "dot" else {"widths": [8]},
    )
    model = build_recommender(registry, record, features.vocabulary, features.settings, fusion=True)
    scores = score_split(model, features, features.split("dev"))
    assert np.isfinite(scores).all()
    assert len(np.unique(scores)) > 1


def test_a_model_without_any_field_is_an_error(registry: Registry, features: Features) -> None:
    settings = FeatureSettings(texts={}, categories=())
    with pytest.raises(UsageError, match="no field"):
        build_recommender(registry, "nrms", features.vocabulary, settings, fusion=False)
