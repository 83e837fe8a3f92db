"""Figures beyond accuracy against loops over lists and pairs."""

import math
from itertools import combinations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genre.experiments.statistics import lists as module
from genre.experiments.statistics.lists import (
    SharedCandidates,
    catalogue_coverage,
    category_coverage,
    category_distance,
    distinct_categories,
    exposure_gini,
    inter_list_distance,
    novelty,
    ranked,
    text_distance,
    top_lists,
)
from genre.modeling.ragged import Ragged
from genre.modeling.tf_idf import TfIdf

NEWS = 12
K = 3


@st.composite
def impressions(draw: st.DrawFn) -> tuple[list[list[int]], list[list[float]], list[int]]:
    """Candidates, scores (some of them equal) and users of some impressions; one has more than K candidates."""
    pools = draw(
        st.lists(st.lists(st.integers(0, NEWS - 1), unique=True, min_size=1, max_size=8), min_size=1, max_size=8)
    )
    pools.append(draw(st.lists(st.integers(0, NEWS - 1), unique=True, min_size=K + 1, max_size=8)))
    scores = [[draw(st.integers(0, 4)) / 4 for _ in pool] for pool in pools]
    return pools, scores, [draw(st.integers(0, 2)) for _ in pools]


def ragged(lists: list[list[int]]) -> Ragged:
    return Ragged.from_series(pl.Series(lists, dtype=pl.List(pl.Int32)))


def flat(scores: list[list[float]]) -> np.ndarray:
    return np.array([score for each in scores for score in each], np.float32)


TIES = np.random.default_rng(0).permutation(NEWS)


def naive_lists(pools: list[list[int]], scores: list[list[float]], k: int = K) -> list[list[int]]:
    best = [
        sorted(zip(pool, each, strict=True), key=lambda pair: (-pair[1], TIES[pair[0]]))
        for pool, each in zip(pools, scores, strict=True)
        if len(pool) > k
    ]
    return [[news for news, _ in each[:k]] for each in best]


def lists_of(pools: list[list[int]], scores: list[list[float]]) -> np.ndarray:
    return top_lists(ranked(flat(scores), ragged(pools), TIES), K)


@given(impressions())
def test_lists_are_the_best_of_impressions_with_more_candidates(
    shown: tuple[list[list[int]], list[list[float]], list[int]],
) -> None:
    pools, scores, _ = shown
    assert lists_of(pools, scores).tolist() == naive_lists(pools, scores)


@given(impressions())
def test_category_figures_equal_loops(shown: tuple[list[list[int]], list[list[float]], list[int]]) -> None:
    pools, scores, _ = shown
    categories = np.arange(NEWS) % 4
    lists = lists_of(pools, scores)
    large = [pool for pool in pools if len(pool) > K]
    distances = [np.mean([categories[a] != categories[b] for a, b in combinations(each, 2)]) for each in lists]
    np.testing.assert_allclose(category_distance(lists, categories), distances)
    possible = distinct_categories(ragged(pools), categories)
    assert possible.tolist() == [len({categories[news] for news in pool}) for pool in pools]
    coverages = [
        len({categories[news] for news in each}) / min(K, len({categories[news] for news in pool}))
        for each, pool in zip(lists, large, strict=True)
    ]
    got = category_coverage(lists, categories, possible[[len(pool) > K for pool in pools]])
    np.testing.assert_allclose(got, coverages)


@given(impressions())
def test_figures_of_the_catalogue_equal_loops(shown: tuple[list[list[int]], list[list[float]], list[int]]) -> None:
    pools, scores, users = shown
    lists = lists_of(pools, scores)
    catalogue = sorted({news for pool in pools if len(pool) > K for news in pool})
    counts = [sum(news in each for each in lists.tolist()) for news in catalogue]
    assert catalogue_coverage(lists, ragged(pools)) == pytest.approx(np.mean([count > 0 for count in counts]))
    gini = sum(abs(a - b) for a in counts for b in counts) / (2 * len(counts) * sum(counts))
    assert exposure_gini(lists, ragged(pools)) == pytest.approx(gini)
    owners = [user for user, pool in zip(users, pools, strict=True) if len(pool) > K]
    pairs = list(combinations(zip(owners, lists.tolist(), strict=True), 2))
    distances = [1 - len({*one} & {*other}) / K for (user, one), (stranger, other) in pairs if user != stranger]
    expected = pytest.approx(np.mean(distances)) if distances else None
    assert inter_list_distance(lists, np.array(owners)) == expected


