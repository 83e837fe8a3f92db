"""How sure a mean over impressions is: bootstrap intervals, of single figures and of paired differences."""

from collections.abc import Iterator
from typing import Final

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from genre.errors import UsageError

LEVEL: Final = 0.95
RESAMPLES: Final = 10_000

_DRAWS_AT_A_TIME: Final = 2_000_000
"""Impressions drawn at a time, in some 50 MB; at least one resample."""


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


def bootstrap_interval(
    values: ArrayLike, *, level: float = LEVEL, resamples: int = RESAMPLES, seed: int = 0
) -> Interval:
    """The percentile bootstrap interval of the mean (Efron and Tibshirani 1993, chapter 13).

    Impressions are drawn with replacement, as if each were independent of the others.

    Args:
        values: one value an impression (I,).
        level: share of resampled means inside the interval.
        resamples: number of resampled means.

    Raises:
        UsageError: there is no value, one is not finite, or `level` or `resamples` makes no sense.
    """
    table = _checked(values)[:, None]
    return intervals(table, resampled_means(table, resamples=resamples, seed=seed), level=level)[0]


def paired_difference(
    first: ArrayLike, second: ArrayLike, *, level: float = LEVEL, resamples: int = RESAMPLES, seed: int = 0
) -> Interval:
    """Mean of `first - second` over the same impressions (I,), with its interval.

    Both figures are taken of the same resampled impressions, so that what makes an impression hard for both cancels.

    Raises:
        UsageError: as `bootstrap_interval`; or the impressions are not as many.
    """
    one, other = _checked(first), _checked(second)
    if one.shape != other.shape:
        raise UsageError(
            f"{len(one)} impressions cannot be compared with {len(other)}",
            remedy="give the figures of the same impressions, in the same order",
        )
    return bootstrap_interval(one - other, level=level, resamples=resamples, seed=seed)


def resampled_means(table: NDArray[np.float64], *, resamples: int = RESAMPLES, seed: int = 0) -> NDArray[np.float64]:
    """Means of K columns over the same resampled impressions: (I, K) -> (resamples, K).

    Columns may be figures, and differences of figures that are to be compared.

    Raises:
        UsageError: there is no impression, or no resample.
    """
    if not len(table):
        raise UsageError("there are no impressions to resample")
    if resamples < 1:
        raise UsageError(f"resamples is {resamples}: at least one is needed")
    random = np.random.default_rng(seed)
    means = np.empty((resamples, table.shape[1]))
    for rows in _chunks(resamples, max(1, _DRAWS_AT_A_TIME // len(table))):
        drawn = random.integers(0, len(table), (len(rows), len(table)))
        drawn += np.arange(len(rows))[:, None] * len(table)
        counts = np.bincount(drawn.ravel(), minlength=drawn.size).reshape(drawn.shape)
        means[rows] = counts @ table / len(table)
    return means


def intervals(table: NDArray[np.float64], means: NDArray[np.float64], *, level: float = LEVEL) -> list[Interval]:
    """The interval of each of K columns, from their resampled means (resamples, K).

    Raises:
        UsageError: `level` is not between 0 and 1.
    """
    if not 0 < level < 1:
        raise UsageError(f"level is {level}: it is a share between 0 and 1")
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2], axis=0)
    centers = table.mean(axis=0)
    return [Interval(*map(float, figures)) for figures in zip(centers, low, high, strict=True)]


def _checked(values: ArrayLike) -> NDArray[np.float64]:
    checked = np.asarray(values, np.float64)
    if checked.ndim != 1 or not np.isfinite(checked).all():
        raise UsageError("one finite value an impression is needed", remedy="leave out impressions without a figure")
    return checked


def _chunks(total: int, size: int) -> Iterator[NDArray[np.int64]]:
    for start in range(0, total, size):
        yield np.arange(start, min(start + size, total))
