from collections.abc import Sequence

import attrs
import numpy as np
import polars as pl
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genre.dataset import Dataset
from genre.errors import UsageError
from genre.modeling.batches import GroupSampler, by_length, news_batch, reader_batch
from genre.modeling.features import Features, NewsFeatures, ReaderFeatures, prepare_features
from genre.modeling.ragged import Ragged
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
    with pytest.raises(UsageError, match="the split 'train' has no click with a negative") as caught:
        GroupSampler(features, TrainingSettings(), 0)
    assert caught.value.remedy == "train on a labelled split, or draw negatives with pool = 'split'"


def showing(dataset: Dataset, shown: Sequence[tuple[Sequence[int], Sequence[int] | None]]) -> Features:
    """Features of the data set with these impressions only: their candidates, and their labels or none."""
    impressions = dataset.impressions.head(len(shown)).with_columns(
        split=pl.lit("train"),
        candidates=pl.Series([list(candidates) for candidates, _ in shown], dtype=pl.List(pl.UInt32)),
        labels=pl.Series([labels if labels is None else list(labels) for _, labels in shown], dtype=pl.List(pl.UInt8)),
    )
    return prepare_features(attrs.evolve(dataset, impressions=impressions), FeatureSettings())


SHOWN = [([3, 1, 7], [1, 0, 1]), ([5, 5, 2], [1, 1, 1]), ([6, 4], None), ([7, 0, 3], [0, 0, 0]), ([9, 8], [0, 1])]


def test_groups_are_the_clicks_of_impressions_that_show_anything_else(dataset: Dataset) -> None:
    sampler = GroupSampler(showing(dataset, SHOWN), TrainingSettings(batch_size=2), 0)
    assert (sampler.impressions.tolist(), sampler.positives.tolist()) == ([0, 0, 4], [3, 7, 8])
    assert sampler.dropped == 3
    assert sampler.batches == 2


