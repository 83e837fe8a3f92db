"""Whether a paired difference is more than chance: sign-flip tests, Holm's correction, and what could be found at all.

Under the null hypothesis a variant and the original are exchangeable, so each user's difference may as well have the
other sign.
"""

from statistics import NormalDist
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from genre.errors import UsageError
from genre.experiments.statistics.bootstrap import (
    RESAMPLES,
    Floats,
    Seeds,
    UserSums,
    chunks,
    paired,
    seed_errors,
    student_draws,
    user_sums,
)

POWER: Final = 0.8
SIGNIFICANCE: Final = 0.05

_SIGNS_AT_A_TIME: Final = 2_000_000
_TIE: Final = 1e-12
"""Relative to all that is summed: sums of the same differences in another order are equal."""


def permutation_test(
    first: ArrayLike,
    second: ArrayLike,
    *,
    users: ArrayLike | None = None,
    seeds: Seeds = "student",
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> float:
    """Two-sided p-value of the paired permutation test of the mean of `first - second` (Fisher 1935; Good 2005, ch. 3).

    Differences are averaged over seeds and summed over each user's impressions; then the signs of the users are
    flipped. All 2^U flips are enumerated where they are at most `resamples`, which gives the exact p-value. Else as
    many are drawn, and p is (1 + as extreme ones) / (1 + draws), which is valid, too (Phipson and Smyth 2010).

    Args:
        first, second: (I,), or (S, I) with a row for each seed.
        users: whose each impression is (I,). None: every impression stands for itself.
        seeds: `"student"` adds to every flip what other seeds may do, by a draw of Student's t (see `Seeds`): the null
            hypothesis is that both *train* to equal figures. `"fixed"` is about these trained models alone.
            `"resampled"` is not for a test.

    Raises:
        UsageError: a figure is missing or not finite, the two do not go together, or an option makes no sense.
    """
    if seeds == "resampled":
        raise UsageError("a permutation test cannot resample seeds", remedy='say seeds="student" or seeds="fixed"')
    differences = paired(first, second)
    by_seed = differences.mean(axis=1)[:, None] if seeds == "student" else np.zeros((1, 1))
    sums = user_sums(differences.mean(axis=0)[:, None], users)
    return float(sign_flip_p(sums, by_seed, resamples=resamples, seed=seed)[0])


def sign_flip_p(sums: UserSums, by_seed: Floats, *, resamples: int = RESAMPLES, seed: int = 0) -> Floats:
    """The p-values of `permutation_test` for K columns of differences (K,), all by the same flips.

    Args:
        sums: differences averaged over seeds.
        by_seed: mean difference of each seed's models (S, K). One row, or a column of equal figures, says nothing of
            other seeds.

    Raises:
        UsageError: there is no resample.
    """
    p: Floats = _p_values(sums, seed_errors(by_seed)[None], len(by_seed), resamples, seed)[0]
    return p


def sign_flip_p_with_and_without_seeds(sums: UserSums, by_seed: Floats) -> tuple[Floats, Floats]:
    """`sign_flip_p` with what other seeds may do, and of the trained models alone (K,), by the same flips."""
    errors = seed_errors(by_seed)
    with_seeds, without = _p_values(sums, np.stack([errors, np.zeros_like(errors)]), len(by_seed), RESAMPLES, 0)
    return with_seeds, without


def holm(p_values: ArrayLike) -> Floats:
    """P-values (M,) adjusted for all M of a family by the step-down method (Holm 1979).

    The k-th smallest is multiplied by M - k + 1, and none is below a smaller one's. Whatever is below 5 % then is
    significant, with at most 5 % risk of one or more false findings in the family, however the tests depend on each
    other.

    Raises:
        UsageError: a p-value is not between 0 and 1.
    """
    values = np.asarray(p_values, np.float64)
    if values.ndim != 1 or not ((values >= 0) & (values <= 1)).all():
        raise UsageError("p-values are numbers from 0 to 1, in one row")
    order = np.argsort(values, kind="stable")
    adjusted = np.empty_like(values)
    adjusted[order] = np.maximum.accumulate(values[order] * np.arange(len(values), 0, -1)).clip(max=1)
    return adjusted


def detectable_difference(
    differences: ArrayLike,
    *,
    users: ArrayLike | None = None,
    significance: float = SIGNIFICANCE,
    power: float = POWER,
) -> float | None:
    """The smallest true mean difference that a two-sided test over so many impressions finds with this power.

    (z(1 - significance / 2) + z(power)) * SE, the normal approximation (Cohen 1988, section 2.4; Bloom 1995, "Minimum
    detectable effects"). SE is the standard error of the mean of paired differences, robust to several impressions of
    one user: sqrt(U / (U - 1) * sum over users of (s_u - n_u * mean)^2) / I, with each user's sum of differences s_u
    over n_u impressions. It holds no seeds' part: more seeds are needed besides.

    Args:
        differences: averaged over seeds (I,).

    Returns:
        None with fewer than two users, who leave nothing to tell an error from.

    Raises:
        UsageError: a difference is missing or not finite, or a share is not between 0 and 1.
    """
    table = paired(differences, np.zeros(np.shape(differences))).T
    errors = standard_errors(user_sums(table, users))
    return None if errors is None else float(errors[0]) * detectable_errors(significance, power)


def detectable_errors(significance: float = SIGNIFICANCE, power: float = POWER) -> float:
    """How many standard errors a difference must have to be found, see `detectable_difference`: 2.80 by default.

    Raises:
        UsageError: a share is not between 0 and 1.
    """
    if not (0 < significance < 1 and 0 < power < 1):
        raise UsageError("significance and power are shares between 0 and 1")
    normal = NormalDist()
    return normal.inv_cdf(1 - significance / 2) + normal.inv_cdf(power)


def standard_errors(sums: UserSums) -> Floats | None:
    """Standard errors of K means over impressions (K,), robust to several impressions of one user; None for one user.

    Liang and Zeger 1986, with the usual factor U / (U - 1).
    """
    count = len(sums.sizes)
    if count < 2:
        return None
    # A column at a time: all residuals at once would be as large again as all sums.
    columns = zip(sums.sums.T, sums.means, strict=True)
    squares = np.array([np.square(column - sums.sizes * mean).sum() for column, mean in columns])
    errors: Floats = np.sqrt(count / (count - 1) * squares) / sums.sizes.sum()
    return errors


def _p_values(sums: UserSums, errors: Floats, seeds: int, resamples: int, seed: int) -> Floats:
    """P-values (E, K) for E times K standard errors over seeds (E, K), all by the same flips.

    Raises:
        UsageError: there is no resample.
    """
    if resamples < 1:
        raise UsageError(f"resamples is {resamples}: at least one is needed")
    moved = (sums.sums != 0).sum(axis=0)
    # Users whose differences sum to 0 are the same after a flip.
    exact = (errors == 0) & (moved <= np.log2(resamples))
    p = np.ones(errors.shape)
    for column in np.flatnonzero(exact.any(axis=0) & (moved > 0)):
        values = sums.sums[:, column]
        p[exact[:, column], column] = _enumerated(values[values != 0])
    drawn = ~exact.all(axis=0)
    if drawn.any():
        some = sums.sums if drawn.all() else sums.sums[:, drawn]  # a copy would be as large again
        found = _drawn(some, errors[:, drawn] * sums.sizes.sum(), seeds, resamples, seed)
        p[:, drawn] = np.where(exact[:, drawn], p[:, drawn], found)
    return p


def _enumerated(values: Floats) -> float:
    """Share of all 2^U flips of U values whose sum is as far from 0."""
    flips = (np.arange(2 ** len(values))[:, None] >> np.arange(len(values))) & 1
    sums = np.abs((2.0 * flips - 1) @ values)
    return float((sums >= _threshold(values[:, None])[0]).mean())


def _drawn(sums: Floats, errors: Floats, seeds: int, resamples: int, seed: int) -> Floats:
    """P-values (E, K) by drawn flips of the users' sums (U, K), to which draws of Student's t times E errors come."""
    random = np.random.default_rng(seed)
    student = student_draws(seeds, resamples, np.random.default_rng([seed, 1]))
    threshold = _threshold(sums)
    extreme = np.zeros(errors.shape, np.int64)
    for rows in chunks(resamples, max(1, _SIGNS_AT_A_TIME // len(sums))):
        signs: NDArray[np.int8] = 2 * random.integers(0, 2, (len(rows), len(sums)), dtype=np.int8) - 1
        flipped = signs.astype(np.float64) @ sums  # (rows, K)
        for number, each in enumerate(errors):
            extreme[number] += (np.abs(flipped + student[rows, None] * each) >= threshold).sum(axis=0)
    p: Floats = ((1 + extreme) / (1 + resamples)).astype(np.float64)
    return p


def _threshold(sums: Floats) -> Floats:
    """What a flipped sum must reach to be as extreme as that of (U, K), rounding apart (K,)."""
    threshold: Floats = np.abs(sums.sum(axis=0)) - _TIE * np.abs(sums).sum(axis=0)
    return threshold
