import attrs
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genre.dataset import Dataset
from genre.errors import UsageError
from genre.modeling.batches import GroupSampler
from genre.modeling.features import Features, prepare_features
from genre.modeling.settings import FeatureSettings, TrainingSettings
from genre.testing.planted import planted_dataset

POOLS = ["impression", "split"]


def impressions_of(features: Features) -> dict[int, tuple[set[int], set[int]]]:
    """Clicked and other candidates of each train impression."""
    split = features.split("train")
    result = {}
    for row in range(len(split.candidates)):
        part = slice(split.candidates.offsets[row], split.candidates.offsets[row + 1])
        shown, clicked = split.candidates.values[part], split.labels[part] == 1
        result[row] = (set(shown[clicked].tolist()), set(shown[~clicked].tolist()))
    return result


@given(seed=st.integers(0, 99), negatives=st.integers(1, 8), pool=st.sampled_from(POOLS), users=st.integers(1, 30))
@settings(max_examples=30)
def test_negatives_come_from_the_pool_and_are_never_clicks_of_the_impression(
    seed: int, negatives: int, pool, users: int
) -> None:
    features = prepare_features(planted_dataset(users=users, seed=seed), FeatureSettings())
    sampler = GroupSampler(features, TrainingSettings(negatives=negatives, pool=pool), seed)
    known = impressions_of(features)
    everything = set(features.split("train").candidates.values.tolist())
    groups = np.arange(len(sampler.positives))
    impressions, candidates, mask = sampler.draw(1, 0, groups)
    for impression, row, keep in zip(impressions, candidates, mask, strict=True):
        clicks, others = known[impression]
        drawn = row[1:][keep[1:]].tolist()
        assert keep[0]
        assert row[0] in clicks
        assert not set(drawn) & clicks
        if pool == "impression":
            assert set(drawn) <= others
            assert len(drawn) == min(negatives, 4)
        else:
            assert set(drawn) <= everything
            assert len(drawn) == negatives


def test_the_split_pool_draws_every_candidate_as_often_as_it_was_shown() -> None:
    features = prepare_features(planted_dataset(users=8, news=40), FeatureSettings())
    sampler = GroupSampler(features, TrainingSettings(negatives=20_000, pool="split"), 0)
    impressions, candidates, _ = sampler.draw(1, 0, np.array([0]))
    clicks, _ = impressions_of(features)[int(impressions[0])]
    allowed = sampler.shown[~np.isin(sampler.shown, list(clicks))]
    expected = np.bincount(allowed, minlength=40) / len(allowed)
    got = np.bincount(candidates[0, 1:], minlength=40) / 20_000
    assert np.abs(got - expected).max() < 0.02


@pytest.mark.parametrize("pool", POOLS)
def test_draws_repeat_for_the_same_seed_epoch_and_batch_and_only_for_them(features: Features, pool) -> None:
    def draw(seed: int, epoch: int, batch: int) -> list:
        groups = np.arange(20)
        return GroupSampler(features, TrainingSettings(pool=pool), seed).draw(epoch, batch, groups)[1].tolist()

    assert draw(1, 2, 3) == draw(1, 2, 3)
    assert len({str(draw(*words)) for words in [(1, 2, 3), (2, 2, 3), (1, 3, 3), (1, 2, 4)]}) == 4


def test_an_epoch_goes_once_over_every_click_in_another_order(
    features: Features, monkeypatch: pytest.MonkeyPatch
) -> None:
    sampler = GroupSampler(features, TrainingSettings(batch_size=7), 0)
    draw = sampler.draw
    orders = []
    for epoch in (1, 2):
        drawn: list[int] = []

        def record(epoch: int, batch: int, groups, drawn=drawn):
            drawn.extend(groups.tolist())
            return draw(epoch, batch, groups)

        monkeypatch.setattr(sampler, "draw", record)
        assert len(list(sampler.epoch(epoch))) == sampler.batches
        orders.append(drawn)
    assert all(sorted(order) == list(range(len(sampler.positives))) for order in orders)
    assert orders[0] != orders[1]


def test_a_batch_holds_each_distinct_news_once_and_points_to_it(features: Features) -> None:
    sampler = GroupSampler(features, TrainingSettings(batch_size=16), 0)
    batch = next(iter(sampler.epoch(1)))
    used = np.union1d(batch.candidates[batch.mask].numpy(), batch.readers.history[batch.readers.history_mask].numpy())
    assert used.tolist() == list(range(sum(len(portion["title"].values) for portion in batch.news)))
    assert batch.labels.sum(1).tolist() == [1.0] * len(batch.labels)


def test_generated_news_are_in_histories_and_never_sampled(dataset: Dataset) -> None:
    rows = pl.DataFrame(
        {
            "reader": [reader for reader in range(40) for _ in range(2)],
            "id": [f"G{number}" for number in range(80)],
            "version": "generator",
            "model": "test",
            "category": "sports",
            "title": "goal",
        }
    )
    grown = dataset.with_generated_news(rows)
    # Even when a (wrong) data set shows them as candidates.
    wrong = grown.impressions.with_columns(
        candidates=pl.concat_list("candidates", pl.lit(dataset.news.height, pl.UInt32)),
        labels=pl.concat_list("labels", pl.lit(0, pl.UInt8)),
    )
    features = prepare_features(attrs.evolve(grown, impressions=wrong), FeatureSettings())
    for pool in POOLS:
        sampler = GroupSampler(features, TrainingSettings(pool=pool, negatives=9), 0)
        _, candidates, mask = sampler.draw(1, 0, np.arange(len(sampler.positives)))
        assert not features.generated[candidates[mask]].any()
        assert candidates[mask].max() < dataset.news.height
    assert features.generated[features.readers.history.values].any()


def test_a_click_without_a_negative_is_dropped_and_counted(dataset: Dataset) -> None:
    labels = dataset.impressions["labels"].to_list()
    labels[0] = [1] * len(labels[0])
    assert dataset.impressions["split"][0] == "train"
    impressions = dataset.impressions.with_columns(labels=pl.Series(labels, dtype=pl.List(pl.UInt8)))
    features = prepare_features(attrs.evolve(dataset, impressions=impressions), FeatureSettings())
    sampler = GroupSampler(features, TrainingSettings(), 0)
    assert sampler.dropped == 5
    assert GroupSampler(features, TrainingSettings(pool="split"), 0).dropped == 0


def test_a_split_without_labels_cannot_be_trained_on(dataset: Dataset) -> None:
    impressions = dataset.impressions.with_columns(labels=pl.lit(None, pl.List(pl.UInt8)))
    features = prepare_features(attrs.evolve(dataset, impressions=impressions), FeatureSettings())
    with pytest.raises(UsageError, match="no click with a negative"):
        GroupSampler(features, TrainingSettings(), 0)