def test_novelty_is_the_mean_information_in_bits() -> None:
    clicks = np.array([6, 0, 1, 3])  # and one more each: 7, 1, 2, 4 of 14
    got = novelty(np.array([[0, 1], [2, 3]]), clicks, 4)
    np.testing.assert_allclose(got, [(1 + math.log2(14)) / 2, (math.log2(7) + math.log2(3.5)) / 2])


@given(
    st.lists(st.lists(st.integers(0, 9), max_size=6), min_size=NEWS, max_size=NEWS),
    st.lists(st.lists(st.integers(0, NEWS - 1), min_size=K, max_size=K, unique=True), min_size=1, max_size=6),
)
def test_text_distance_equals_a_loop_over_pairs(texts: list[list[int]], lists: list[list[int]]) -> None:
    vectors = TfIdf.from_tokens(ragged(texts), np.ones(NEWS, np.bool_), 10)
    dense = np.zeros((NEWS, 10))
    dense[vectors.words.rows, vectors.words.values] = vectors.weights
    expected = [np.mean([1 - dense[a] @ dense[b] for a, b in combinations(each, 2)]) for each in lists]
    np.testing.assert_allclose(text_distance(np.array(lists), vectors), expected, atol=1e-12)


@settings(max_examples=50)
@given(impressions())
def test_personalisation_equals_a_loop_over_readers_and_their_common_candidates(
    shown: tuple[list[list[int]], list[list[float]], list[int]],
) -> None:
    pools, scores, users = shown
    expected = {}
    for one, other in combinations(range(len(pools)), 2):
        common = sorted({*pools[one]} & {*pools[other]})
        if users[one] != users[other] and len(common) > K:
            best = []
            for row in (one, other):
                of_news = dict(zip(pools[row], scores[row], strict=True))
                best += naive_lists([common], [[of_news[news] for news in common]])
            expected[one, other] = 1 - len({*best[0]} & {*best[1]}) / K
    shared = SharedCandidates(ragged(pools), np.array(users), K, pairs=400)
    got = shared.personalisation(flat(scores), TIES)
    if not expected:
        assert (got, len(shared)) == (None, 0)
    else:  # pairs are drawn, so the mean is one of all of them but for chance
        assert got == pytest.approx(np.mean([*expected.values()]), abs=0.15)
        assert min(expected.values()) <= got + 1e-9
        assert got <= max(expected.values()) + 1e-9


