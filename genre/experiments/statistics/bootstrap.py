"""How sure a mean over impressions is: bootstrap intervals, of single figures and of paired differences.

Impressions of one user are not independent of each other, so users are drawn, each with all of its impressions. How
the seeds of a training enter is said by `Seeds`. `docs/explanation/statistics.md` tells why.
"""

from collections.abc import Iterator
from typing import Final, Literal, TypeAlias

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from genre.errors import UsageError

LEVEL: Final = 0.95
RESAMPLES: Final = 10_000

Floats: TypeAlias = NDArray[np.float64]
Seeds: TypeAlias = Literal["student", "resampled", "fixed"]
"""What a figure says of seeds that were not trained.

`student`: their mean differs from that of the S seeds at hand by Student's t with S - 1 degrees of freedom, times
their standard error; nothing is added where there is one seed. `resampled`: seeds are drawn with replacement, crossed
with the users (Owen 2007, "The pigeonhole bootstrap"), which is too sure with few seeds. `fixed`: nothing is said of
other seeds.
"""

_DRAWS_AT_A_TIME: Final = 2_000_000
"""Users drawn at a time, in some 50 MB; at least one resample."""


@attrs.frozen
class Interval:
    """A mean, and the percentile bootstrap interval around it."""

    mean: float
    low: float
    high: float

    @property
    def excludes_zero(self) -> bool:
        """Whether the interval is on one side of 0."""
        return self.low > 0 or self.high < 0


@attrs.frozen(eq=False)
class UserSums:
    """K columns of figures, summed over the impressions of each of U users.

    Attributes:
        sums: (U, K).
        sizes: impressions of each user (U,).
    """

    sums: Floats
    sizes: Floats

    @property
    def means(self) -> Floats:
        """Mean of each column over all impressions (K,)."""
        means: Floats = self.sums.sum(axis=0) / self.sizes.sum()
        return means