class InOrder:
    """In the place of a random generator: counts up from the lowest number, again and again."""

    def integers(self, low: int, high: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        assert high.shape == (size[0], 1)
        return low + np.arange(size[1]) % (high - low)


def test_the_split_pool_holds_all_that_was_shown_but_the_impression_s_clicks(dataset: Dataset) -> None:
    sampler = GroupSampler(showing(dataset, SHOWN), TrainingSettings(pool="split", negatives=13), 0)
    assert (sampler.impressions.tolist(), sampler.positives.tolist()) == ([0, 0, 1, 1, 1, 4], [3, 7, 5, 5, 2, 8])
    drawn, mask = sampler._from_split(np.array([0, 1, 4]), InOrder())  # type: ignore[arg-type]
    everything = sorted(news for candidates, _ in SHOWN for news in candidates)
    pools = [[news for news in everything if news not in clicks] for clicks in ([3, 7], [5, 2], [8])]
    assert [row.tolist() for row in drawn] == [(pool * 2)[:13] for pool in pools]
    assert mask.all()
    assert sampler._available()[[0, 1, 4]].tolist() == [len(pool) for pool in pools]


def test_a_click_is_dropped_where_the_split_shows_nothing_else(dataset: Dataset) -> None:
    settings = TrainingSettings(pool="split", negatives=1)
    sampler = GroupSampler(showing(dataset, [([3, 1, 3], [1, 1, 0]), ([1], [1])]), settings, 0)
    assert (sampler.impressions.tolist(), sampler.positives.tolist(), sampler.dropped) == ([1], [1], 2)
    assert sampler.draw(1, 0, np.array([0]))[1].tolist() == [[1, 3]]


def test_negatives_of_an_impression_are_drawn_once_each_and_all_of_them_in_the_end(features: Features) -> None:
    sampler = GroupSampler(features, TrainingSettings(negatives=2), 0)
    groups = np.zeros(200, np.int64)
    impressions, candidates, mask = sampler.draw(1, 0, groups)
    _, others = impressions_of(features)[int(impressions[0])]
    assert mask.all()
    assert mask.dtype == np.bool_
    assert set(candidates[:, 1:].ravel().tolist()) == others
    counts = np.unique(candidates[:, 1:] * 1_000 + candidates[:, 2:], return_counts=True)[1]
    assert counts.max() < 60  # of some twelve pairs, all alike


def test_an_epoch_may_begin_with_a_later_batch(features: Features) -> None:
    sampler = GroupSampler(features, TrainingSettings(batch_size=7), 3)
    whole = [candidates.tolist() for _, candidates, _ in sampler.draws(2)]
    assert [len(each) for each in whole] == [7] * 5 + [5]
    assert [candidates.tolist() for _, candidates, _ in sampler.draws(2, first=4)] == whole[4:]
    assert len(list(sampler.epoch(2, first=4))) == 2


def test_the_order_of_an_epoch_repeats_for_the_same_seed_and_only_for_it(features: Features) -> None:
    def order(seed: int) -> list[int]:
        drawn = GroupSampler(features, TrainingSettings(batch_size=7), seed).draws(1)
        return [int(positive) for _, candidates, _ in drawn for positive in candidates[:, 0]]

    assert order(1) == order(1)
    assert order(1) != order(2)


@pytest.mark.parametrize("portions", [1, 3])
def test_a_batch_says_what_was_drawn(dataset: Dataset, portions: int) -> None:
    features = showing(dataset, [*SHOWN, ([11, 12, 13, 14, 15], [0, 0, 1, 0, 0])])
    sampler = GroupSampler(features, TrainingSettings(negatives=6), 0, portions=portions)
    impressions, candidates, mask = drawn = next(sampler.draws(1))
    batch = sampler.collate(*drawn)
    assert len(batch.news) == portions
    titles = [row[keep].tolist() for part in batch.news for row, keep in zip(*tokens_of(part), strict=True)]
    said = features.news.texts["title"]

    def title(news: int) -> list[int]:
        return said.values[said.offsets[news] : said.offsets[news + 1]].tolist()

    readers = features.readers
    for group, impression in enumerate(impressions):
        reader = sampler.readers[impression]
        wanted = [title(news) for news in candidates[group][mask[group]]]
        assert [titles[row] for row in batch.candidates[group][batch.mask[group]]] == wanted
        history = readers.history.values[readers.history.offsets[reader] : readers.history.offsets[reader + 1]]
        read = batch.readers.history[group][batch.readers.history_mask[group]]
        assert [titles[row] for row in read] == [title(news) for news in history]
        assert batch.readers.user[group] == readers.user[reader]
    assert not mask.all()
    assert torch.equal(batch.mask, torch.from_numpy(mask))
    assert not batch.candidates[~batch.mask].any()
    assert not batch.readers.history[~batch.readers.history_mask].any()
    assert batch.labels.tolist() == [[1.0, 0.0, 0.0, 0.0, 0.0]] * 4
    assert (batch.candidates.dtype, batch.readers.history.dtype) == (torch.int64, torch.int64)
    assert (batch.labels.dtype, batch.mask.dtype) == (torch.float32, torch.bool)


def tokens_of(part: object) -> tuple[np.ndarray, np.ndarray]:
    assert isinstance(part, dict)
    return part["title"].values.numpy(), part["title"].mask.numpy()


def test_portions_hold_news_of_like_length_and_there_are_no_more_than_news(dataset: Dataset) -> None:
    features = showing(dataset, SHOWN)
    sampler = GroupSampler(features, TrainingSettings(), 0, portions=99)
    batch = next(sampler.epoch(1))
    texts = features.news.texts.values()
    lengths = [sum(int(part[name].mask.sum()) for name in features.news.texts) for part in batch.news]
    assert lengths == sorted(lengths)
    assert all(len(part["title"].values) == 1 for part in batch.news)
    assert sum(lengths) <= sum(len(tokens.values) for tokens in texts)
    assert len(GroupSampler(features, TrainingSettings(), 0).collate(*next(sampler.draws(1))).news) == 1


def ragged(*rows: Sequence[int]) -> Ragged:
    return Ragged.from_lengths(np.array([each for row in rows for each in row]), np.array([len(row) for row in rows]))


NEWS = NewsFeatures(
    texts={"title": ragged([4, 5, 6], [], [7]), "abstract": ragged([1], [2, 3], [])},
    categories={"category": np.array([2, 0, 1], np.int32)},
    entities={"people": ragged([], [8], [9, 10])},
    vectors={"cover": (np.arange(6, dtype=np.float32).reshape(3, 2), np.array([True, False, True]))},
    states={"title": np.array([[1, 2], [3, 4], [5, 6], [7, 8]], np.float16)},
)


def test_a_batch_of_news_holds_every_field_padded_to_the_longest() -> None:
    fields = news_batch(NEWS, np.array([2, 0]))
    assert list(fields) == ["title", "abstract", "people", "category", "cover"]
    assert fields["title"].values.tolist() == [[7, 0, 0], [4, 5, 6]]
    assert fields["title"].mask.tolist() == [[True, False, False], [True] * 3]
    assert fields["abstract"].values.tolist() == [[0], [1]]
    assert fields["abstract"].mask.tolist() == [[False], [True]]
    assert fields["people"].values.tolist() == [[9, 10], [0, 0]]
    assert fields["people"].mask.tolist() == [[True, True], [False, False]]
    assert news_batch(NEWS, np.array([1, 2]))["category"].values.tolist() == [[0], [1]]
    assert news_batch(NEWS, np.array([1, 2]))["category"].mask.tolist() == [[False], [True]]
    assert fields["cover"].values.tolist() == [[4, 5], [0, 1]]
    assert news_batch(NEWS, np.array([1, 2]))["cover"].mask.tolist() == [[False], [True]]


def test_states_of_tokens_are_where_the_tokens_are() -> None:
    fields = news_batch(NEWS, np.array([2, 0]))
    states = fields["title"].states
    assert states is not None
    assert states.tolist() == [[[7, 8], [0, 0], [0, 0]], [[1, 2], [3, 4], [5, 6]]]
    assert states.dtype == torch.float32
    assert all(fields[name].states is None for name in ("abstract", "people", "category", "cover"))


def test_news_are_ordered_by_the_length_of_all_their_texts_and_equal_ones_as_they_come() -> None:
    assert by_length(NEWS, np.array([0, 1, 2])).tolist() == [2, 1, 0]
    assert by_length(NEWS, np.array([1, 0, 2, 1])).tolist() == [2, 0, 3, 1]
    many = np.tile([1, 2], 100)
    assert by_length(NEWS, many).tolist() == [*range(1, 200, 2), *range(0, 200, 2)]


def test_a_batch_of_readers_holds_users_and_interests_as_indices() -> None:
    readers = ReaderFeatures(
        history=ragged([1], [2], [3]),
        user=np.array([5, 6, 7], np.int32),
        interests={"topics": ragged([1, 2], [], [3]), "regions": ragged([], [4], [])},
    )
    history, mask = np.array([[1, 0], [2, 3]]), np.array([[True, False], [True, True]])
    batch = reader_batch(readers, np.array([2, 0]), history, mask)
    assert batch.user.tolist() == [7, 5]
    assert {kind: ids.tolist() for kind, ids in batch.interests.items()} == {
        "topics": [[3, 0], [1, 2]],
        "regions": [[0], [0]],
    }
    assert (batch.history.tolist(), batch.history_mask.tolist()) == (history.tolist(), mask.tolist())
    assert {batch.user.dtype, *(ids.dtype for ids in batch.interests.values())} == {torch.int64}
