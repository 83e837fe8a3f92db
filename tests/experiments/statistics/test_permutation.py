"""Sign-flip tests against scipy, Holm's correction against a worked example, and what a test finds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from genre.errors import UsageError
from genre.experiments.statistics.bootstrap import user_sums
from genre.experiments.statistics.permutation import (
    detectable_difference,
    holm,
    permutation_test,
    sign_flip_p,
    standard_errors,
)


def scipy_p(first: np.ndarray, second: np.ndarray, resamples: float = np.inf) -> float:
    result = stats.permutation_test(
        (first, second),
        lambda one, other, axis: (one - other).mean(axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=resamples,
        rng=np.random.default_rng(1),
    )
    return float(result.pvalue)


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8)), min_size=2, max_size=9))
def test_p_of_few_impressions_is_scipy_s_exact_one_ties_included(pairs: list[tuple[int, int]]) -> None:
    first, second = np.array(pairs, float).T / 8
    assert permutation_test(first, second) == pytest.approx(scipy_p(first, second), abs=1e-12)


def test_p_of_many_impressions_is_scipy_s_but_for_the_draws() -> None:
    first, second = np.random.default_rng(2).random((2, 300))
    first += 0.04
    assert permutation_test(first, second, resamples=50_000) == pytest.approx(scipy_p(first, second, 50_000), abs=0.006)


def test_p_of_users_is_scipy_s_of_their_sums() -> None:
    random = np.random.default_rng(3)
    users = random.integers(0, 10, 40)
    first, second = random.random((2, 40))
    sums = (np.bincount(users, each, minlength=10) for each in (first, second))
    assert permutation_test(first, second, users=users) == pytest.approx(scipy_p(*sums), abs=1e-12)


def test_a_drawn_p_is_never_0() -> None:
    assert permutation_test(np.ones(100), np.zeros(100), resamples=999) == 1 / 1000


def test_equal_figures_have_p_1() -> None:
    values = np.random.default_rng(4).random(50)
    assert permutation_test(values, values) == 1


def test_columns_have_the_p_values_that_they_have_alone() -> None:
    table = np.random.default_rng(5).normal(0.1, 1, (60, 3))
    table[8:, 2] = 0  # few enough to enumerate
    seeds = np.zeros((1, 3))
    together = sign_flip_p(user_sums(table), seeds)
    alone = [float(sign_flip_p(user_sums(table[:, [column]]), seeds[:, :1])[0]) for column in range(3)]
    assert together.tolist() == alone


def test_seeds_that_differ_make_p_larger() -> None:
    random = np.random.default_rng(6)
    hardness = random.random(400)
    second = np.stack([hardness + random.normal(0, 0.1, 400) for _ in range(3)])
    first = second + np.array([0.0, 0.01, 0.05])[:, None] + random.normal(0, 0.05, (3, 400))
    assert permutation_test(first, second, seeds="fixed") < 0.001
    assert permutation_test(first, second) > 0.05


def test_p_over_seeds_is_that_of_student_where_users_agree() -> None:
    by_seed = np.array([0.010, -0.002, 0.019, 0.011])
    first = np.repeat(by_seed[:, None], 5_000, axis=1)  # so many that their flips hardly move the mean
    got = permutation_test(first, np.zeros_like(first), resamples=20_000)
    expected = stats.ttest_1samp(by_seed, 0).pvalue
    assert got == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize(
    ("options", "message"), [({"resamples": 0}, "resamples is 0"), ({"seeds": "resampled"}, "cannot resample seeds")]
)
def test_a_wrong_option_is_an_error(options: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        permutation_test([0.1, 0.3], [0.2, 0.2], **options)  # type: ignore[arg-type]


def test_holm_s_correction_of_a_worked_example() -> None:
    # By hand: .005 x 4, .01 x 3, .03 x 2, and .04 x 1, which is not below the one before it.
    np.testing.assert_allclose(holm([0.01, 0.04, 0.03, 0.005]), [0.03, 0.06, 0.06, 0.02])


@given(st.lists(st.floats(0, 1), max_size=12), st.floats(0.001, 0.2))
def test_holm_s_correction_rejects_what_the_procedure_rejects(values: list[float], alpha: float) -> None:
    rejected = set()
    for step, place in enumerate(sorted(range(len(values)), key=values.__getitem__)):
        if values[place] * (len(values) - step) > alpha:
            break
        rejected.add(place)
    assert set(np.flatnonzero(holm(values) <= alpha)) == rejected


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_s_correction_equals_its_formula(values: list[float]) -> None:
    order = sorted(values)
    formula = {p: max(min(1, (len(order) - j) * order[j]) for j in range(order.index(p) + 1)) for p in order}
    last = {p: max(min(1, (len(order) - j) * order[j]) for j in range(len(order)) if order[j] <= p) for p in order}
    for p, got in zip(values, holm(values).tolist(), strict=True):
        assert got in (pytest.approx(formula[p]), pytest.approx(last[p]))  # the two agree but for ties


def test_p_values_outside_0_to_1_are_an_error() -> None:
    with pytest.raises(UsageError, match="from 0 to 1"):
        holm([0.5, float("nan")])


def test_the_standard_error_is_the_usual_one_where_each_user_has_one_impression() -> None:
    values = np.random.default_rng(7).random(80)
    got = standard_errors(user_sums(values[:, None]))
    assert got is not None
    assert got[0] == pytest.approx(stats.sem(values))


def test_the_detectable_difference_is_found_in_four_of_five_experiments() -> None:
    random = np.random.default_rng(8)
    users, each, experiments = 150, 3, 1_000
    owners = np.repeat(np.arange(users), each)
    noise = random.normal(0, 0.1, (users, experiments))[owners] + random.normal(0, 0.2, (users * each, experiments))
    effect = detectable_difference(noise[:, 0], users=owners)
    assert effect is not None
    true_error = np.sqrt(0.1**2 / users + 0.2**2 / (users * each))
    assert effect == pytest.approx(2.8016 * true_error, rel=0.12)
    found = (
        sign_flip_p(user_sums(noise + 2.8016 * true_error, owners), np.zeros((1, experiments)), resamples=999) < 0.05
    )
    assert found.mean() == pytest.approx(0.8, abs=0.04)


def test_one_user_tells_nothing_of_what_can_be_detected() -> None:
    assert detectable_difference([0.1, 0.2], users=["a", "a"]) is None


def test_more_impressions_detect_less() -> None:
    values = np.random.default_rng(9).normal(0, 0.1, 400)
    few, many = detectable_difference(values[:100]), detectable_difference(values)
    assert few is not None
    assert many is not None
    assert many == pytest.approx(few / 2, rel=0.2)


@pytest.mark.parametrize("shares", [{"power": 1.0}, {"significance": 0.0}])
def test_a_power_that_nothing_has_is_an_error(shares: dict[str, float]) -> None:
    with pytest.raises(UsageError, match="between 0 and 1"):
        detectable_difference([0.1, 0.2], **shares)