def bootstrap_interval(
    values: ArrayLike,
    *,
    users: ArrayLike | None = None,
    level: float = LEVEL,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Interval:
    """The percentile bootstrap interval of the mean (Efron and Tibshirani 1993, chapter 13).

    Args:
        values: one value an impression (I,).
        users: whose each impression is (I,): users are drawn, with all of their impressions (the cluster bootstrap,
            Davison and Hinkley 1997, section 3.8). None: every impression stands for itself.
        level: share of resampled means inside the interval.
        resamples: number of resampled means.

    Raises:
        UsageError: there is no value, one is not finite, or `users`, `level` or `resamples` makes no sense.
    """
    table = _checked(values)[:, None]
    sums = user_sums(table, users)
    means = resampled_means(sums, resamples=resamples, seed=seed)
    return intervals(table.mean(axis=0), means, level=level)[0]


def paired_difference(
    first: ArrayLike,
    second: ArrayLike,
    *,
    users: ArrayLike | None = None,
    seeds: Seeds = "student",
    level: float = LEVEL,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Interval:
    """Mean of `first - second` over the same impressions, with its interval.

    Both figures are taken of the same resampled users, so that what makes an impression hard for both cancels.

    Args:
        first, second: (I,), or (S, I) with a row for each seed.
        users: as of `bootstrap_interval`.
        seeds: what the interval says of other seeds.

    Raises:
        UsageError: as `bootstrap_interval`; or the two do not go together.
    """
    differences = paired(first, second).T  # (I, S)
    means = resampled_means(user_sums(differences, users), resamples=resamples, seed=seed)
    random = np.random.default_rng([seed, 1])
    if seeds == "resampled":
        count = differences.shape[1]
        drawn = random.multinomial(count, np.full(count, 1 / count), resamples)
        over_seeds = (means * drawn).sum(axis=1, keepdims=True) / count
    else:
        over_seeds = means.mean(axis=1, keepdims=True)
        if seeds == "student":
            over_seeds += seed_draws(differences.mean(axis=0)[:, None], resamples=resamples, random=random)
    averaged = differences.mean(axis=1, keepdims=True)  # (I, 1)
    return intervals(averaged.mean(axis=0), over_seeds, level=level)[0]


def resampled_means(sums: UserSums, *, resamples: int = RESAMPLES, seed: int = 0) -> Floats:
    """Means of K columns over the same resampled users (resamples, K).

    Columns may be figures, and differences of figures that are to be compared. Memory is that of the result and some
    50 MB, however many users there are.

    Raises:
        UsageError: there is no resample.
    """
    if resamples < 1:
        raise UsageError(f"resamples is {resamples}: at least one is needed")
    count = len(sums.sizes)
    random = np.random.default_rng(seed)
    means = np.empty((resamples, sums.sums.shape[1]))
    for rows in chunks(resamples, max(1, _DRAWS_AT_A_TIME // count)):
        drawn = random.integers(0, count, (len(rows), count))
        drawn += np.arange(len(rows))[:, None] * count
        times = np.bincount(drawn.ravel(), minlength=drawn.size).reshape(drawn.shape).astype(np.float64)
        means[rows] = (times @ sums.sums) / (times @ sums.sizes)[:, None]
    return means


def seed_draws(by_seed: Floats, *, resamples: int, random: np.random.Generator) -> Floats:
    """How far the mean of other seeds may be from the mean of these: (S, K) -> (resamples, K), all 0 with one seed.

    Args:
        by_seed: a figure of each seed's model, over all impressions.
    """
    draws: Floats = student_draws(len(by_seed), resamples, random)[:, None] * seed_errors(by_seed)
    return draws


def student_draws(seeds: int, resamples: int, random: np.random.Generator) -> Floats:
    """Draws of Student's t with as many degrees of freedom as seeds leave (resamples,), all 0 with one seed."""
    return random.standard_t(seeds - 1, resamples) if seeds > 1 else np.zeros(resamples)


def seed_errors(by_seed: Floats) -> Floats:
    """Standard errors of means over S seeds: (S, K) -> (K,), 0 with one seed."""
    seeds, columns = by_seed.shape
    return by_seed.std(axis=0, ddof=1) / np.sqrt(seeds) if seeds > 1 else np.zeros(columns)


def intervals(centers: Floats, means: Floats, *, level: float = LEVEL) -> list[Interval]:
    """The interval around each of K means (K,), from their resampled means (resamples, K).

    Raises:
        UsageError: `level` is not between 0 and 1.
    """
    if not 0 < level < 1:
        raise UsageError(f"level is {level}: it is a share between 0 and 1")
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return [Interval(*map(float, figures)) for figures in zip(centers, low, high, strict=True)]


def user_sums(table: Floats, users: ArrayLike | None = None) -> UserSums:
    """Columns (I, K) summed over each user's impressions; without `users` (I,), every impression is a user's only one.

    Raises:
        UsageError: there is no impression, or there are not as many users as impressions.
    """
    if not len(table):
        raise UsageError("there are no impressions to resample")
    if users is None:
        return UserSums(table, np.ones(len(table), np.float64))
    names = np.asarray(users)
    if names.shape != table.shape[:1]:
        raise UsageError(f"there are {len(table)} impressions, and the users of {names.size}", remedy="name one each")
    codes = np.unique(names, return_inverse=True)[1]
    sums: Floats = np.column_stack([np.bincount(codes, column) for column in table.T]).astype(np.float64, copy=False)
    return UserSums(sums, np.bincount(codes).astype(np.float64))


def paired(first: ArrayLike, second: ArrayLike) -> Floats:
    """Differences of figures of the same impressions, (S, I): a row for each seed.

    Raises:
        UsageError: there is none, one is not finite, or they do not go together.
    """
    one, other = (np.atleast_2d(_checked(values, (1, 2))) for values in (first, second))
    if one.shape[1] != other.shape[1]:
        raise UsageError(
            f"{one.shape[1]} impressions cannot be compared with {other.shape[1]}",
            remedy="give the figures of the same impressions, in the same order",
        )
    if len(one) != len(other):
        raise UsageError(f"{len(one)} seeds cannot be compared with {len(other)}", remedy="give the same seeds of both")
    return one - other


def chunks(total: int, size: int) -> Iterator[NDArray[np.int64]]:
    """`0, ..., total - 1` in runs of at most `size`."""
    for start in range(0, total, size):
        yield np.arange(start, min(start + size, total))


def _checked(values: ArrayLike, dimensions: tuple[int, ...] = (1,)) -> Floats:
    checked = np.asarray(values, np.float64)
    if checked.ndim not in dimensions or not np.isfinite(checked).all():
        raise UsageError("one finite value an impression is needed", remedy="leave out impressions without a figure")
    return checked
