"""Bootstrap intervals against scipy, against known distributions, and at their edges."""

import attrs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, bootstrap, t

from genre.errors import UsageError
from genre.experiments.statistics.bootstrap import (
    Interval,
    bootstrap_interval,
    paired_difference,
    resampled_means,
    user_sums,
)

figures = st.lists(st.floats(0, 1, width=32), min_size=1, max_size=30)


def test_the_interval_is_scipy_s_percentile_interval() -> None:
    values = np.random.default_rng(1).beta(2, 1, size=200)
    expected = bootstrap(
        (values,), np.mean, method="percentile", n_resamples=20_000, rng=np.random.default_rng(2)
    ).confidence_interval
    got = bootstrap_interval(values, resamples=20_000)
    assert got.mean == pytest.approx(values.mean())
    assert (got.low, got.high) == pytest.approx((expected.low, expected.high), abs=1e-3)


def test_means_of_clicks_and_no_clicks_are_binomial() -> None:
    got = bootstrap_interval([1.0] * 30 + [0.0] * 70, level=0.9)
    assert got.low == pytest.approx(binom.ppf(0.05, 100, 0.3) / 100, abs=0.0101)
    assert got.high == pytest.approx(binom.ppf(0.95, 100, 0.3) / 100, abs=0.0101)


def test_a_paired_difference_is_surer_than_the_two_figures() -> None:
    random = np.random.default_rng(0)
    hardness = random.random(100)
    first, second = hardness + 0.02, hardness + 0.001 * random.standard_normal(100)
    difference = paired_difference(first, second)
    assert difference.excludes_zero
    assert difference.mean == pytest.approx(0.02, abs=1e-3)
    assert difference.high - difference.low < 0.001
    assert bootstrap_interval(first).low < bootstrap_interval(second).mean


def test_a_paired_difference_is_the_interval_of_the_differences() -> None:
    first, second = np.random.default_rng(3).random((2, 50))
    assert paired_difference(first, second, seed=4) == bootstrap_interval(first - second, seed=4)


@given(figures)
def test_the_interval_holds_the_mean_of_equal_figures_and_stays_among_the_values(values: list[float]) -> None:
    got = bootstrap_interval(values, resamples=50)
    assert min(values) - 1e-12 <= got.low <= got.high <= max(values) + 1e-12
    equal = bootstrap_interval([values[0]] * len(values), resamples=50)
    assert (equal.low, equal.high) == pytest.approx((values[0], values[0]), abs=1e-12)


def test_equal_figures_cannot_be_told_apart() -> None:
    values = np.random.default_rng(5).random(40)
    assert paired_difference(values, values) == Interval(0.0, 0.0, 0.0)
    assert not paired_difference(values, values).excludes_zero


def test_the_interval_comes_from_the_seed_and_not_from_the_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    sums = user_sums(np.random.default_rng(6).random((20, 2)))
    whole = resampled_means(sums, resamples=100, seed=7)
    assert (whole != resampled_means(sums, resamples=100, seed=8)).any()
    monkeypatch.setattr("genre.experiments.statistics.bootstrap._DRAWS_AT_A_TIME", 60)
    np.testing.assert_allclose(resampled_means(sums, resamples=100, seed=7), whole)


@pytest.mark.parametrize(
    ("values", "options", "message"),
    [
        ([], {}, "no impressions"),
        ([0.5, float("nan")], {}, "finite"),
        ([[0.5]], {}, "finite"),
        ([0.5], {"level": 1.0}, "level is 1.0"),
        ([0.5], {"resamples": 0}, "resamples is 0"),
    ],
)
def test_what_has_no_interval_is_an_error(values: list[float], options: dict[str, float], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        bootstrap_interval(values, **options)  # type: ignore[arg-type]


def test_other_impressions_cannot_be_compared() -> None:
    with pytest.raises(UsageError, match="2 impressions cannot be compared with 1"):
        paired_difference([0.1, 0.2], [0.3])


def test_users_are_drawn_with_all_of_their_impressions() -> None:
    random = np.random.default_rng(9)
    sums, sizes = random.random(60), random.integers(1, 5, 60).astype(float)
    expected = bootstrap(
        (sums, sizes),
        lambda sums, sizes, axis: sums.sum(axis) / sizes.sum(axis),
        method="percentile",
        paired=True,
        vectorized=True,
        n_resamples=20_000,
        rng=np.random.default_rng(2),
    ).confidence_interval
    users = np.repeat(np.arange(60), sizes.astype(int))
    values = np.repeat(sums / sizes, sizes.astype(int))
    shuffled = random.permutation(len(values))
    got = bootstrap_interval(values[shuffled], users=[f"U{user}" for user in users[shuffled]], resamples=20_000)
    assert got.mean == pytest.approx(values.mean())
    assert (got.low, got.high) == pytest.approx((expected.low, expected.high), abs=3e-3)


def test_users_with_one_impression_each_are_impressions() -> None:
    values = np.random.default_rng(3).random(50)
    assert bootstrap_interval(values, users=np.arange(50)) == bootstrap_interval(values)


def test_impressions_of_one_user_that_are_alike_make_an_interval_wider() -> None:
    values = np.repeat(np.random.default_rng(4).random(40), 5)
    plain, honest = bootstrap_interval(values), bootstrap_interval(values, users=np.repeat(np.arange(40), 5))
    assert honest.high - honest.low > 2 * (plain.high - plain.low)  # the square root of 5, but for chance


def test_seeds_that_are_fixed_are_averaged() -> None:
    first, second = np.random.default_rng(5).random((2, 3, 40))
    averaged = paired_difference(first.mean(axis=0), second.mean(axis=0))
    got = paired_difference(first, second, seeds="fixed")
    assert attrs.astuple(got) == pytest.approx(attrs.astuple(averaged))


def test_other_seeds_are_student_s_t_where_users_agree() -> None:
    by_seed = np.array([0.010, 0.013, 0.019, 0.021])
    got = paired_difference(np.repeat(by_seed[:, None], 30, axis=1), np.zeros((4, 30)), resamples=200_000)
    low, high = t.interval(0.95, df=3, loc=by_seed.mean(), scale=by_seed.std(ddof=1) / 2)
    assert (got.mean, got.low, got.high) == pytest.approx((by_seed.mean(), low, high), abs=2e-4)


def test_resampled_seeds_are_the_bootstrap_of_seeds_where_users_agree() -> None:
    by_seed = np.random.default_rng(6).random(12)
    expected = bootstrap(
        (by_seed,), np.mean, method="percentile", n_resamples=50_000, rng=np.random.default_rng(2)
    ).confidence_interval
    got = paired_difference(
        np.repeat(by_seed[:, None], 9, axis=1), np.zeros((12, 9)), seeds="resampled", resamples=50_000
    )
    assert (got.low, got.high) == pytest.approx((expected.low, expected.high), abs=5e-3)


def test_one_seed_adds_nothing() -> None:
    first, second = np.random.default_rng(7).random((2, 1, 40))
    assert paired_difference(first, second) == paired_difference(first, second, seeds="fixed")


@pytest.mark.parametrize(
    ("first", "users", "message"),
    [([[0.1, 0.2]] * 2, None, "2 seeds cannot be compared with 1"), ([[0.1, 0.2]], ["a"], "users of 1")],
)
def test_what_does_not_go_together_is_an_error(first: list[list[float]], users: list[str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        paired_difference(first, [[0.1, 0.2]], users=users)