def test_one_ranking_for_all_is_not_personal_whatever_else_is_shown() -> None:
    random = np.random.default_rng(1)
    pools = [random.permutation(30)[: random.integers(12, 30)].tolist() for _ in range(40)]
    same = [[float(news // 3) for news in pool] for pool in pools]  # ties among them
    ties = random.permutation(30)
    shared = SharedCandidates(ragged(pools), np.arange(40), 5, pairs=300)
    assert len(shared) == 300
    assert shared.personalisation(flat(same), ties) == 0
    chance = shared.personalisation(random.random(sum(map(len, pools))).astype(np.float32), ties)
    assert chance == pytest.approx(1 - np.mean(5 / shared.sizes), abs=0.03)


def test_text_distance_is_the_same_however_many_lists_are_looked_at_together(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(2)
    texts = [random.integers(0, 10, random.integers(0, 6)).tolist() for _ in range(NEWS)]
    vectors = TfIdf.from_tokens(ragged(texts), np.ones(NEWS, np.bool_), 10)
    lists = np.array([random.permutation(NEWS)[:K] for _ in range(7)])
    together = text_distance(lists, vectors)
    monkeypatch.setattr(module, "_LISTS_AT_A_TIME", 3)
    assert text_distance(lists, vectors).tolist() == together.tolist()


def test_many_lists_are_told_apart_where_there_are_few_words_and_users() -> None:
    vectors = TfIdf.from_tokens(ragged([[0], [1], [0, 1]]), np.ones(3, np.bool_), 2)
    lists = np.array([[0, 1], [0, 2], [1, 2]] * 5)
    alone = [text_distance(each[None], vectors).item() for each in lists]
    np.testing.assert_allclose(text_distance(lists, vectors), alone)
    users = np.arange(15)
    pairs = [1 - len({*one} & {*other}) / 2 for one, other in combinations(lists.tolist(), 2)]
    assert inter_list_distance(lists, users) == pytest.approx(np.mean(pairs))


def test_news_without_words_are_at_distance_one() -> None:
    ones = np.ones(6, np.bool_)
    some = TfIdf.from_tokens(ragged([[0], [0], [0], [], [], []]), ones, 1)
    assert text_distance(np.array([[0, 1, 2], [3, 4, 5]]), some).tolist() == pytest.approx([0, 1])
    none = TfIdf.from_tokens(ragged([[]] * 6), ones, 1)
    assert text_distance(np.array([[0, 1, 2], [3, 4, 5]]), none).tolist() == [1, 1]
    assert text_distance(np.zeros((0, 3), np.int64), none).tolist() == []


def test_an_impression_without_candidates_has_no_category() -> None:
    assert distinct_categories(ragged([[0, 1, 2], []]), np.array([0, 4, 4])).tolist() == [2, 0]


POOLS = [[0, 1, 2, 3, 4, 5], [9, 5, 4, 3, 2, 1, 0], [0, 1], [8, 0, 5, 10]]
SCORES = [[6, 5, 4, 3, 2, 1], [9, 6, 5, 4, 3, 2, 1], [1, 2], [1, 2, 3, 4]]
"""The two large ones rank their six common candidates in opposite orders; with the last they have two in common."""


def shared(users: list[int], k: int, pools: list[list[int]] = POOLS, **options: int) -> SharedCandidates:
    return SharedCandidates(ragged(pools), np.array(users), k, **options)


@pytest.mark.parametrize(("k", "expected"), [(2, 1), (3, 1), (4, 1 - 2 / 4), (5, 1 - 4 / 5)])
def test_personalisation_is_the_share_of_the_best_common_candidates_that_two_readers_do_not_share(
    k: int, expected: float
) -> None:
    pairs = shared([0, 1, 2, 0], k, pairs=50)
    assert len(pairs) == 50
    assert pairs.sizes.tolist() == [6] * 50
    assert pairs.personalisation(flat(SCORES), TIES) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("users", "k"),
    [([0, 0, 0, 0], 2), ([0, 1, 2, 3], 6), ([0, 1, 2, 3], 7), ([0, 0, 1, 1], 3)],
    ids=["one user", "one large impression", "no large impression", "no more than k in common"],
)
def test_without_pairs_there_is_no_personalisation(users: list[int], k: int) -> None:
    pairs = shared(users, k)
    assert len(pairs) == 0
    assert pairs.personalisation(flat(SCORES), TIES) is None


def test_exactly_k_candidates_in_common_leave_nothing_to_choose() -> None:
    pools = [[0, 1, 2, 3], [0, 1, 2, 4]]
    assert len(shared([0, 1], 3, pools)) == 0
    assert len(shared([0, 1], 2, pools)) == 5_000


def test_the_same_pairs_are_drawn_each_time() -> None:
    random = np.random.default_rng(3)
    pools = [random.permutation(20)[:12].tolist() for _ in range(30)]
    sizes = [shared(list(range(30)), 5, pools, pairs=40).sizes.tolist() for _ in range(2)]
    assert sizes[0] == sizes[1]
    assert sizes[0] != shared(list(range(30)), 5, pools, pairs=40, seed=1).sizes.tolist()
