"""Metrics against scikit-learn, and against a loop that says what each figure means."""

import math
import statistics
from collections.abc import Sequence

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import ndcg_score, roc_auc_score

from genre.errors import RunError
from genre.modeling.metrics import METRICS, impression_metrics, mean

# Few distinct scores, so that ties are common.
candidates = st.tuples(st.sampled_from([-1.5, 0.0, 0.25, 3.0, 1e6]), st.integers(0, 1))
impressions = st.lists(st.lists(candidates, min_size=0, max_size=12), min_size=1, max_size=8)
Rows = list[list[tuple[float, int]]]


def flat(rows: Rows) -> tuple[list[float], list[int], list[int]]:
    scores = [score for row in rows for score, _ in row]
    labels = [label for row in rows for _, label in row]
    return scores, labels, np.cumsum([0, *map(len, rows)]).tolist()


def slow_mrr(scores: Sequence[float], labels: Sequence[int]) -> float:
    """Mean over clicks of the mean of 1/rank over the ranks that its equals could take."""
    values = []
    for score, label in zip(scores, labels, strict=True):
        if label:
            above = sum(other > score for other in scores)
            equal = sum(other == score for other in scores)
            values.append(sum(1 / rank for rank in range(above + 1, above + equal + 1)) / equal)
    return sum(values) / len(values)


def assert_equal_to_the_references(rows: Rows) -> None:
    table = impression_metrics(*flat(rows))
    assert table.height == len(rows)
    for row, got in zip(rows, table.iter_rows(named=True), strict=True):
        scores, labels = [score for score, _ in row], [label for _, label in row]
        if len(set(labels)) < 2:
            assert set(got.values()) == {None}
            continue
        assert got["auc"] == pytest.approx(roc_auc_score(labels, scores), abs=1e-12)
        assert got["mrr"] == pytest.approx(slow_mrr(scores, labels), abs=1e-12)
        assert got["ndcg@5"] == pytest.approx(ndcg_score([labels], [scores], k=5), abs=1e-12)
        assert got["ndcg@10"] == pytest.approx(ndcg_score([labels], [scores], k=10), abs=1e-12)


@given(impressions)
def test_metrics_equal_scikit_learn_and_a_loop_on_ragged_impressions_with_ties(rows: Rows) -> None:
    assert_equal_to_the_references(rows)


@given(impressions)
def test_metrics_of_one_impression_do_not_depend_on_the_others(rows: Rows) -> None:
    together = impression_metrics(*flat(rows))
    alone = pl.concat([impression_metrics(*flat([row])) for row in rows])
    assert together.equals(alone)


@given(st.lists(st.floats(0, 1), min_size=1), st.randoms())
def test_a_mean_is_the_same_in_every_order(values: list[float], random) -> None:
    shuffled = values.copy()
    random.shuffle(shuffled)
    assert mean(pl.Series(values)) == mean(pl.Series(shuffled))


@given(st.lists(st.none() | st.floats(0, 1)))
def test_a_mean_is_that_of_what_is_known(values: list[float | None]) -> None:
    known = [value for value in values if value is not None]
    assert mean(pl.Series(values, dtype=pl.Float64)) == (statistics.fmean(known) if known else None)


def test_metrics_of_a_small_case_by_hand() -> None:
    table = impression_metrics([3.0, 2.0, 1.0], [0, 1, 1], [0, 3])
    row = table.row(0, named=True)
    assert row["auc"] == 0.0
    assert row["mrr"] == pytest.approx((1 / 2 + 1 / 3) / 2)
    assert row["ndcg@5"] == pytest.approx((1 / math.log2(3) + 1 / 2) / (1 + 1 / math.log2(3)))


def test_equal_scores_are_worth_what_chance_is_worth() -> None:
    row = impression_metrics([0.0] * 4, [1, 0, 0, 0], [0, 4]).row(0, named=True)
    assert row["auc"] == 0.5
    assert row["mrr"] == pytest.approx((1 + 1 / 2 + 1 / 3 + 1 / 4) / 4)


@pytest.mark.parametrize("scores", [np.uint8, np.float16, np.int64])
@pytest.mark.parametrize("labels", [np.bool_, np.uint8, np.float32])
def test_the_type_of_scores_and_labels_does_not_matter(scores: type, labels: type) -> None:
    said, clicked, offsets = [3, 0, 2, 2, 1, 0], [1, 1, 0, 1, 1, 0], [0, 3, 6]
    other = impression_metrics(np.array(said, scores), np.array(clicked, labels), offsets)
    assert other.equals(impression_metrics([float(score) for score in said], clicked, offsets))


@pytest.mark.parametrize("score", [math.nan, math.inf, -math.inf])
def test_a_score_that_is_not_finite_is_an_error(score: float) -> None:
    with pytest.raises(RunError, match="1 of 3 scores are not finite") as caught:
        impression_metrics([0.0, score, 1.0], [0, 1, 0], [0, 3])
    assert str(caught.value.remedy).startswith("the training diverged: lower the learning rate")


def test_no_impressions_give_an_empty_table() -> None:
    table = impression_metrics([], [], [0])
    assert table.schema == dict.fromkeys(METRICS, pl.Float64)
    assert table.height == 0
    assert mean(table["auc"]) is None
